/* How connections end: who begins, what is said, and in which order things happen. */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static const struct server_record *closed(struct server *server)
{
    return server_record(server, LWS_CALLBACK_CLOSED, 0);
}

static const int good_codes[] = {
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};

START_TEST(answers_a_code)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    ws_send_close(client, good_codes[_i],
        "gr\xc3\xbc\xc3\x9f"
        "e");
    ws_expect_close(client, good_codes[_i]);
    ws_expect_eof(client);
    ck_assert_int_eq(closed(server)->close_code, good_codes[_i]);
    ck_assert_str_eq(closed(server)->close_reason, "gr\xc3\xbc\xc3\x9f"
                                                   "e");
    ws_free(client);
    server_stop(server);
}
END_TEST

static const int bad_codes[] = {
    0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535};

START_TEST(refuses_a_code)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    int64_t begin = ws_now_ms();

    ws_send_close(client, bad_codes[_i], NULL);
    ws_expect_close(client, 1002);
    /* Both sides have said that it is over: there is nothing to wait for. */
    ws_expect_eof(client);
    ck_assert_int_le(ws_now_ms() - begin, 2500);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(answers_a_frame_without_code)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    ws_send_frame(client, WS_FIN | WS_CLOSE, NULL, 0);
    ws_expect_close(client, 0);
    ws_expect_eof(client);
    ck_assert_int_eq(closed(server)->close_code, 1005);
    ck_assert_str_eq(closed(server)->close_reason, "");
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(knows_when_no_close_frame_came)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    if (_i == 0) {
        ws_free(client);
    } else if (_i == 1) {
        ws_reset(client);
    } else {
        /* In the middle of a frame. */
        ws_send(client, "\x81\x85zzzzab", 8);
        ws_free(client);
    }
    ck_assert_int_eq(closed(server)->close_code, 1006);
    ck_assert_str_eq(closed(server)->close_reason, "");
    server_stop(server);
}
END_TEST

START_TEST(takes_the_longest_reason)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char *reason = harness_pattern(123, 0);

    ws_send_close(client, 1000, (const char *)reason);
    ws_expect_close(client, 1000);
    ws_expect_eof(client);
    ck_assert_str_eq(closed(server)->close_reason, (const char *)reason);
    free(reason);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(ignores_what_follows_a_close_frame)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char out[64];
    size_t length = ws_put_frame(client, out, WS_FIN | WS_TEXT, "one", 3);

    length += ws_put_frame(client, out + length, WS_FIN | WS_CLOSE, "\x03\xe8", 2);
    length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, "two", 3);
    length += ws_put_frame(client, out + length, WS_FIN | WS_PING, "p", 1);
    ws_send(client, out, length);
    ws_expect_text(client, "one");
    ws_expect_close(client, 1000);
    ws_expect_eof(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const struct {
    const char *message;
    int code;
    const char *reason;
} closings[] = {
    {"", 1000, ""},
    {"1000", 1000, ""},
    {"1001 going", 1001, "going"},
    {"4321 because of this", 4321, "because of this"},
    {"0", 0, ""},
};

START_TEST(closes_by_return_value)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "closer");
    const char *message = closings[_i].message;
    unsigned char out[128];
    size_t length;

    /* The second message, in the same segment, must not be seen. */
    length = ws_put_frame(client, out, WS_FIN | WS_TEXT, message, strlen(message));
    length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, "1000 second", 11);
    ws_send(client, out, length);
    ws_expect_close_reason(client, closings[_i].code, closings[_i].reason);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED), 0);

    /* Nor what comes before the peer has seen the close frame. */
    ws_send_frame(client, WS_FIN | WS_TEXT, "third", 5);
    ws_send_close(client, 4000, "answer");
    ws_expect_eof(client);
    ck_assert_int_eq(closed(server)->close_code, 4000);
    ck_assert_str_eq(closed(server)->close_reason, "answer");
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void close_last(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);
    size_t *sent = argument;

    for (size_t i = 0; sent != NULL && i < *sent; i++)
        ck_assert_int_eq(send_text(wsi, "before"), 6);
    ck_assert_int_eq(lws_close(wsi, 4001, "enough", 6), 0);
    /* It is closing already. */
    ck_assert_int_eq(lws_close(wsi, 4002, "again", 5), 0);
    ck_assert_int_eq(send_text(wsi, "too late"), -1);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(libwebsocket_callback_on_writable(server_context(server), wsi), -1);
}

