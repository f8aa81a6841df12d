/* What is sent: when it goes out, what happens to what the system does not take, and WRITEABLE. */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { SMALL = 4096 };

/* A server that chokes early, with a client that reads when it is asked to. */
static struct server *start_choking(
    struct libwebsocket_protocols *protocols, void *user, size_t max_backlog)
{
    struct server_options options = {.protocols = protocols,
        .user = user,
        .send_buffer = SMALL,
        .extras = {.max_backlog = max_backlog}};

    return server_start(&options);
}

static struct libwebsocket_protocols quiet_protocols[] = {
    {.name = "quiet", .callback = discard_callback},
    {.name = NULL},
};

struct fill {
    size_t frame;
    size_t taken; /* frames that were taken before EAGAIN */
    const unsigned char *pattern;
};

/* Writes until the limit is met. */
static void fill_backlog(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);
    struct fill *fill = argument;
    int result;

    do {
        errno = 0;
        result = send_bytes(wsi, fill->pattern, fill->frame,
            (enum libwebsocket_write_protocol)(LWS_WRITE_BINARY | LWS_WRITE_UNCOMPRESSED));
        fill->taken += result >= 0;
    } while (result >= 0);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(lws_send_pipe_choked(wsi), 1);
    /* Still the same. */
    ck_assert_int_eq(send_text(wsi, "x"), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(send_bytes(wsi, "x", 1, LWS_WRITE_PING), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

static void write_more(struct server *server, void *argument)
{
    (void)argument;
    ck_assert_int_eq(send_text(server_last_wsi(server), "more"), 4);
}

static void ask_writeable(struct server *server, void *argument)
{
    (void)argument;
    ck_assert_int_eq(
        libwebsocket_callback_on_writable(server_context(server), server_last_wsi(server)), 1);
}

START_TEST(refuses_beyond_the_limit)
{
    struct server *server = start_choking(quiet_protocols, NULL, 100000);
    struct ws_client *client = ws_open_small(server_port(server), SMALL, NULL);
    struct fill fill = {.frame = harness_scale(10000, 2000)};
    unsigned char *pattern = harness_pattern(fill.frame, 4);

    fill.pattern = pattern;
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, fill_backlog, &fill);
    /* The limit is met by what waits in the library, not by what the system has. */
    ck_assert_uint_ge(fill.taken * fill.frame, 100000);
    server_run(server, ask_writeable, NULL);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), 0);
    for (size_t i = 0; i < fill.taken; i++)
        ws_expect_frame(client, WS_FIN | WS_BINARY, pattern, fill.frame);
    server_wait(server, LWS_CALLBACK_SERVER_WRITEABLE, 1);
    /* The connection is as it was. */
    server_run(server, write_more, NULL);
    ws_expect_text(client, "more");
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void write_large(struct server *server, void *argument)
{
    const struct fill *fill = argument;
    struct libwebsocket *wsi = server_last_wsi(server);

    ck_assert_int_eq(
        send_bytes(wsi, fill->pattern, fill->frame,
            (enum libwebsocket_write_protocol)(LWS_WRITE_BINARY | LWS_WRITE_UNCOMPRESSED)),
        (int)fill->frame);
    ck_assert_int_eq(libwebsocket_callback_on_writable(server_context(server), wsi), 1);
    ck_assert_int_eq(send_text(wsi, "x"), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(takes_a_large_frame_whole)
{
    struct server *server = start_choking(quiet_protocols, NULL, 10000);
    struct ws_client *client = ws_open_small(server_port(server), SMALL, NULL);
    struct fill fill = {.frame = harness_scale(16 << 20, 60000)};
    unsigned char *pattern = harness_pattern(fill.frame, 8);

    fill.pattern = pattern;
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, write_large, &fill);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), 0);
    ws_expect_frame(client, WS_FIN | WS_BINARY, pattern, fill.frame);
    server_wait(server, LWS_CALLBACK_SERVER_WRITEABLE, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), 1);
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* In WRITEABLE nothing waits in the library: a write is not choked, but for the system itself. */
static int drained_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const struct fill *fill = server_user(server_here());

    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE) {
        size_t count = server_count(server_here(), LWS_CALLBACK_SERVER_WRITEABLE);

        if (!harness_cut())
            ck_assert_int_eq(lws_send_pipe_choked(wsi), 0);
        ck_assert_int_eq(
            send_bytes(wsi, fill->pattern, fill->frame, LWS_WRITE_BINARY), (int)fill->frame);
        if (count == 20)
            return 0;
    }
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE || reason == LWS_CALLBACK_RECEIVE)
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    return 0;
}

