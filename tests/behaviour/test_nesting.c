/* Service calls inside callbacks: whatever a program waits for there comes. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "../support/contract.h"
#include "extension_ground.h"
#include "suites.h"

enum { DESCRIPTORS = 256, PEERS = 3 };

/* A turn of the loop, or of one of the program's own, inside a callback. */
static void turn_for(struct libwebsocket_context *context, int timeout_ms)
{
    struct pollfd pollfds[DESCRIPTORS];
    nfds_t count = 0;
    int ready;

    if (harness_loop() == LOOP_POLL) {
        ck_assert_int_eq(libwebsocket_service(context, timeout_ms), 0);
        return;
    }
    /* A loop that calls at all gets out what was written. */
    ck_assert_int_eq(libwebsocket_service_fd(context, NULL), 0);
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        int events = contract_events(fd);

        if (events >= 0)
            pollfds[count++] = (struct pollfd){.fd = fd, .events = (short)events};
    }
    ready = poll(pollfds, count, timeout_ms);
    ck_assert(ready >= 0 || errno == EINTR);
    for (nfds_t i = 0; ready > 0 && i < count; i++) {
        if (pollfds[i].revents != 0)
            ck_assert_int_eq(libwebsocket_service_fd(context, &pollfds[i]), 0);
    }
}

/* Waits for as long as it takes: without an end where no descriptor is ready for what is due. */
static void turn(struct libwebsocket_context *context)
{
    turn_for(context, -1);
}

static callback_function *hook;
static struct libwebsocket *peers[PEERS];
static size_t peer_count;

static int hooked_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        ck_assert_uint_lt(peer_count, PEERS);
        peers[peer_count++] = wsi;
    }
    return hook(context, wsi, reason, user, in, len);
}

static struct libwebsocket_protocols protocols[] = {
    {.name = "p", .callback = hooked_callback},
    {.name = NULL},
};

struct ground {
    struct server *server;
    struct ws_client *clients[PEERS];
};

static struct ground ground_begin(callback_function *function, const struct server_options *options)
{
    struct server_options with = options == NULL ? (struct server_options){0} : *options;
    struct ground ground;

    hook = function;
    with.protocols = protocols;
    ground.server = server_start(&with);
    for (size_t i = 0; i < PEERS; i++) {
        ground.clients[i] = ws_open(server_port(ground.server), "p");
        server_wait(ground.server, LWS_CALLBACK_ESTABLISHED, i + 1);
    }
    return ground;
}

static void send_to(struct ground *ground, size_t peer, const char *text)
{
    ws_send_frame(ground->clients[peer], WS_FIN | WS_TEXT, text, strlen(text));
}

static bool is_nest(enum libwebsocket_callback_reasons reason, const char *in)
{
    return reason == LWS_CALLBACK_RECEIVE && strcmp(in, "nest") == 0;
}

static void ground_end(struct ground *ground)
{
    for (size_t i = 0; i < PEERS; i++) {
        ws_finish(ground->clients[i]);
        ws_free(ground->clients[i]);
    }
    server_stop(ground->server);
}

/* Serves other connections until one of them has been heard. */
static int serve_others(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct server *server = server_here();

    (void)user;
    if (reason != LWS_CALLBACK_RECEIVE)
        return 0;
    ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
    if (!is_nest(reason, in))
        return 0;
    ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    while (server_count(server, LWS_CALLBACK_RECEIVE) < 2)
        turn(context);
    /* What was handed to this callback is as it was, for all that has come since. */
    ck_assert_str_eq(in, "nest");
    ck_assert_uint_eq(len, 4);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 2);
    return 0;
}

START_TEST(serves_others)
{
    struct ground ground = ground_begin(serve_others, NULL);

    send_to(&ground, 0, "nest");
    server_wait(ground.server, LWS_CALLBACK_RECEIVE, 1);
    /* What was written is there before the call inside waits. */
    ws_expect_text(ground.clients[0], "nest");
    send_to(&ground, 1, "inside");
    ws_expect_text(ground.clients[1], "inside");
    server_wait(ground.server, LWS_CALLBACK_SERVER_WRITEABLE, 1);
    ground_end(&ground);
}
END_TEST

static int silent_port;

static int wait_for_time(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)wsi;
    (void)user;
    (void)len;
    if (!is_nest(reason, in))
        return 0;
    ck_assert_ptr_nonnull(libwebsocket_client_connect(
        context, "127.0.0.1", silent_port, 0, "/", "here", "here", "p", -1));
    while (server_count(server_here(), LWS_CALLBACK_CLIENT_CONNECTION_ERROR) == 0)
        turn(context);
    return 0;
}

