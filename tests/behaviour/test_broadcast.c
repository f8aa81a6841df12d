/* Broadcasts: on the loop's own thread, from other threads and from forked processes. */
#include "client_ground.h"
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/children.h"

enum { NEWS, OTHER_NEWS, ECHO };

/* What a test does in BROADCAST, before the message is passed on. */
static callback_function *on_broadcast;

/* Whether the test has reset its connection. */
static atomic_bool is_given_up;

static int news_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason != LWS_CALLBACK_BROADCAST)
        return 0;
    if (on_broadcast != NULL)
        return on_broadcast(context, wsi, reason, user, in, len);
    /* As the documents have it: straight from where it lies. */
    if (libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT) != (int)len)
        ck_assert(atomic_load(&is_given_up));
    return 0;
}

struct session {
    unsigned char unused[32];
};

static struct libwebsocket_protocols protocols[] = {
    [NEWS] = {.name = "news",
        .callback = news_callback,
        .per_session_data_size = sizeof(struct session)},
    [OTHER_NEWS] = {.name = "other", .callback = news_callback},
    [ECHO] = {.name = "echo", .callback = echo_callback, .per_session_data_size = 64},
    {.name = NULL},
};

/* A megabyte of them may wait for a reader. */
static struct server *start(void)
{
    struct server_options options = {
        .protocols = protocols, .extras = {.max_backlog = (size_t)256 << 20}};

    if (harness_tls())
        options.extras.client_ssl_ca_filepath = certificates_path("root.pem");
    return server_start(&options);
}

/* With the room around it that a call from inside a callback needs. */
static int broadcast_text(const struct libwebsocket_protocols *protocol, const char *text)
{
    size_t length = strlen(text);
    unsigned char *room =
        malloc(LWS_SEND_BUFFER_PRE_PADDING + length + LWS_SEND_BUFFER_POST_PADDING);
    int result, saved;

    ck_assert_ptr_nonnull(room);
    memcpy(room + LWS_SEND_BUFFER_PRE_PADDING, text, length);
    result = libwebsockets_broadcast(protocol, room + LWS_SEND_BUFFER_PRE_PADDING, length);
    saved = errno;
    ck_assert_mem_eq(room + LWS_SEND_BUFFER_PRE_PADDING, text, length);
    free(room);
    errno = saved;
    return result;
}

static void broadcast_three(struct server *server, void *argument)
{
    static const char *const texts[] = {"one", "two", "three"};

    (void)server;
    (void)argument;
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(broadcast_text(&protocols[NEWS], texts[i]), 0);
}

static void finish(struct ws_client **clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ws_finish(clients[i]);
        ws_free(clients[i]);
    }
}

/* Established connections of the protocol, those of clients left out, and nobody else. */
START_TEST(reaches_those_of_the_protocol)
{
    struct server *server = start();
    struct client own = {.protocol = "news", .port = server_port(server)};
    struct ws_client *news[4], *others[3];

    for (size_t i = 0; i < 4; i++)
        news[i] = ws_open(server_port(server), "news");
    others[0] = ws_open(server_port(server), "echo");
    others[1] = ws_open(server_port(server), "other");
    others[2] = ws_connect(server_port(server));
    client_begin(server, &own);
    server_wait(server, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 7);

    server_run(server, broadcast_three, NULL);
    for (size_t i = 0; i < 4; i++) {
        ws_expect_text(news[i], "one");
        ws_expect_text(news[i], "two");
        ws_expect_text(news[i], "three");
    }
    /* The fifth is the one at the other end of the context's own client. */
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_BROADCAST), 15);
    server_wait(server, LWS_CALLBACK_CLIENT_RECEIVE, 3);
    for (size_t i = 0; i < 15; i++)
        ck_assert_int_eq(server_record(server, LWS_CALLBACK_BROADCAST, i)->protocol, NEWS);
    ws_send_frame(others[0], WS_FIN | WS_TEXT, "nothing came", 12);
    ws_expect_text(others[0], "nothing came");
    finish(news, 4);
    finish(others, 2);
    ws_free(others[2]);
    server_stop(server);
}
END_TEST

static atomic_int depth;

static int broadcast_inside(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)reason;
    (void)user;
    if (atomic_fetch_add(&depth, 1) == 0)
        ck_assert_int_eq(broadcast_text(&protocols[NEWS], "inner"), 0);
    ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
    return 0;
}

static void broadcast_outer(struct server *server, void *argument)
{
    (void)server;
    (void)argument;
    ck_assert_int_eq(broadcast_text(&protocols[NEWS], "outer"), 0);
}