START_TEST(calls_writeable_when_drained)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "p", .callback = drained_callback},
        {.name = NULL},
    };
    struct fill fill = {.frame = harness_scale(50000, 3000)};
    unsigned char *pattern = harness_pattern(fill.frame, 2);
    struct server *server;
    struct ws_client *client;

    fill.pattern = pattern;
    server = start_choking(protocols, &fill, 0);
    client = ws_open_small(server_port(server), SMALL, NULL);
    ws_send_frame(client, WS_FIN | WS_TEXT, "go", 2);
    for (int i = 0; i < 20; i++)
        ws_expect_frame(client, WS_FIN | WS_BINARY, pattern, fill.frame);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), 20);
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static atomic_int inside_writeable;
static atomic_ulong writeable_calls[100];

/* The contract checker sees that each comes in a service call of its own. */
static int eager_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    size_t count;

    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_SERVER_WRITEABLE && reason != LWS_CALLBACK_RECEIVE)
        return 0;
    ck_assert_int_eq(atomic_fetch_add(&inside_writeable, 1), 0);
    count = server_count(server_here(), LWS_CALLBACK_SERVER_WRITEABLE);
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE)
        atomic_store(&writeable_calls[count - 1], server_service_calls());
    if (count < 100) {
        /* Asking twice is asking once. */
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    } else {
        ck_assert_int_eq(send_text(wsi, "done"), 4);
    }
    atomic_fetch_sub(&inside_writeable, 1);
    return 0;
}

START_TEST(calls_writeable_once_per_call)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "p", .callback = eager_callback},
        {.name = NULL},
    };
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), NULL);

    ws_send_frame(client, WS_FIN | WS_TEXT, "go", 2);
    ws_expect_text(client, "done");
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), 100);
    for (size_t i = 1; i < 100; i++)
        ck_assert_uint_gt(atomic_load(&writeable_calls[i]), atomic_load(&writeable_calls[i - 1]));
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* Asked for in RECEIVE on a socket that is not choked, it comes before the service call returns. */
static int prompt_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_RECEIVE) {
        atomic_store(&writeable_calls[0], server_service_calls());
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    }
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE) {
        atomic_store(&writeable_calls[1], server_service_calls());
        ck_assert_int_eq(send_text(wsi, "done"), 4);
    }
    return 0;
}

START_TEST(calls_writeable_without_a_round_trip)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "p", .callback = prompt_callback},
        {.name = NULL},
    };
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), NULL);

    ws_send_frame(client, WS_FIN | WS_TEXT, "go", 2);
    ws_expect_text(client, "done");
    ck_assert_uint_eq(atomic_load(&writeable_calls[0]), atomic_load(&writeable_calls[1]));
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static int expect_misuse(struct libwebsocket *wsi, const char *bytes, size_t len, unsigned int kind)
{
    int result;

    errno = 0;
    result = send_bytes(wsi, bytes, len, (enum libwebsocket_write_protocol)kind);
    return result == -1 && errno == EINVAL;
}

