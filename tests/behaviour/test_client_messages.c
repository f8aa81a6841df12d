/* Messages of clients: masks, fragments, control frames. */
#include <errno.h>
#include <stdlib.h>

#include "client_ground.h"
#include "suites.h"

/* What a client is to write, on the loop's thread. */
struct sending {
    const void *bytes;
    size_t length;
    unsigned int protocol;
    int result;
    int error;
};

static void write_now(struct server *loop, void *argument)
{
    struct sending *sending = argument;

    errno = 0;
    sending->result = send_bytes(server_last_wsi(loop), sending->bytes, sending->length,
        (enum libwebsocket_write_protocol)sending->protocol);
    sending->error = errno;
}

static void client_write(
    struct server *loop, const void *bytes, size_t length, unsigned int protocol)
{
    struct sending sending = {.bytes = bytes, .length = length, .protocol = protocol};

    server_run(loop, write_now, &sending);
    ck_assert_int_eq(sending.result, (int)length);
}

static const size_t sizes[] = {
    0, 1, 2, 3, 4, 5, 125, 126, 127, 4095, 4096, 4097, 65535, 65536, 200000};

START_TEST(sends_masked_messages)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    size_t size = sizes[_i];
    unsigned char *pattern;

    if (size > harness_scale(size, 5000))
        size = 5000;
    pattern = harness_pattern(size, 3);
    client_write(loop, pattern, size, LWS_WRITE_TEXT);
    ws_expect_frame(peer, WS_FIN | WS_TEXT, pattern, size);
    client_write(loop, pattern, size, LWS_WRITE_BINARY);
    ws_expect_frame(peer, WS_FIN | WS_BINARY, pattern, size);
    client_write(loop, pattern, size, LWS_WRITE_BINARY | LWS_WRITE_NO_FIN);
    client_write(loop, pattern, size, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN);
    client_write(loop, "ping", 4, LWS_WRITE_PING);
    client_write(loop, pattern, size, LWS_WRITE_CONTINUATION);
    ws_expect_frame(peer, WS_BINARY, pattern, size);
    ws_expect_frame(peer, WS_CONTINUATION, pattern, size);
    ws_expect_frame(peer, WS_FIN | WS_PING, "ping", 4);
    ws_expect_frame(peer, WS_FIN | WS_CONTINUATION, pattern, size);
    client_finish(loop, peer);
    free(pattern);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(takes_messages)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    size_t size = sizes[_i];
    unsigned char *pattern;
    size_t got = 0;

    if (size > harness_scale(size, 5000))
        size = 5000;
    pattern = harness_pattern(size, 3);
    ws_send_frame(peer, WS_FIN | (_i % 2 == 0 ? WS_TEXT : WS_BINARY), pattern, size);
    for (size_t n = 0; n == 0 || got < size; n++) {
        const struct server_record *record = server_record(loop, LWS_CALLBACK_CLIENT_RECEIVE, n);

        ck_assert_mem_eq(record->bytes, pattern + got, record->len);
        got += record->len;
        harness_expect_remaining(record->remaining, size - got);
        ck_assert_int_eq(record->binary, _i % 2);
        ck_assert_int_eq(record->final, 1);
    }
    client_finish(loop, peer);
    ck_assert_uint_eq(got, size);
    free(pattern);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void write_many(struct server *loop, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(loop);
    int count = *(const int *)argument;

    for (int i = 0; i < count; i++)
        ck_assert_int_eq(send_text(wsi, "again"), 5);
}

static int compare_masks(const void *one, const void *two)
{
    return memcmp(one, two, 4);
}

