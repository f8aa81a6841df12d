/* How connections of clients end, and what servers must not send. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "client_ground.h"
#include "suites.h"

static const struct server_record *closed(struct server *loop)
{
    return server_record(loop, LWS_CALLBACK_CLOSED, 0);
}

static const int good_codes[] = {
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};

START_TEST(answers_a_code)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);

    ws_send_close(peer, good_codes[_i], "because");
    ws_expect_close(peer, good_codes[_i]);
    ws_shutdown(peer);
    ws_expect_eof(peer);
    ck_assert_int_eq(closed(loop)->close_code, good_codes[_i]);
    ck_assert_str_eq(closed(loop)->close_reason, "because");
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(answers_a_frame_without_code)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);

    ws_send_frame(peer, WS_FIN | WS_CLOSE, NULL, 0);
    ws_expect_close(peer, 0);
    ws_shutdown(peer);
    ws_expect_eof(peer);
    ck_assert_int_eq(closed(loop)->close_code, 1005);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* RFC 6455 section 7.1.1: the server is the one that ends the connection. A client gives it time
 * for that, but not for ever. */
START_TEST(ends_it_where_the_server_does_not)
{
    struct server_options options = {.extras = {.close_timeout_ms = 400}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    int64_t begin = ws_now_ms();

    ws_send_close(peer, 1000, NULL);
    ws_expect_close(peer, 1000);
    if (_i == 1)
        ws_shutdown(peer);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ws_expect_eof(peer);
    ck_assert_int_le(ws_now_ms() - begin, 4000);
    ck_assert_int_eq(closed(loop)->close_code, 1000);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void close_now(struct server *loop, void *argument)
{
    (void)argument;
    ck_assert_int_eq(lws_close(server_last_wsi(loop), 4001, "enough", 6), 0);
}

START_TEST(closes_when_told_to)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);

    server_run(loop, close_now, NULL);
    ws_expect_close_reason(peer, 4001, "enough");
    ws_send_close(peer, 4001, NULL);
    ws_shutdown(peer);
    ws_expect_eof(peer);
    ck_assert_int_eq(closed(loop)->close_code, 4001);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* The server does not answer the close frame. */
START_TEST(gives_up_a_server_that_does_not_close)
{
    struct server_options options = {.extras = {.close_timeout_ms = 300}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);

    server_run(loop, close_now, NULL);
    ws_expect_close(peer, 4001);
    ws_send_frame(peer, WS_FIN | WS_TEXT, "not yet", 7);
    ck_assert_int_eq(closed(loop)->close_code, 1006);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE), 0);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static enum libwebsocket_callback_reasons ending_reason;
static int ending_result;

static int end_here(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    if (reason == ending_reason && ending_result != 0)
        ck_assert_int_eq(lws_close_reason(wsi, 4002, "by value", 8), 0);
    return reason == ending_reason ? ending_result : 0;
}

static const struct {
    enum libwebsocket_callback_reasons reason;
    int result;
} endings[] = {
    {LWS_CALLBACK_CLIENT_RECEIVE, -1},
    {LWS_CALLBACK_CLIENT_RECEIVE, 1},
    {LWS_CALLBACK_CLIENT_WRITEABLE, -1},
    {LWS_CALLBACK_CLIENT_WRITEABLE, 1},
};

START_TEST(closes_by_return_value)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer;

    client_hook = end_here;
    ending_reason = endings[_i].reason;
    ending_result = endings[_i].result;
    peer = client_open(loop, server, NULL);
    if (ending_reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        unsigned char out[64];
        size_t length = ws_put_frame(peer, out, WS_FIN | WS_TEXT, "one", 3);

        length += ws_put_frame(peer, out + length, WS_FIN | WS_TEXT, "two", 3);
        ws_send(peer, out, length);
    }
    ws_expect_close_reason(peer, 4002, "by value");
    ws_send_close(peer, 4002, NULL);
    ws_shutdown(peer);
    ws_expect_eof(peer);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_le(server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE), 1);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Values that mean nothing: programs return -1 for whatever they do not know. */