START_TEST(goes_through_inside_another)
{
    struct server *server = start();
    struct ws_client *clients[3];

    on_broadcast = broadcast_inside;
    for (size_t i = 0; i < 3; i++)
        clients[i] = ws_open(server_port(server), "news");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 3);
    server_run(server, broadcast_outer, NULL);
    for (size_t i = 0; i < 3; i++) {
        ws_expect_text(clients[i], "inner");
        ws_expect_text(clients[i], "outer");
    }
    finish(clients, 3);
    server_stop(server);
}
END_TEST

/* At older levels only; it frees at once what lws_close() lets end in good order. */
void libwebsockets_hangup_on_client(struct libwebsocket_context *context, int fd)
    LWS_LINK(libwebsockets_hangup_on_client);

enum ending { RETURNS, CLOSES_ITSELF, CLOSES_OTHERS, FREES_OTHERS, FREES_ALL, DESTROYS, ENDINGS };
enum { CONNECTIONS = 5 };

static enum ending ending;
static struct libwebsocket *connections[CONNECTIONS];

static void free_from(struct libwebsocket_context *context, size_t first)
{
    for (size_t i = first; i < CONNECTIONS; i++)
        libwebsockets_hangup_on_client(context, libwebsocket_get_socket_fd(connections[i]));
    ck_assert_int_eq(libwebsocket_service_fd(context, NULL), 0);
}

static int end_in_between(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)reason;
    (void)user;
    (void)in;
    (void)len;
    switch (ending) {
    case RETURNS:
        return -1;
    case CLOSES_ITSELF:
        ck_assert_int_eq(lws_close(wsi, 4001, NULL, 0), 0);
        break;
    case CLOSES_OTHERS:
        for (size_t i = 1; i < CONNECTIONS; i++)
            ck_assert_int_eq(lws_close(connections[i], 4001, NULL, 0), 0);
        break;
    case FREES_OTHERS:
        free_from(context, 1);
        break;
    case FREES_ALL:
        free_from(context, 0);
        break;
    case DESTROYS:
        server_destroy_context(server_here());
        errno = 0;
        ck_assert_int_eq(broadcast_text(&protocols[NEWS], "too late"), -1);
        ck_assert_int_eq(errno, ECANCELED);
        break;
    default:
        ck_abort();
    }
    return 0;
}

static void broadcast_once(struct server *server, void *argument)
{
    (void)argument;
    for (size_t i = 0; i < CONNECTIONS; i++)
        connections[i] = server_record(server, LWS_CALLBACK_ESTABLISHED, i)->wsi;
    ck_assert_int_eq(broadcast_text(&protocols[NEWS], "the last"), 0);
}

static const struct {
    int code;      /* that peers see; 0: the connection goes on */
    size_t called; /* how many were */
} outcomes[] = {
    [RETURNS] = {0, CONNECTIONS},
    [CLOSES_ITSELF] = {4001, CONNECTIONS},
    [CLOSES_OTHERS] = {4001, 1},
    [FREES_OTHERS] = {1000, 1},
    [FREES_ALL] = {1000, 1},
    [DESTROYS] = {1001, 1},
};

START_TEST(lets_connections_end_meanwhile)
{
    struct server *server = start();
    struct ws_client *clients[CONNECTIONS];

    ending = (enum ending)_i;
    on_broadcast = end_in_between;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        clients[i] = ws_open(server_port(server), "news");
        server_wait(server, LWS_CALLBACK_ESTABLISHED, i + 1);
    }
    server_run(server, broadcast_once, NULL);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_BROADCAST), outcomes[ending].called);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        bool lives = (ending == CLOSES_OTHERS || ending == FREES_OTHERS) && i == 0;

        if (outcomes[ending].code == 0 || lives)
            ws_finish(clients[i]);
        else if (harness_refuses_io())
            continue;
        else if (outcomes[ending].code == 4001)
            ws_expect_close_and_answer(clients[i], 4001);
        else
            ws_expect_close(clients[i], outcomes[ending].code);
    }
    for (size_t i = 0; i < CONNECTIONS; i++)
        ws_free(clients[i]);
    server_wait(server, LWS_CALLBACK_CLOSED, CONNECTIONS);
    server_stop(server);
}
END_TEST

static void broadcast_to_nobody(struct server *server, void *argument)
{
    static unsigned char huge[(16 << 20) + 1];

    (void)server;
    (void)argument;
    ck_assert_int_eq(broadcast_text(&protocols[OTHER_NEWS], "nobody"), 0);
    errno = 0;
    ck_assert_int_eq(libwebsockets_broadcast(&protocols[NEWS], huge, sizeof huge), -1);
    ck_assert_int_eq(errno, EMSGSIZE);
    errno = 0;
    ck_assert_int_eq(libwebsockets_broadcast(&protocols[NEWS], NULL, 1), -1);
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_int_eq(libwebsockets_broadcast(NULL, huge, 1), -1);
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_int_eq(libwebsockets_broadcast(&default_protocols[0], huge, 1), -1);
    ck_assert_int_eq(errno, EINVAL);
}