/* A server that accepts, and says nothing. */
START_TEST(has_deadlines)
{
    struct server_options options = {.extras = {.handshake_timeout_ms = 300}};
    struct ground ground = ground_begin(wait_for_time, &options);
    struct ws_server *silent = ws_listen(NULL, 0);

    silent_port = silent->port;
    send_to(&ground, 0, "nest");
    client_expect_error(ground.server, 0, "the server did not answer in time");
    ground_end(&ground);
    ws_server_free(silent);
}
END_TEST

static unsigned int writeables;

static int ask_again(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)len;
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE && ++writeables < 3)
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    if (!is_nest(reason, in))
        return 0;
    ck_assert_int_eq(libwebsocket_callback_on_writable(context, peers[1]), 1);
    while (writeables < 3)
        turn(context);
    return 0;
}

/* Each of its WRITEABLEs leaves the next one for a later service call. */
START_TEST(goes_on_with_work)
{
    struct ground ground = ground_begin(ask_again, NULL);

    send_to(&ground, 0, "nest");
    server_wait(ground.server, LWS_CALLBACK_SERVER_WRITEABLE, 3);
    ground_end(&ground);
}
END_TEST

static int wait_for_the_other(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)wsi;
    (void)user;
    (void)len;
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE && ++writeables == 1) {
        while (writeables < 2)
            turn(context);
    }
    if (!is_nest(reason, in))
        return 0;
    ck_assert_int_eq(libwebsocket_callback_on_writable(context, peers[1]), 1);
    ck_assert_int_eq(libwebsocket_callback_on_writable(context, peers[2]), 1);
    return 0;
}

/* Both were to get theirs in the same round. */
START_TEST(goes_on_with_the_round_of_work)
{
    struct ground ground = ground_begin(wait_for_the_other, NULL);

    send_to(&ground, 0, "nest");
    server_wait(ground.server, LWS_CALLBACK_SERVER_WRITEABLE, 2);
    ck_assert_ptr_ne(server_record(ground.server, LWS_CALLBACK_SERVER_WRITEABLE, 0)->wsi,
        server_record(ground.server, LWS_CALLBACK_SERVER_WRITEABLE, 1)->wsi);
    ground_end(&ground);
    ck_assert_uint_eq(writeables, 2);
}
END_TEST

static int wait_for_an_answer(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct libwebsocket *client;

    (void)wsi;
    (void)user;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        while (server_count(server_here(), LWS_CALLBACK_RECEIVE) < 2)
            turn(context);
    }
    if (!is_nest(reason, in))
        return 0;
    /* Its end is told before what follows would be sent. */
    client = libwebsocket_client_connect(
        context, "127.0.0.1", silent_port, 0, "/", "here", "here", "p", -1);
    ck_assert_ptr_nonnull(client);
    ck_assert_int_eq(lws_close(client, 1000, NULL, 0), 0);
    ck_assert_int_eq(send_text(peers[1], "well?"), 5);
    return 0;
}

START_TEST(goes_on_with_settling)
{
    struct ground ground = ground_begin(wait_for_an_answer, NULL);
    struct ws_server *silent = ws_listen(NULL, 0);

    silent_port = silent->port;
    send_to(&ground, 0, "nest");
    ws_expect_text(ground.clients[1], "well?");
    send_to(&ground, 1, "well");
    server_wait(ground.server, LWS_CALLBACK_RECEIVE, 2);
    client_expect_error(ground.server, 0, "given up by the program");
    ground_end(&ground);
    ws_server_free(silent);
}
END_TEST

static bool second_was_called;

static void wait_for_the_second(struct libwebsocket_context *context, void *argument)
{
    (void)argument;
    while (!second_was_called)
        turn(context);
    ck_assert_int_eq(send_text(peers[0], "first"), 5);
}

static void be_the_second(struct libwebsocket_context *context, void *argument)
{
    (void)context;
    (void)argument;
    second_was_called = true;
    ck_assert_int_eq(send_text(peers[0], "second"), 6);
}

static int call_both(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)wsi;
    (void)user;
    (void)len;
    if (!is_nest(reason, in))
        return 0;
    ck_assert_int_eq(lws_call_in_service(context, wait_for_the_second, NULL), 0);
    ck_assert_int_eq(lws_call_in_service(context, be_the_second, NULL), 0);
    return 0;
}

START_TEST(goes_on_with_calls)
{
    struct ground ground = ground_begin(call_both, NULL);

    send_to(&ground, 0, "nest");
    ws_expect_text(ground.clients[0], "second");
    ws_expect_text(ground.clients[0], "first");
    ground_end(&ground);
}
END_TEST

static void wait_for_writeables(struct libwebsocket_context *context, void *argument)
{
    (void)argument;
    while (writeables < PEERS)
        turn(context);
}

static int ask_for_all(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)len;
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE)
        writeables++;
    if (!is_nest(reason, in))
        return 0;
    ck_assert_int_eq(lws_call_in_service(context, wait_for_writeables, NULL), 0);
    ck_assert_int_eq(
        libwebsocket_callback_on_writable_all_protocol(libwebsockets_get_protocol(wsi)), 0);
    return 0;
}