static int always_nonzero(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    return reason == LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH ||
                   reason == LWS_CALLBACK_CLIENT_RECEIVE || reason == LWS_CALLBACK_CLIENT_WRITEABLE
               ? 0
               : -1;
}

START_TEST(ignores_values_of_other_callbacks)
{
    struct server *loop;
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer;

    client_hook = always_nonzero;
    loop = client_start(NULL);
    peer = client_open(loop, server, NULL);
    ws_send_frame(peer, WS_FIN | WS_PONG, "pong", 4);
    ws_send_frame(peer, WS_FIN | WS_TEXT, "text", 4);
    server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE, 1);
    client_finish(loop, peer);
    client_begin(loop, &(struct client){.port = 1});
    server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 1);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(knows_when_no_close_frame_came)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);

    if (_i == 1) {
        ws_reset(peer);
    } else {
        if (_i == 2)
            ws_send(peer, "\x81\x05he", 4);
        ws_free(peer);
    }
    ck_assert_int_eq(closed(loop)->close_code, 1006);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR), 0);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

#define BYTES(text) (text), sizeof(text) - 1

/* Each ends the connection with the code; those before it are delivered. */
static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    int code;
    size_t delivered;
} wrong_frames[] = {
    {"5.1 masked text", BYTES("\x81\x82\x01\x02\x03\x04hi"), 1002, 0},
    {"5.1 masked with zeros", BYTES("\x81\x82\0\0\0\0hi"), 1002, 0},
    {"5.1 masked and empty", BYTES("\x82\x80\0\0\0\0"), 1002, 0},
    {"5.1 masked ping", BYTES("\x89\x80\0\0\0\0"), 1002, 0},
    {"5.1 masked close", BYTES("\x88\x82\0\0\0\0\x03\xe8"), 1002, 0},
    {"5.1 masked behind a good one", BYTES("\x81\x02hi\x81\x82\0\0\0\0hi"), 1002, 1},
    {"5.1 masked continuation", BYTES("\x01\x02hi\x80\x82\0\0\0\0hi"), 1002, 1},
    {"5.1 masked, of 2^63 - 1 bytes", BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"), 1002, 0},
    {"5.2 RSV1", BYTES("\xc1\x02hi"), 1002, 0},
    {"5.2 RSV2", BYTES("\xa1\x02hi"), 1002, 0},
    {"5.2 RSV3", BYTES("\x91\x02hi"), 1002, 0},
    {"5.2 RSV1 on a continuation", BYTES("\x01\x02hi\xc0\x02hi"), 1002, 1},
    {"5.2 opcode 3", BYTES("\x83\x00"), 1002, 0},
    {"5.2 opcode 7", BYTES("\x87\x00"), 1002, 0},
    {"5.2 opcode 11", BYTES("\x8b\x00"), 1002, 0},
    {"5.2 opcode 15", BYTES("\x8f\x00"), 1002, 0},
    {"5.2 2 in 16 bits", BYTES("\x82\x7e\x00\x02hi"), 1002, 0},
    {"5.2 2 in 64 bits", BYTES("\x82\x7f\0\0\0\0\0\0\0\x02hi"), 1002, 0},
    {"5.2 highest bit of a length", BYTES("\x82\x7f\x80\0\0\0\0\0\0\x02hi"), 1002, 0},
    {"5.4 continuation of nothing", BYTES("\x80\x02hi"), 1002, 0},
    {"5.4 message inside another", BYTES("\x01\x02hi\x81\x02no"), 1002, 1},
    {"5.5 ping in two", BYTES("\x09\x02hi"), 1002, 0},
    {"5.5 close in two", BYTES("\x08\x02\x03\xe8"), 1002, 0},
    {"5.5 ping of 126 bytes", BYTES("\x89\x7e\x00\x7e"), 1002, 0},
    {"5.5.1 close of one byte", BYTES("\x88\x01\x03"), 1002, 0},
    {"5.6 bad UTF-8", BYTES("\x81\x02\xff\xfe"), 1007, 0},
    {"5.6 UTF-8 that is cut off", BYTES("\x81\x02h\xc3"), 1007, 0},
    {"5.5.1 reason that is no UTF-8", BYTES("\x88\x04\x03\xe8\xff\xfe"), 1007, 0},
    {"7.4 code 999", BYTES("\x88\x02\x03\xe7"), 1002, 0},
    {"7.4 code 1005", BYTES("\x88\x02\x03\xed"), 1002, 0},
    {"7.4 code 1006", BYTES("\x88\x02\x03\xee"), 1002, 0},
    {"7.4 code 1015", BYTES("\x88\x02\x03\xf7"), 1002, 0},
    {"7.4 code 5000", BYTES("\x88\x02\x13\x88"), 1002, 0},
};

START_TEST(fails_a_server_that_sends_wrong_frames)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    int code = wrong_frames[_i].code;
    struct ws_frame frame;

    /* There it says that the payload is compressed, which it is not. */
    if (harness_deflate() && strcmp(wrong_frames[_i].name, "5.2 RSV1") == 0)
        code = 1007;
    ws_send(peer, wrong_frames[_i].bytes, wrong_frames[_i].length);
    ws_receive_frame(peer, &frame);
    ck_assert_msg(frame.first == (WS_FIN | WS_CLOSE) && frame.length >= 2, "%s: %#x",
        wrong_frames[_i].name, frame.first);
    ck_assert_msg((frame.payload[0] << 8 | frame.payload[1]) == code, "%s: %d",
        wrong_frames[_i].name, frame.payload[0] << 8 | frame.payload[1]);
    ws_frame_free(&frame);
    ws_shutdown(peer);
    ws_expect_eof(peer);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ck_assert_msg(
        server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE) <= wrong_frames[_i].delivered + 1 &&
            server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE) >= wrong_frames[_i].delivered,
        "%s: %zu pieces were delivered", wrong_frames[_i].name,
        server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE));
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void set_deadline(struct server *loop, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(loop);

    ck_assert_int_eq(lws_close_reason(wsi, 4100, "too late", 8), 0);
    libwebsocket_set_timeout(wsi, PENDING_TIMEOUT_AWAITING_PING, *(const int *)argument);
}