static void broadcast_nothing(struct server *server, void *argument)
{
    (void)server;
    (void)argument;
    ck_assert_int_eq(libwebsockets_broadcast(&protocols[NEWS], NULL, 0), 0);
}

START_TEST(knows_its_limits)
{
    struct server *server = start();
    struct ws_client *client = ws_open(server_port(server), "news");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, broadcast_to_nobody, NULL);
    broadcast_to_nobody(server, NULL);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_BROADCAST), 0);
    server_run(server, broadcast_nothing, NULL);
    ws_expect_text(client, "");
    broadcast_nothing(server, NULL);
    ws_expect_text(client, "");
    finish(&client, 1);
    server_stop(server);
}
END_TEST

/* There is nobody to be called about, now or ever. */
START_TEST(needs_no_listening_socket)
{
    struct server_options options = {.protocols = protocols, .no_listener = true};
    struct server *server = server_start(&options);

    server_run(server, broadcast_three, NULL);
    broadcast_three(server, NULL);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_BROADCAST), 0);
    server_stop(server);
}
END_TEST

/* Nothing around the bytes is needed, or touched. */
static int broadcast_exactly(size_t length, unsigned int seed)
{
    unsigned char *pattern = harness_pattern(length, seed);
    unsigned char *bytes = malloc(length);
    int result;

    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, pattern, length);
    result = libwebsockets_broadcast(&protocols[NEWS], bytes, length);
    ck_assert_mem_eq(bytes, pattern, length);
    free(bytes);
    free(pattern);
    return result;
}

static void expect_pattern(struct ws_client *client, size_t length, unsigned int seed)
{
    unsigned char *pattern = harness_pattern(length, seed);

    ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, length);
    free(pattern);
}

static void broadcast_from_the_loop(struct server *server, void *argument)
{
    (void)server;
    (void)argument;
    ck_assert_int_eq(broadcast_exactly(1000, 3), 0);
}

START_TEST(needs_no_room_outside_of_callbacks)
{
    struct server *server = start();
    struct ws_client *client = ws_open(server_port(server), "news");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    /* There it is inside a function of lws_call_in_service(). */
    if (harness_loop() != LOOP_POLL) {
        server_run(server, broadcast_from_the_loop, NULL);
        expect_pattern(client, 1000, 3);
    }
    ck_assert_int_eq(broadcast_exactly(1000, 4), 0);
    expect_pattern(client, 1000, 4);
    finish(&client, 1);
    server_stop(server);
}
END_TEST

START_TEST(comes_whole_and_in_order_from_a_thread)
{
    size_t largest = harness_scale(1 << 20, 4096);
    struct server *server = start();
    struct ws_client *clients[3];

    for (size_t i = 0; i < 3; i++)
        clients[i] = ws_open(server_port(server), "news");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 3);
    for (size_t length = 1; length <= largest; length *= 2)
        ck_assert_int_eq(broadcast_exactly(length, (unsigned int)length), 0);
    for (size_t i = 0; i < 3; i++)
        for (size_t length = 1; length <= largest; length *= 2)
            expect_pattern(clients[i], length, (unsigned int)length);
    finish(clients, 3);
    server_stop(server);
}
END_TEST

static int serve_inside(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)reason;
    (void)user;
    ck_assert_int_eq(libwebsocket_service(context, 0), 0);
    ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
    return 0;
}

/* The next one does not overtake the one that is still being told of. */
START_TEST(comes_in_order_though_callbacks_serve)
{
    struct server *server;
    struct ws_client *clients[2];

    /* The other loops cannot be run from inside themselves. */
    if (harness_loop() != LOOP_POLL)
        return;
    server = start();
    on_broadcast = serve_inside;
    for (size_t i = 0; i < 2; i++)
        clients[i] = ws_open(server_port(server), "news");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 2);
    server_hold(server);
    for (unsigned int i = 0; i < 4; i++)
        ck_assert_int_eq(broadcast_exactly(50 + i, i), 0);
    server_go_on(server);
    for (size_t i = 0; i < 2; i++)
        for (unsigned int j = 0; j < 4; j++)
            expect_pattern(clients[i], 50 + j, j);
    finish(clients, 2);
    server_stop(server);
}
END_TEST

enum { CHILDREN = 4, MESSAGES = 17 };