START_TEST(closes_when_told)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    size_t sent = 20;

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, close_last, &sent);
    /* What was written before is sent before. */
    for (size_t i = 0; i < sent; i++)
        ws_expect_text(client, "before");
    ws_expect_close_reason(client, 4001, "enough");
    ws_expect_silence(client, 20);
    ws_send_close(client, 4001, NULL);
    ws_expect_eof(client);
    ck_assert_int_eq(closed(server)->close_code, 4001);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void write_close(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);

    (void)argument;
    ck_assert_int_eq(send_text(wsi, "last words"), 10);
    ck_assert_int_eq(send_bytes(wsi, "\x0f\xa5why", 5, LWS_WRITE_CLOSE), 5);
    ck_assert_int_eq(send_text(wsi, "too late"), -1);
    ck_assert_int_eq(errno, EPIPE);
}

START_TEST(closes_by_writing)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, write_close, NULL);
    ws_expect_text(client, "last words");
    ws_expect_close_reason(client, 4005, "why");
    ws_send_close(client, 4005, NULL);
    ws_expect_eof(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const struct {
    enum lws_close_status status;
    int sent; /* 0: a frame without a code; -1: refused */
} statuses[] = {
    {LWS_CLOSE_STATUS_NOSTATUS, 0},
    {LWS_CLOSE_STATUS_NORMAL, 1000},
    {LWS_CLOSE_STATUS_GOINGAWAY, 1001},
    {LWS_CLOSE_STATUS_PROTOCOL_ERR, 1002},
    {LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, 1003},
    {LWS_CLOSE_STATUS_RESERVED, -1},
    {LWS_CLOSE_STATUS_NO_STATUS, -1},
    {LWS_CLOSE_STATUS_ABNORMAL_CLOSE, -1},
    {LWS_CLOSE_STATUS_INVALID_PAYLOAD, 1007},
    {LWS_CLOSE_STATUS_POLICY_VIOLATION, 1008},
    {LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, 1009},
    {LWS_CLOSE_STATUS_EXTENSION_REQUIRED, 1010},
    {LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, 1011},
    {LWS_CLOSE_STATUS_TLS_FAILURE, -1},
};

static void close_with_status(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);
    int row = *(const int *)argument;
    int status = (int)statuses[row].status;

    if (statuses[row].sent >= 0) {
        ck_assert_int_eq(lws_close(wsi, status, NULL, 0), 0);
        return;
    }
    errno = 0;
    ck_assert_int_eq(lws_close(wsi, status, NULL, 0), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(lws_close(wsi, 4000, NULL, 0), 0);
}

/* Those that have a name and must not be on the wire are refused. */
START_TEST(closes_with_each_status_that_has_a_name)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    server_run(server, close_with_status, &_i);
    ws_expect_close(client, statuses[_i].sent < 0 ? 4000 : statuses[_i].sent);
    ws_send_close(client, 1000, NULL);
    ws_expect_eof(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const enum pending_timeout deadlines[] = {
    PENDING_TIMEOUT_AWAITING_PROXY_RESPONSE,
    PENDING_TIMEOUT_AWAITING_CONNECT_RESPONSE,
    PENDING_TIMEOUT_ESTABLISH_WITH_SERVER,
    PENDING_TIMEOUT_AWAITING_SERVER_RESPONSE,
    PENDING_TIMEOUT_AWAITING_PING,
    PENDING_TIMEOUT_CLOSE_ACK,
    PENDING_TIMEOUT_AWAITING_EXTENSION_CONNECT_RESPONSE,
    PENDING_TIMEOUT_SENT_CLIENT_HANDSHAKE,
    PENDING_TIMEOUT_SSL_ACCEPT,
};

static void set_deadline(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);

    ck_assert_int_eq(lws_close_reason(wsi, 4100, "too late", 8), 0);
    libwebsocket_set_timeout(wsi, deadlines[*(const int *)argument], 0);
}

/* Whatever a program says its deadline is about. */
START_TEST(closes_at_the_programs_deadline)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    server_run(server, set_deadline, &_i);
    ws_expect_close_reason(client, 4100, "too late");
    ws_send_close(client, 1000, NULL);
    ws_expect_eof(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void misuse_close(struct server *server, void *argument)
{
    static const int bad[] = {-1, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000};
    struct libwebsocket *wsi = server_last_wsi(server);
    char reason[124] = {0};

    (void)argument;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        errno = 0;
        ck_assert_int_eq(lws_close_reason(wsi, bad[i], "x", 1), -1);
        ck_assert_int_eq(errno, EINVAL);
        errno = 0;
        ck_assert_int_eq(lws_close(wsi, bad[i], "x", 1), -1);
        ck_assert_int_eq(errno, EINVAL);
    }
    memset(reason, 'r', sizeof reason);
    ck_assert_int_eq(lws_close_reason(wsi, 1000, reason, 124), -1);
    ck_assert_int_eq(lws_close_reason(wsi, 0, reason, 1), -1);
    ck_assert_int_eq(lws_close_reason(wsi, 1000, "\xff", 1), -1);
    ck_assert_int_eq(lws_close_reason(wsi, 1000, NULL, 1), -1);
    ck_assert_int_eq(lws_close_reason(NULL, 1000, NULL, 0), -1);
    ck_assert_int_eq(lws_close(NULL, 1000, NULL, 0), -1);
    ck_assert_int_eq(lws_close_reason(wsi, 1000, reason, 123), 0);
    ck_assert_int_eq(lws_close_reason(wsi, 1000, NULL, 0), 0);
    ck_assert_int_eq(lws_close_reason(wsi, 4444, "staged", 6), 0);
}

START_TEST(refuses_bad_arguments)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "closer");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, misuse_close, NULL);
    /* The connection is as it was, and what was staged in the end is what is sent. */
    ws_send_frame(client, WS_FIN | WS_TEXT, NULL, 0);
    ws_expect_close_reason(client, 4444, "staged");
    ws_send_close(client, 4444, NULL);
    ws_expect_eof(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(destroying_says_going_away)
{
    struct server *server = server_start(NULL);
    struct ws_client *one = ws_open(server_port(server), "echo");
    struct ws_client *two = ws_open(server_port(server), "discard");
    struct ws_client *half = ws_connect(server_port(server));

    ws_send_text(half, "GET / HT");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 2);
    server_stop(server);
    /* Nothing is waited for: what the system does not take at once is lost. */
    if (harness_refuses_io()) {
        free(ws_receive_all(one, NULL));
        free(ws_receive_all(two, NULL));
    } else {
        ws_expect_close(one, 1001);
        ws_expect_close(two, 1001);
        ws_expect_eof(one);
        ws_expect_eof(two);
    }
    free(ws_receive_all(half, NULL));
    ws_free(one);
    ws_free(two);
    ws_free(half);
}
END_TEST