START_TEST(closes_when_the_deadline_passes)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    int seconds = _i;

    server_run(loop, set_deadline, &seconds);
    ws_expect_close_reason(peer, 4100, "too late");
    ws_send_close(peer, 4100, NULL);
    ws_shutdown(peer);
    ws_expect_eof(peer);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Going away, on destruction. */
START_TEST(says_that_it_goes_away)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);

    server_stop(loop);
    ws_expect_close(peer, 1001);
    ws_expect_eof(peer);
    ws_free(peer);
    ws_server_free(server);
}
END_TEST

Suite *client_close_suite(void)
{
    Suite *suite = suite_create("client close");
    TCase *codes = harness_case("codes");
    TCase *wrong = harness_case("wrong frames");

    tcase_add_loop_test(codes, answers_a_code, 0, (int)(sizeof good_codes / sizeof good_codes[0]));
    tcase_add_test(codes, answers_a_frame_without_code);
    tcase_add_loop_test(codes, ends_it_where_the_server_does_not, 0, 2);
    tcase_add_test(codes, closes_when_told_to);
    tcase_add_test(codes, gives_up_a_server_that_does_not_close);
    tcase_add_loop_test(
        codes, closes_by_return_value, 0, (int)(sizeof endings / sizeof endings[0]));
    tcase_add_test(codes, ignores_values_of_other_callbacks);
    tcase_add_loop_test(codes, knows_when_no_close_frame_came, 0, 3);
    tcase_add_loop_test(codes, closes_when_the_deadline_passes, 0, 2);
    /* The last frame may not get out. */
    if (!harness_refuses_io())
        tcase_add_test(codes, says_that_it_goes_away);
    suite_add_tcase(suite, codes);

    tcase_add_loop_test(wrong, fails_a_server_that_sends_wrong_frames, 0,
        (int)(sizeof wrong_frames / sizeof wrong_frames[0]));
    suite_add_tcase(suite, wrong);
    return suite;
}