/* RFC 6455 section 5.3: fresh for each frame, and not to be foreseen. */
START_TEST(masks_each_frame_anew)
{
    enum { FRAMES = 2000 };
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    static unsigned char masks[FRAMES][4];
    int count = (int)harness_scale(FRAMES, 200);
    unsigned int ones = 0;
    int same = 0;

    server_run(loop, write_many, &count);
    for (int i = 0; i < count; i++) {
        struct ws_frame frame;

        ws_receive_frame(peer, &frame);
        ck_assert_uint_eq(frame.length, 5);
        memcpy(masks[i], frame.mask, 4);
        for (int byte = 0; byte < 4; byte++)
            ones += (unsigned int)__builtin_popcount(frame.mask[byte]);
        ws_frame_free(&frame);
    }
    qsort(masks, (size_t)count, 4, compare_masks);
    for (int i = 1; i < count; i++)
        same += memcmp(masks[i - 1], masks[i], 4) == 0;
    /* Two of 2000 are the same once in two thousand runs. */
    ck_assert_int_le(same, 1);
    ck_assert_uint_ge(ones, (unsigned int)count * 15);
    ck_assert_uint_le(ones, (unsigned int)count * 17);
    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void defeat(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->options |= LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK;
}

static void expect_zero_mask(struct ws_client *peer, unsigned int first, const char *text)
{
    static const unsigned char zeros[4];
    struct ws_frame frame;

    ws_receive_frame(peer, &frame);
    ck_assert_uint_eq(frame.first, first);
    ck_assert_mem_eq(frame.mask, zeros, 4);
    ck_assert_str_eq((char *)frame.payload, text);
    ws_frame_free(&frame);
}

START_TEST(sends_a_mask_of_zeros_where_told_to)
{
    struct server_options options = {.adjust = _i == 0 ? defeat : NULL};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    unsigned int flag = _i == 0 ? 0 : LWS_WRITE_CLIENT_IGNORE_XOR_MASK;

    client_write(loop, "text", 4, LWS_WRITE_TEXT | flag);
    client_write(loop, "begin", 5, LWS_WRITE_BINARY | LWS_WRITE_NO_FIN | flag);
    client_write(loop, "ping", 4, LWS_WRITE_PING | flag);
    client_write(loop, "end", 3, LWS_WRITE_CONTINUATION | flag);
    client_write(loop, "pong", 4, LWS_WRITE_PONG | flag);
    expect_zero_mask(peer, WS_FIN | WS_TEXT, "text");
    expect_zero_mask(peer, WS_BINARY, "begin");
    expect_zero_mask(peer, WS_FIN | WS_PING, "ping");
    expect_zero_mask(peer, WS_FIN | WS_CONTINUATION, "end");
    expect_zero_mask(peer, WS_FIN | WS_PONG, "pong");
    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* On a server the flag means nothing. */
static void write_with_flag(struct server *server, void *argument)
{
    (void)argument;
    ck_assert_int_eq(
        send_bytes(server_last_wsi(server), "hello", 5,
            (enum libwebsocket_write_protocol)(LWS_WRITE_TEXT | LWS_WRITE_CLIENT_IGNORE_XOR_MASK)),
        5);
}

START_TEST(ignores_the_flag_on_a_server)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, write_with_flag, NULL);
    ws_expect_text(client, "hello");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* Parts of one buffer, one after the other, while the peer takes nothing: what was written once
 * must not be touched, whatever the mask did to the copy that waits. */
static void write_parts(struct server *loop, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(loop);
    const unsigned char *pattern = argument;
    size_t size = harness_scale(100000, 2000);

    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(send_bytes(wsi, pattern, size, LWS_WRITE_BINARY), (int)size);
}

static void write_read_only(struct server *loop, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(loop);
    unsigned char buffer[LWS_SEND_BUFFER_PRE_PADDING + 300 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *payload = buffer + LWS_SEND_BUFFER_PRE_PADDING;

    (void)argument;
    for (unsigned int i = 0; i < 300; i++)
        payload[i] = (unsigned char)i;
    for (int time = 0; time < 3; time++) {
        ck_assert_int_eq(libwebsocket_write(wsi, payload, 300, LWS_WRITE_BINARY), 300);
        for (unsigned int i = 0; i < 300; i++)
            ck_assert_uint_eq(payload[i], (unsigned char)i);
    }
}

START_TEST(leaves_the_callers_bytes_alone)
{
    struct server_options options = {.extras = {.max_backlog = 2000000}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    size_t size = harness_scale(100000, 2000);
    unsigned char *pattern = harness_pattern(size, 7);
    unsigned char bytes[300];

    server_run(loop, write_parts, pattern);
    for (int i = 0; i < 8; i++)
        ws_expect_frame(peer, WS_FIN | WS_BINARY, pattern, size);
    server_run(loop, write_read_only, NULL);
    for (unsigned int i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    for (int i = 0; i < 3; i++)
        ws_expect_frame(peer, WS_FIN | WS_BINARY, bytes, sizeof bytes);
    client_finish(loop, peer);
    free(pattern);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static int echo(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    if (reason == LWS_CALLBACK_CLIENT_RECEIVE)
        ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
    return 0;
}

/* Straight from where it lies. */
START_TEST(writes_back_what_it_received)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.protocol = "small"};
    struct ws_client *peer;
    unsigned char out[4096];
    size_t length = 0;

    client_hook = echo;
    peer = client_open(loop, server, &client);
    for (int i = 0; i < 20; i++)
        length += ws_put_frame(peer, out + length, WS_FIN | WS_TEXT, "there and back", 14);
    ws_send(peer, out, length);
    for (int i = 0; i < 20; i++)
        ws_expect_text(peer, "there and back");
    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(delivers_pongs)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    unsigned char payload[125];
    const struct server_record *record;

    for (unsigned int i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)(i * 7);
    client_write(loop, payload, sizeof payload, LWS_WRITE_PING);
    ws_expect_frame(peer, WS_FIN | WS_PING, payload, sizeof payload);
    ws_send_frame(peer, WS_FIN | WS_PONG, payload, sizeof payload);
    record = server_record(loop, LWS_CALLBACK_CLIENT_RECEIVE_PONG, 0);
    ck_assert_uint_eq(record->len, sizeof payload);
    ck_assert_mem_eq(record->bytes, payload, sizeof payload);
    ck_assert_int_eq(record->protocol, CLIENT_CHAT);

    /* In the middle of a message, and one that nobody asked for. */
    ws_send_frame(peer, WS_TEXT, "be", 2);
    ws_send_frame(peer, WS_FIN | WS_PONG, NULL, 0);
    ws_send_frame(peer, WS_FIN | WS_CONTINUATION, "hind", 4);
    ck_assert_uint_eq(server_record(loop, LWS_CALLBACK_CLIENT_RECEIVE_PONG, 1)->len, 0);
    server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE, 2);
    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(answers_pings)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);

    ws_send_frame(peer, WS_FIN | WS_PING, "are you there", 13);
    ws_expect_frame(peer, WS_FIN | WS_PONG, "are you there", 13);
    ws_send_frame(peer, WS_FIN | WS_PING, NULL, 0);
    ws_expect_frame(peer, WS_FIN | WS_PONG, NULL, 0);
    client_finish(loop, peer);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE_PONG), 0);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* The engine's own pings of a silent server; their pongs are delivered as any. */