static void misuse_write(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);
    char long_payload[126] = {0};

    (void)argument;
    ck_assert(expect_misuse(NULL, "x", 1, LWS_WRITE_TEXT));
    ck_assert(expect_misuse(wsi, long_payload, 126, LWS_WRITE_PING));
    ck_assert(expect_misuse(wsi, long_payload, 126, LWS_WRITE_PONG));
    ck_assert(expect_misuse(wsi, long_payload, 126, LWS_WRITE_CLOSE));
    ck_assert(expect_misuse(wsi, "\x03", 1, LWS_WRITE_CLOSE));
    ck_assert(expect_misuse(wsi, "\x03\xed", 2, LWS_WRITE_CLOSE));
    ck_assert(expect_misuse(wsi, "x", 1, LWS_WRITE_CONTINUATION));
    ck_assert(expect_misuse(wsi, "x", 1, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN));
    ck_assert(expect_misuse(wsi, "x", 1, LWS_WRITE_HTTP));
    ck_assert(expect_misuse(wsi, "x", 1, 12));
    ck_assert_int_eq(libwebsocket_write(wsi, NULL, 1, LWS_WRITE_TEXT), -1);
    ck_assert_int_eq(errno, EINVAL);

    ck_assert_int_eq(send_bytes(wsi, "a", 1, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN), 1);
    ck_assert(expect_misuse(wsi, "x", 1, LWS_WRITE_TEXT));
    ck_assert(expect_misuse(wsi, "x", 1, LWS_WRITE_BINARY));
    ck_assert_int_eq(send_bytes(wsi, "p", 1, LWS_WRITE_PING), 1);
    ck_assert_int_eq(libwebsocket_write(wsi, NULL, 0, LWS_WRITE_PONG), 0);
    ck_assert_int_eq(send_bytes(wsi, "b", 1, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN), 1);
    ck_assert_int_eq(send_bytes(wsi, "c", 1, LWS_WRITE_CONTINUATION), 1);
    ck_assert(expect_misuse(wsi, "x", 1, LWS_WRITE_CONTINUATION));
    ck_assert_int_eq(libwebsocket_write(wsi, NULL, 0, LWS_WRITE_BINARY), 0);
    ck_assert_int_eq(send_bytes(wsi, "d", 1, LWS_WRITE_TEXT | LWS_WRITE_CLIENT_IGNORE_XOR_MASK), 1);

    ck_assert_int_eq(libwebsocket_callback_on_writable(server_context(server), NULL), -1);
    ck_assert_int_eq(lws_send_pipe_choked(NULL), 1);
    ck_assert_int_eq(libwebsocket_rx_flow_control(NULL, 0), -1);
    ck_assert_int_eq(libwebsocket_get_socket_fd(NULL), -1);
    ck_assert_ptr_null(libwebsockets_get_protocol(NULL));
    ck_assert_uint_eq(libwebsockets_remaining_packet_payload(NULL), 0);
    libwebsocket_set_timeout(NULL, PENDING_TIMEOUT_CLOSE_ACK, 1);
}

START_TEST(misuse_changes_nothing)
{
    struct server_options options = {.protocols = quiet_protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), NULL);

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, misuse_write, NULL);
    ws_expect_frame(client, WS_TEXT, "a", 1);
    ws_expect_frame(client, WS_FIN | WS_PING, "p", 1);
    ws_expect_frame(client, WS_FIN | WS_PONG, NULL, 0);
    ws_expect_frame(client, WS_CONTINUATION, "b", 1);
    ws_expect_frame(client, WS_FIN | WS_CONTINUATION, "c", 1);
    ws_expect_frame(client, WS_FIN | WS_BINARY, NULL, 0);
    ws_expect_text(client, "d");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void write_and_look(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);
    struct ws_client *client = argument;
    unsigned char frame[8];

    ck_assert_int_eq(send_text(wsi, "at once"), 7);
    /* Loopback: what was sent is there. Nothing else runs on this thread meanwhile. */
    if (harness_loop() != LOOP_POLL && !harness_cut())
        ck_assert_int_eq(recv(client->fd, frame, sizeof frame, MSG_PEEK | MSG_DONTWAIT), 8);
}

START_TEST(writes_at_once_outside_of_service)
{
    struct server_options options = {.protocols = quiet_protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), NULL);

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, write_and_look, client);
    ws_expect_text(client, "at once");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* A program that always has more to send must not keep a peer from being answered. */
START_TEST(sends_a_pong_among_frames_without_end)
{
    struct server *server = start_choking(quiet_protocols, NULL, 100000);
    struct ws_client *client = ws_open_small(server_port(server), SMALL, NULL);
    struct fill fill = {.frame = harness_scale(10000, 2000)};
    unsigned char *pattern = harness_pattern(fill.frame, 4);
    bool pong = false;

    fill.pattern = pattern;
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, fill_backlog, &fill);
    ws_send_frame(client, WS_FIN | WS_PING, "one", 3);
    ws_send_frame(client, WS_FIN | WS_PING, "two", 3);
    ws_send_frame(client, WS_FIN | WS_TEXT, "end", 3);
    server_wait(server, LWS_CALLBACK_RECEIVE, 1);
    for (int i = 0; i < 1000 && !pong; i++) {
        struct ws_frame frame;

        ws_receive_frame(client, &frame);
        pong = frame.first == (WS_FIN | WS_PONG) && memcmp(frame.payload, "two", 3) == 0;
        ws_frame_free(&frame);
        server_run(server, fill_backlog, &fill);
    }
    ck_assert(pong);
    free(pattern);
    ws_reset(client);
    server_stop(server);
}
END_TEST