START_TEST(gives_up_a_silent_peer)
{
    struct server_options options = {.extras = {.close_timeout_ms = 200}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "closer");
    int64_t begin;

    ws_send_frame(client, WS_FIN | WS_TEXT, "1000 bye", 8);
    begin = ws_now_ms();
    ws_expect_close_reason(client, 1000, "bye");
    /* It neither answers nor hangs up. */
    ws_expect_eof(client);
    ck_assert_int_ge(ws_now_ms() - begin, 150);
    ck_assert_int_le(ws_now_ms() - begin, 5000);
    ck_assert_int_eq(closed(server)->close_code, 1006);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* The peer answers the close frame; the server is the one that hangs up first. */
START_TEST(hangs_up_without_waiting)
{
    struct server_options options = {.extras = {.close_timeout_ms = 60000}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "closer");
    int64_t begin = ws_now_ms();

    ws_send_frame(client, WS_FIN | WS_TEXT, "", 0);
    ws_expect_close_and_answer(client, 1000);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_int_le(ws_now_ms() - begin, 5000);
    ws_free(client);
    server_stop(server);
}
END_TEST

static int write_and_close_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    if (reason != LWS_CALLBACK_RECEIVE)
        return 0;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
    ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    return -1;
}

START_TEST(sends_what_was_written_before_the_close)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "p", .callback = write_and_close_callback, .rx_buffer_size = 1 << 20},
        {.name = NULL},
    };
    struct server_options options = {.protocols = protocols, .send_buffer = 4096};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open_small(server_port(server), 4096, "p");
    size_t size = harness_scale(100000, 3000);
    unsigned char *pattern = harness_pattern(size, 1);

    ws_send_frame(client, WS_FIN | WS_TEXT, pattern, size);
    for (int i = 0; i < 10; i++)
        ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, size);
    ws_expect_close_and_answer(client, 1000);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), 0);
    free(pattern);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* Return values that mean nothing: programs of the time return -1 for whatever they do not know. */