START_TEST(pings_a_silent_server)
{
    struct server_options options = {.extras = {.ping_interval_ms = 300, .ping_timeout_ms = 600}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    struct ws_frame frame;

    for (int i = 0; i < 2; i++) {
        ws_receive_frame(peer, &frame);
        ck_assert_uint_eq(frame.first, WS_FIN | WS_PING);
        ws_send_frame(peer, WS_FIN | WS_PONG, frame.payload, frame.length);
        ws_frame_free(&frame);
    }
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLOSED), 0);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static int on_turn;

static int ask_in_turn(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_WRITEABLE)
        ck_assert_int_gt(send_text(wsi, "turn"), 0);
    if ((reason == LWS_CALLBACK_CLIENT_WRITEABLE && ++on_turn < 100) ||
        reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    return 0;
}

START_TEST(is_told_when_writeable)
{
    struct server *loop;
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer;

    client_hook = ask_in_turn;
    loop = client_start(NULL);
    peer = client_open(loop, server, NULL);
    for (int i = 0; i < 100; i++)
        ws_expect_text(peer, "turn");
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_WRITEABLE), 100);
    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void ask_for_all(struct server *loop, void *argument)
{
    (void)loop;
    ck_assert_int_eq(libwebsocket_callback_on_writable_all_protocol(argument), 0);
}

/* Clients of the protocol, and no others. */
START_TEST(asks_for_all_of_a_protocol)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client second = {.protocol = "second"};
    struct ws_client *peers[4];

    for (int i = 0; i < 3; i++)
        peers[i] = client_open(loop, server, NULL);
    peers[3] = client_open(loop, server, &second);
    server_run(loop, ask_for_all, &client_protocols[CLIENT_CHAT]);
    server_wait(loop, LWS_CALLBACK_CLIENT_WRITEABLE, 3);
    for (int i = 0; i < 4; i++)
        client_finish(loop, peers[i]);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_WRITEABLE), 3);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

Suite *client_messages_suite(void)
{
    Suite *suite = suite_create("client messages");
    TCase *messages = harness_case("messages");
    TCase *masks = harness_case("masks");
    TCase *others = harness_case("control");
    int count = (int)(sizeof sizes / sizeof sizes[0]);

    tcase_add_loop_test(messages, sends_masked_messages, 0, count);
    tcase_add_loop_test(messages, takes_messages, 0, count);
    tcase_add_test(messages, writes_back_what_it_received);
    suite_add_tcase(suite, messages);

    tcase_add_test(masks, masks_each_frame_anew);
    tcase_add_loop_test(masks, sends_a_mask_of_zeros_where_told_to, 0, 2);
    tcase_add_test(masks, ignores_the_flag_on_a_server);
    tcase_add_test(masks, leaves_the_callers_bytes_alone);
    suite_add_tcase(suite, masks);

    tcase_add_test(others, delivers_pongs);
    tcase_add_test(others, answers_pings);
    tcase_add_test(others, pings_a_silent_server);
    tcase_add_test(others, is_told_when_writeable);
    tcase_add_test(others, asks_for_all_of_a_protocol);
    suite_add_tcase(suite, others);
    return suite;
}
