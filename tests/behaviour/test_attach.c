/* Loops and sinks: attached late, again and elsewhere, taken away, and refusing. */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static void expect_echo(struct ws_client *client, const char *text)
{
    ws_send_frame(client, WS_FIN | WS_TEXT, text, strlen(text));
    ws_expect_text(client, text);
}

static void move_to(struct server *server, void *argument)
{
    server_move(server, *(const enum loop_kind *)argument);
}

START_TEST(moves_with_its_connections)
{
    static const enum loop_kind kinds[] = {
        LOOP_UV, LOOP_UV, LOOP_EVENT, LOOP_EVENT, LOOP_POLL, LOOP_POLL, LOOP_OWN, LOOP_OWN};
    struct server *server = server_start(NULL);
    struct ws_client *one = ws_open(server_port(server), "echo");
    size_t size = harness_scale(100000, 3000);
    unsigned char *pattern = harness_pattern(size, 1);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        enum loop_kind kind = kinds[(i + (size_t)_i) % (sizeof kinds / sizeof kinds[0])];
        struct ws_client *two;

        server_run(server, move_to, &kind);
        expect_echo(one, "still here");
        two = ws_open(server_port(server), "echo");
        ws_send_frame(two, WS_FIN | WS_TEXT, pattern, size);
        ws_expect_frame(two, WS_FIN | WS_TEXT, pattern, size);
        ws_finish(two);
        ws_free(two);
    }
    free(pattern);
    ws_finish(one);
    ws_free(one);
    server_stop(server);
}
END_TEST

/* On any loop, the one it is on included, from inside a callback. */
static int moving_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static enum loop_kind kinds[] = {LOOP_EVENT, LOOP_POLL, LOOP_UV, LOOP_OWN};

    (void)context;
    (void)user;
    if (reason != LWS_CALLBACK_RECEIVE)
        return 0;
    ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
    server_move(server_here(), kinds[(len + *(size_t *)server_user(server_here())) % 4]);
    return 0;
}

START_TEST(moves_inside_a_callback)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "p", .callback = moving_callback},
        {.name = NULL},
    };
    size_t first = (size_t)_i;
    struct server_options options = {.protocols = protocols, .user = &first};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), NULL);
    static const char *const texts[] = {"1", "22", "333", "4444", "55555"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect_echo(client, texts[i]);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void attach_now(struct server *server, void *argument)
{
    (void)argument;
    server_move(server, harness_loop());
}

START_TEST(attaches_late)
{
    struct server_options options = {.no_attach = true};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    char *text = ws_handshake_text("/", "echo", NULL);
    struct ws_response response;

    /* The system accepts it; nobody serves it. */
    ws_send_ahead(client, text);
    ws_expect_silence(client, 50);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_FILTER_NETWORK_CONNECTION), 0);
    server_run(server, attach_now, NULL);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 101);
    ws_response_free(&response);
    free(text);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* A sink that counts, and refuses ADD from the n-th on. */
struct sink {
    int added;
    int deleted;
    int detached;
    int refuse_from;
    int result;
    struct libwebsocket_context *context;
};

static int counting_sink(struct libwebsocket_context *context, void *user,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags)
{
    struct sink *sink = user;

    (void)fd;
    (void)events;
    (void)flags;
    ck_assert_int_eq(sink->detached, 0);
    if (reason == LWS_CALLBACK_ADD_POLL_FD) {
        if (sink->refuse_from > 0 && sink->added + 1 >= sink->refuse_from)
            return -1;
        sink->added++;
        /* It may not be replaced now. */
        errno = 0;
        ck_assert_int_eq(lws_set_poll_fd_callback(context, NULL, NULL), -1);
        ck_assert_int_eq(errno, EINVAL);
    }
    sink->deleted += reason == LWS_CALLBACK_DEL_POLL_FD;
    sink->detached += reason == LWS_CALLBACK_POLL_DETACHED;
    return 0;
}

static void set_sink(struct server *server, void *argument)
{
    struct sink *sink = argument;
    void *user = NULL;

    sink->result = lws_set_poll_fd_callback(server_context(server), counting_sink, sink);
    if (sink->result == 0) {
        ck_assert_ptr_eq(lws_get_poll_fd_callback(server_context(server), &user), counting_sink);
        ck_assert_ptr_eq(user, sink);
    } else {
        ck_assert_ptr_null(lws_get_poll_fd_callback(server_context(server), NULL));
    }
}