static int careless_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    switch ((int)reason) {
    case LWS_CALLBACK_RECEIVE:
        ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
        return 1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return 0;
    default:
        return -1;
    }
}

START_TEST(ignores_other_return_values)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "p", .callback = careless_callback},
        {.name = NULL},
    };
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "p");

    ws_send_frame(client, WS_FIN | WS_TEXT, "a", 1);
    ws_expect_text(client, "a");
    server_wait(server, LWS_CALLBACK_SERVER_WRITEABLE, 1);
    ws_send_frame(client, WS_FIN | WS_TEXT, "b", 1);
    ws_expect_text(client, "b");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static int writeable_closes_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_RECEIVE)
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    return reason == LWS_CALLBACK_SERVER_WRITEABLE;
}

START_TEST(closes_by_writeable)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "p", .callback = writeable_closes_callback},
        {.name = NULL},
    };
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "p");

    ws_send_frame(client, WS_FIN | WS_TEXT, "a", 1);
    ws_expect_close_and_answer(client, 1000);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

Suite *close_suite(void)
{
    Suite *suite = suite_create("close");
    TCase *peer = harness_case("the peer begins");
    TCase *own = harness_case("the server begins");

    tcase_add_loop_test(peer, answers_a_code, 0, sizeof good_codes / sizeof good_codes[0]);
    tcase_add_loop_test(peer, refuses_a_code, 0, sizeof bad_codes / sizeof bad_codes[0]);
    tcase_add_test(peer, answers_a_frame_without_code);
    tcase_add_loop_test(peer, knows_when_no_close_frame_came, 0, 3);
    tcase_add_test(peer, takes_the_longest_reason);
    tcase_add_test(peer, ignores_what_follows_a_close_frame);
    suite_add_tcase(suite, peer);

    tcase_add_loop_test(own, closes_by_return_value, 0, sizeof closings / sizeof closings[0]);
    tcase_add_test(own, closes_by_writeable);
    tcase_add_test(own, closes_when_told);
    tcase_add_test(own, closes_by_writing);
    tcase_add_loop_test(
        own, closes_with_each_status_that_has_a_name, 0, sizeof statuses / sizeof statuses[0]);
    tcase_add_loop_test(
        own, closes_at_the_programs_deadline, 0, sizeof deadlines / sizeof deadlines[0]);
    tcase_add_test(own, refuses_bad_arguments);
    tcase_add_test(own, destroying_says_going_away);
    tcase_add_test(own, gives_up_a_silent_peer);
    tcase_add_test(own, hangs_up_without_waiting);
    tcase_add_test(own, sends_what_was_written_before_the_close);
    tcase_add_test(own, ignores_other_return_values);
    suite_add_tcase(suite, own);
    return suite;
}