START_TEST(sends_only_the_newest_pong_to_a_choked_peer)
{
    struct server *server = start_choking(quiet_protocols, NULL, 100000);
    struct ws_client *client = ws_open_small(server_port(server), SMALL, NULL);
    struct fill fill = {.frame = harness_scale(10000, 2000)};
    unsigned char *pattern = harness_pattern(fill.frame, 4);
    struct ws_frame frame;
    char text[16];
    size_t pongs = 0;

    fill.pattern = pattern;
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, fill_backlog, &fill);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "%04d", i);
        ws_send_frame(client, WS_FIN | WS_PING, text, 4);
    }
    ws_send_frame(client, WS_FIN | WS_TEXT, "end", 3);
    server_wait(server, LWS_CALLBACK_RECEIVE, 1);
    for (size_t i = 0; i < fill.taken;) {
        ws_receive_frame(client, &frame);
        if (frame.first == (WS_FIN | WS_PONG)) {
            pongs++;
        } else {
            ck_assert_uint_eq(frame.first, WS_FIN | WS_BINARY);
            i++;
        }
        ws_frame_free(&frame);
    }
    /* One was perhaps on its way already; the last one always comes. */
    do {
        ws_receive_frame(client, &frame);
        ck_assert_uint_eq(frame.first, WS_FIN | WS_PONG);
        memcpy(text, frame.payload, 5);
        pongs++;
        ws_frame_free(&frame);
    } while (strcmp(text, "0999") != 0);
    ck_assert_uint_le(pongs, 3);
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(nothing_overtakes_a_frame)
{
    struct server *server = start_choking(default_protocols, NULL, 0);
    struct ws_client *client = ws_open_small(server_port(server), SMALL, "echo");
    size_t size = harness_scale(300000, 6000);
    unsigned char *pattern = harness_pattern(size, 6);

    /* While the echo is stuck half-way, pings ask for pongs. */
    ws_send_frame(client, WS_FIN | WS_TEXT, pattern, size);
    ws_send_frame(client, WS_FIN | WS_PING, "1", 1);
    ws_send_frame(client, WS_FIN | WS_TEXT, "end", 3);
    ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, size);
    for (bool pong = false, end = false; !pong || !end;) {
        struct ws_frame frame;

        ws_receive_frame(client, &frame);
        pong = pong || frame.first == (WS_FIN | WS_PONG);
        end = end || frame.first == (WS_FIN | WS_TEXT);
        ws_frame_free(&frame);
    }
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(a_peer_that_goes_away_is_only_closed)
{
    struct server *server = start_choking(default_protocols, NULL, 0);
    struct ws_client *flooded = ws_open_small(server_port(server), SMALL, "flood");
    struct ws_client *healthy = ws_open(server_port(server), "echo");

    ws_send_frame(flooded, WS_FIN | WS_TEXT, "go", 2);
    server_wait(server, LWS_CALLBACK_SERVER_WRITEABLE, 1);
    if (_i == 0)
        ws_reset(flooded);
    else
        ws_free(flooded);
    ck_assert_int_eq(server_record(server, LWS_CALLBACK_CLOSED, 0)->close_code, 1006);
    ws_send_frame(healthy, WS_FIN | WS_TEXT, "here", 4);
    ws_expect_text(healthy, "here");
    ws_finish(healthy);
    ws_free(healthy);
    server_stop(server);
}
END_TEST

Suite *write_suite(void)
{
    Suite *suite = suite_create("write");
    TCase *backlog = harness_case("backlog");
    TCase *writeable = harness_case("WRITEABLE");
    TCase *calls = harness_case("calls");

    tcase_add_test(backlog, refuses_beyond_the_limit);
    tcase_add_test(backlog, takes_a_large_frame_whole);
    tcase_add_test(backlog, sends_only_the_newest_pong_to_a_choked_peer);
    tcase_add_test(backlog, sends_a_pong_among_frames_without_end);
    tcase_add_test(backlog, nothing_overtakes_a_frame);
    tcase_add_loop_test(backlog, a_peer_that_goes_away_is_only_closed, 0, 2);
    suite_add_tcase(suite, backlog);

    tcase_add_test(writeable, calls_writeable_when_drained);
    tcase_add_test(writeable, calls_writeable_once_per_call);
    tcase_add_test(writeable, calls_writeable_without_a_round_trip);
    suite_add_tcase(suite, writeable);

    tcase_add_test(calls, misuse_changes_nothing);
    tcase_add_test(calls, writes_at_once_outside_of_service);
    suite_add_tcase(suite, calls);
    return suite;
}