/* "CHILD MESSAGE ", and as many dots as make a length of its own. */
static char *child_text(unsigned int child, unsigned int message)
{
    size_t length = ((size_t)1 << message) * harness_scale(4, 1) + 16;
    char *text = malloc(length + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, '.', length);
    text[length] = '\0';
    text[snprintf(text, 12, "%u %u", child, message)] = ' ';
    return text;
}

static int broadcast_from_child(void *number)
{
    for (unsigned int i = 0; i < MESSAGES; i++) {
        char *text = child_text(*(unsigned int *)number, i);
        int result = libwebsockets_broadcast(&protocols[NEWS], (unsigned char *)text, strlen(text));

        free(text);
        if (result != 0)
            return errno;
    }
    return 0;
}

static void expect_of_children(struct ws_client *client)
{
    unsigned int next[CHILDREN] = {0};

    for (unsigned int i = 0; i < CHILDREN * MESSAGES; i++) {
        unsigned int child = CHILDREN, message = MESSAGES;
        struct ws_frame frame;
        char *expected;

        ws_receive_frame(client, &frame);
        ck_assert_int_eq(sscanf((char *)frame.payload, "%u %u", &child, &message), 2);
        ck_assert_uint_lt(child, CHILDREN);
        ck_assert_uint_eq(message, next[child]);
        next[child]++;
        expected = child_text(child, message);
        ck_assert_uint_eq(frame.length, strlen(expected));
        ck_assert_mem_eq(frame.payload, expected, frame.length);
        free(expected);
        ws_frame_free(&frame);
    }
}

START_TEST(comes_whole_and_in_order_from_children)
{
    struct server *server = start();
    unsigned int numbers[CHILDREN];
    struct ws_client *clients[3];
    pid_t children[CHILDREN];

    for (size_t i = 0; i < 3; i++)
        clients[i] = ws_open(server_port(server), "news");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 3);
    for (unsigned int i = 0; i < CHILDREN; i++) {
        numbers[i] = i;
        children[i] = fork_and_run(broadcast_from_child, &numbers[i]);
    }
    for (size_t i = 0; i < 3; i++)
        expect_of_children(clients[i]);
    for (size_t i = 0; i < CHILDREN; i++)
        ck_assert_int_eq(status_of(children[i]), 0);
    finish(clients, 3);
    server_stop(server);
}
END_TEST

static atomic_uint sent;

static void *broadcast_many(void *argument)
{
    size_t length = *(size_t *)argument;

    for (unsigned int i = 0; i < 64; i++) {
        ck_assert_int_eq(broadcast_exactly(length, i), 0);
        atomic_fetch_add(&sent, 1);
    }
    return NULL;
}

/* A service thread that is busy holds its senders back, and loses nothing. */
START_TEST(holds_senders_back)
{
    struct server *server = start();
    struct ws_client *client = ws_open(server_port(server), "news");
    size_t length = harness_scale(100000, 60000);
    pthread_t thread;

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_hold(server);
    ck_assert_int_eq(pthread_create(&thread, NULL, broadcast_many, &length), 0);
    while (atomic_load(&sent) == 0)
        usleep(1000);
    /* Time for it to go wrong in. */
    usleep(50000);
    ck_assert_uint_le(atomic_load(&sent), 10);
    server_go_on(server);
    for (unsigned int i = 0; i < (harness_cut() ? 8 : 64); i++)
        expect_pattern(client, length, i);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    if (harness_cut()) {
        atomic_store(&is_given_up, true);
        ws_reset(client);
    } else {
        finish(&client, 1);
    }
    server_stop(server);
}
END_TEST

static void set_up(void)
{
    on_broadcast = NULL;
}

Suite *broadcast_suite(void)
{
    Suite *suite = suite_create("broadcast");
    TCase *here = harness_case("here");
    TCase *elsewhere = harness_case("elsewhere");

    tcase_add_checked_fixture(here, set_up, NULL);
    tcase_add_test(here, reaches_those_of_the_protocol);
    tcase_add_test(here, goes_through_inside_another);
    tcase_add_loop_test(here, lets_connections_end_meanwhile, 0, ENDINGS);
    tcase_add_test(here, knows_its_limits);
    tcase_add_test(here, needs_no_listening_socket);
    tcase_add_test(here, needs_no_room_outside_of_callbacks);
    suite_add_tcase(suite, here);

    tcase_add_checked_fixture(elsewhere, set_up, NULL);
    tcase_add_test(elsewhere, comes_whole_and_in_order_from_a_thread);
    tcase_add_test(elsewhere, comes_whole_and_in_order_from_children);
    tcase_add_test(elsewhere, comes_in_order_though_callbacks_serve);
    tcase_add_test(elsewhere, holds_senders_back);
    suite_add_tcase(suite, elsewhere);
    return suite;
}