START_TEST(goes_on_with_a_protocol)
{
    struct ground ground = ground_begin(ask_for_all, NULL);

    send_to(&ground, 0, "nest");
    server_wait(ground.server, LWS_CALLBACK_SERVER_WRITEABLE, PEERS);
    ground_end(&ground);
    ck_assert_uint_eq(writeables, PEERS);
}
END_TEST

static bool has_begun;

/* Waits until the time of the connection beside it is over. */
static int wait_for_another_time(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct server *server = server_here();

    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_BROADCAST)
        return 0;
    libwebsocket_set_timeout(server_last_wsi(server), PENDING_TIMEOUT_AWAITING_PING, 1);
    while (server_count(server, LWS_CALLBACK_CLOSED) == 0)
        turn(context);
    return 0;
}

/* An extension that is told the seconds has the program called. */
static int broadcast_once(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    unsigned char bytes[LWS_SEND_BUFFER_PRE_PADDING + 1 + LWS_SEND_BUFFER_POST_PADDING] = {0};

    (void)probe;
    (void)session;
    (void)in;
    (void)len;
    if (reason != LWS_EXT_CALLBACK_1HZ || has_begun || server_last_wsi(server_here()) == wsi)
        return 0;
    has_begun = true;
    ck_assert_int_eq(libwebsockets_broadcast(
                         &pair_protocols[PROTOCOL_PAIR], bytes + LWS_SEND_BUFFER_PRE_PADDING, 1),
        0);
    return 0;
}

START_TEST(has_deadlines_inside_a_deadline)
{
    struct server *server;
    struct ws_client *client;
    struct ws_client *beside;

    pair_hook = wait_for_another_time;
    probes[0].hook = broadcast_once;
    give_probes(1);
    server = pair_start(NULL);
    client = raw_extended(server, "x-one");
    beside = beside_open(server);
    ws_expect_close_and_answer(beside, 1000);
    ws_free(beside);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ws_finish(client);
    ws_free(client);
    pair_stop(server);
}
END_TEST

/* The ways to serve what there is without waiting. */
static int way;

static int serve_without_waiting(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)wsi;
    (void)user;
    (void)len;
    if (!is_nest(reason, in))
        return 0;
    if (way == 0) {
        ck_assert_int_eq(libwebsocket_service_fd(context, NULL), 0);
        return 0;
    }
    /* By then the timer, which the loop has served just before, has fired again. */
    usleep(100000);
    for (int i = 0; i < 3; i++)
        turn_for(context, 0);
    return 0;
}

static void await_ping(struct ws_client *client)
{
    struct ws_frame frame;

    do {
        ws_receive_frame(client, &frame);
        ws_frame_free(&frame);
    } while (frame.first != (WS_FIN | WS_PING));
}

/* Deadlines have passed, and in the same round the loop finds the bytes of those they are about;
 * the first of them serves before the others are read. */
START_TEST(kills_no_healthy_peer)
{
    struct server_options options = {.extras = {.ping_interval_ms = 500, .ping_timeout_ms = 2000}};
    struct ground ground = ground_begin(serve_without_waiting, &options);

    way = _i;
    for (size_t i = 0; i < PEERS; i++)
        await_ping(ground.clients[i]);
    server_hold(ground.server);
    usleep(2500000);
    send_to(&ground, 0, "nest");
    for (size_t i = 1; i < PEERS; i++)
        send_to(&ground, i, "in time");
    server_go_on(ground.server);
    server_wait(ground.server, LWS_CALLBACK_RECEIVE, PEERS);
    ck_assert_uint_eq(server_count(ground.server, LWS_CALLBACK_CLOSED), 0);
    for (size_t i = 0; i < PEERS; i++)
        ws_free(ground.clients[i]);
    server_stop(ground.server);
}
END_TEST

Suite *nesting_suite(void)
{
    Suite *suite = suite_create("nesting");
    TCase *waiting = harness_case("waiting");
    TCase *deadlines = harness_case("deadlines");

    tcase_add_test(waiting, serves_others);
    tcase_add_test(waiting, goes_on_with_work);
    tcase_add_test(waiting, goes_on_with_the_round_of_work);
    tcase_add_test(waiting, goes_on_with_settling);
    tcase_add_test(waiting, goes_on_with_calls);
    tcase_add_test(waiting, goes_on_with_a_protocol);
    suite_add_tcase(suite, waiting);

    tcase_add_test(deadlines, has_deadlines);
    if (!harness_deflate() && libwebsocket_get_internal_extensions() != NULL)
        tcase_add_test(deadlines, has_deadlines_inside_a_deadline);
    /* What comes in pieces, or is refused, is not there in time. */
    if (!harness_cut())
        tcase_add_loop_test(deadlines, kills_no_healthy_peer, 0, 2);
    suite_add_tcase(suite, deadlines);
    return suite;
}