/* In one go, because a sink that only counts serves nothing. */
static void set_sinks_and_move_back(struct server *server, void *argument)
{
    struct sink *sinks = argument;

    set_sink(server, &sinks[0]);
    ck_assert_int_eq(sinks[0].result, 0);
    /* The listening socket, the connection, and something of the engine's own. */
    ck_assert_int_ge(sinks[0].added, 3);
    set_sink(server, &sinks[1]);
    ck_assert_int_eq(sinks[1].result, 0);
    ck_assert_int_eq(sinks[0].deleted, sinks[0].added);
    ck_assert_int_eq(sinks[0].detached, 1);
    ck_assert_int_eq(sinks[1].added, sinks[0].added);
    server_move(server, harness_loop());
    ck_assert_int_eq(sinks[1].deleted, sinks[1].added);
    ck_assert_int_eq(sinks[1].detached, 1);
}

START_TEST(tells_a_sink_of_everything)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    struct sink sinks[2] = {{0}, {0}};

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, set_sinks_and_move_back, sinks);
    expect_echo(client, "served again");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void set_refusing_sink_and_move_back(struct server *server, void *argument)
{
    struct sink *sink = argument;

    set_sink(server, sink);
    ck_assert_int_eq(sink->result, -1);
    ck_assert_int_eq(sink->deleted, sink->added);
    ck_assert_int_eq(sink->detached, 0);
    server_move(server, harness_loop());
}

START_TEST(survives_a_sink_that_refuses)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    struct sink sink = {.refuse_from = _i + 1};

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, set_refusing_sink_and_move_back, &sink);
    ck_assert_int_eq(sink.added, _i);
    expect_echo(client, "served again");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static atomic_int refused;

static bool refuse_every_second(struct server *server, int events)
{
    (void)events;
    /* What is there at the beginning is taken. */
    if (server_count(server, LWS_CALLBACK_FILTER_NETWORK_CONNECTION) % 2 == 0)
        return false;
    atomic_fetch_add(&refused, 1);
    return true;
}

START_TEST(drops_a_connection_that_is_refused)
{
    struct server_options options = {.refuses = refuse_every_second};
    struct server *server = server_start(&options);

    for (int i = 0; i < 3; i++) {
        struct ws_client *client = ws_connect(server_port(server));

        ws_expect_eof(client);
        ws_free(client);
        client = ws_open(server_port(server), "echo");
        expect_echo(client, "taken");
        ws_finish(client);
        ws_free(client);
    }
    ck_assert_int_eq(atomic_load(&refused), 3);
    server_stop(server);
}
END_TEST

static bool refuse_comebacks(struct server *server, int events)
{
    (void)server;
    (void)events;
    return atomic_load(&refused) > 0;
}

static void stop_receiving(struct server *server, void *argument)
{
    (void)argument;
    ck_assert_int_eq(libwebsocket_rx_flow_control(server_last_wsi(server), 0), 0);
}

static void receive_again(struct server *server, void *argument)
{
    (void)argument;
    atomic_store(&refused, 1);
    ck_assert_int_eq(libwebsocket_rx_flow_control(server_last_wsi(server), 1), 0);
}

/* One that was taken out because its peer was gone, and comes back when it is wanted again. */
START_TEST(drops_a_comeback_that_is_refused)
{
    struct server_options options = {.refuses = refuse_comebacks};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "discard");
    unsigned long sleeps;

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, stop_receiving, NULL);
    ws_send_frame(client, WS_FIN | WS_TEXT, "last", 4);
    ws_reset(client);
    /* It takes a moment until the hang-up has been seen; nothing but a log line would tell. */
    sleeps = server_sleeps(server);
    usleep(50000);
    ck_assert_uint_le(server_sleeps(server) - sleeps, 10);
    server_run(server, receive_again, NULL);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    server_stop(server);
}
END_TEST

Suite *attach_suite(void)
{
    Suite *suite = suite_create("attach");
    TCase *moves = harness_case("moves");
    TCase *sinks = harness_case("sinks");

    tcase_add_loop_test(moves, moves_with_its_connections, 0, 8);
    tcase_add_loop_test(moves, moves_inside_a_callback, 0, 4);
    tcase_add_test(moves, attaches_late);
    suite_add_tcase(suite, moves);

    tcase_add_test(sinks, tells_a_sink_of_everything);
    tcase_add_loop_test(sinks, survives_a_sink_that_refuses, 0, 4);
    tcase_add_test(sinks, drops_a_connection_that_is_refused);
    tcase_add_test(sinks, drops_a_comeback_that_is_refused);
    suite_add_tcase(suite, sinks);
    return suite;
}
