/* An extension of the whole stream, between a server and a client of this library. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <zlib.h>

#include "deflate_stream.h"
#include "extension_ground.h"
#include "suites.h"

static struct deflate_stream_counts counts;

static struct server *stream_start(const struct server_options *options)
{
    given_extensions = deflate_stream(&counts);
    return pair_start(options);
}

static struct server *stream_open(const struct server_options *options)
{
    struct server *loop = stream_start(options);

    pair_connect(loop);
    return loop;
}

static void stream_stop(struct server *loop)
{
    pair_stop(loop);
    ck_assert_uint_eq(counts.connections, 0);
}

static void stream_finish(struct server *loop)
{
    pair_finish(loop);
    ck_assert_uint_eq(counts.connections, 0);
    ck_assert_uint_gt(counts.sent_after, 0);
    /* All that one end sends is what the other receives, but for the ends of the last flushes. */
    ck_assert_uint_eq(counts.sent_before, counts.received_after);
    ck_assert_uint_le(counts.received_before, counts.sent_after);
    ck_assert_uint_le(counts.sent_after, counts.received_before + 16);
}

/* Bytes that do not get smaller. */
static unsigned char *noise(size_t length)
{
    unsigned char *bytes = malloc(length + 1);
    uint32_t state = 88172645;

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < length; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = (unsigned char)(state >> 11);
    }
    return bytes;
}

static const size_t sizes[] = {
    0, 1, 2, 125, 126, 127, 511, 512, 513, 4095, 4096, 4097, 8192, 65535, 65536, 300000, 2000000};

START_TEST(carries_messages)
{
    struct server *loop = stream_open(NULL);
    size_t size = harness_scale(sizes[_i], sizes[_i] < 5000 ? sizes[_i] : 5000);
    unsigned char *text = harness_pattern(size, 3);
    unsigned char *binary = noise(size);

    for (int side = 0; side < SIDES; side++) {
        pair_carry(loop, (enum side)side, text, size, LWS_WRITE_TEXT);
        pair_carry(loop, (enum side)side, binary, size, LWS_WRITE_BINARY);
        pair_carry(loop, (enum side)side, text, size, LWS_WRITE_BINARY);
    }
    stream_finish(loop);
    free(text);
    free(binary);
}
END_TEST

START_TEST(carries_fragments_and_pings)
{
    struct server *loop = stream_open(NULL);
    size_t size = harness_scale(20000, 2000);
    unsigned char *binary = noise(3 * size);
    enum side from = (enum side)_i;
    enum side to = from == SERVER_SIDE ? CLIENT_SIDE : SERVER_SIDE;

    pair_send(loop, from, binary, size, LWS_WRITE_BINARY | LWS_WRITE_NO_FIN);
    pair_send(loop, from, "ping", 4, LWS_WRITE_PING);
    pair_send(loop, from, binary + size, size, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN);
    pair_send(loop, from, NULL, 0, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN);
    pair_send(loop, from, NULL, 0, LWS_WRITE_PING);
    pair_send(loop, from, binary + 2 * size, size, LWS_WRITE_CONTINUATION);
    pair_expect(loop, to, 0, binary, 3 * size);
    if (from == CLIENT_SIDE) {
        server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE_PONG, 2);
        ck_assert_str_eq(
            (char *)server_record(loop, LWS_CALLBACK_CLIENT_RECEIVE_PONG, 0)->bytes, "ping");
    }
    stream_finish(loop);
    free(binary);
}
END_TEST

enum { MANY = 400 };

/* All in one callback, so that they are gathered. */
static int answer_with_many(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    bool asked = reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_CLIENT_RECEIVE;
    unsigned char *bytes;

    (void)context;
    (void)user;
    if (!asked || len != 2 || memcmp(in, "go", 2) != 0)
        return 0;
    bytes = noise(MANY * 16);
    for (size_t i = 0; i < MANY; i++)
        ck_assert_int_eq(send_bytes(wsi, bytes, i * 16, LWS_WRITE_BINARY), (int)i * 16);
    free(bytes);
    return 0;
}

START_TEST(gathers_many_writes)
{
    struct server_options options = {.extras = {.max_backlog = 8000000}};
    enum side from = (enum side)_i;
    enum side to = from == SERVER_SIDE ? CLIENT_SIDE : SERVER_SIDE;
    unsigned char *bytes = noise(MANY * 16);
    struct server *loop;

    pair_hook = answer_with_many;
    loop = stream_open(&options);
    pair_carry(loop, to, "go", 2, LWS_WRITE_BINARY);
    for (size_t i = 0; i < MANY; i++)
        pair_expect(loop, to, i, bytes, i * 16);
    stream_finish(loop);
    free(bytes);
}
END_TEST

/* A reader that takes nothing for a while. */
struct flow {
    enum side side;
    int enable;
};

static void set_flow(struct server *loop, void *argument)
{
    const struct flow *flow = argument;

    (void)loop;
    ck_assert_int_eq(libwebsocket_rx_flow_control(ends[flow->side].wsi, flow->enable), 0);
}

START_TEST(waits_for_a_slow_reader)
{
    struct server_options options = {.send_buffer = 8192, .extras = {.max_backlog = 300000}};
    struct server *loop = stream_open(&options);
    enum side from = (enum side)_i;
    enum side to = from == SERVER_SIDE ? CLIENT_SIDE : SERVER_SIDE;
    struct flow flow = {.side = to, .enable = 0};
    size_t size = harness_scale(50000, 5000);
    size_t sent = 0, most = harness_cut() ? 100 : SIZE_MAX;
    unsigned char *bytes = noise(size);
    int error = 0;

    server_run(loop, set_flow, &flow);
    while (sent < most &&
           pair_write(loop, from, bytes, size - sent % 7, LWS_WRITE_BINARY, &error) >= 0)
        sent++;
    ck_assert(sent == most || error == EAGAIN);
    ck_assert_uint_gt(sent, 3);
    /* What was refused is not in the stream. */
    if (sent < most)
        ck_assert_int_eq(pair_write(loop, from, bytes, 9, LWS_WRITE_BINARY, &error), -1);
    flow.enable = 1;
    server_run(loop, set_flow, &flow);
    for (size_t i = 0; i < sent; i++)
        pair_expect(loop, to, i, bytes, size - i % 7);
    pair_carry(loop, from, bytes, size, LWS_WRITE_BINARY);
    stream_finish(loop);
    free(bytes);
}
END_TEST

static unsigned int stops;

static void go_on(struct server *loop, void *argument)
{
    (void)loop;
    (void)argument;
    if (ends[SERVER_SIDE].wsi != NULL)
        ck_assert_int_eq(libwebsocket_rx_flow_control(ends[SERVER_SIDE].wsi, 1), 0);
}

/* Stops with each piece, and is let go on from outside, or in the same callback. */
static int stop_often(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_RECEIVE)
        return 0;
    ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
    if (++stops % 3 == 0)
        ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 1), 0);
    else
        server_post(server_here(), go_on, NULL);
    return 0;
}

/* A few compressed bytes that become many pieces. */
START_TEST(stops_and_goes_on)
{
    size_t size = harness_scale(1500000, 100000);
    unsigned char *zeros = calloc(1, size);
    struct server *loop;

    ck_assert_ptr_nonnull(zeros);
    pair_hook = stop_often;
    loop = stream_open(NULL);
    for (int i = 0; i < 3; i++)
        pair_send(loop, CLIENT_SIDE, zeros, size - (size_t)i, LWS_WRITE_BINARY);
    for (int i = 0; i < 3; i++)
        pair_expect(loop, SERVER_SIDE, (size_t)i, zeros, size - (size_t)i);
    ck_assert_uint_ge(stops, 3 * (size / 4096));
    stream_finish(loop);
    free(zeros);
}
END_TEST

START_TEST(closes_from_either_side)
{
    struct server *loop = stream_open(NULL);
    enum side side = _i % 2 == 0 ? SERVER_SIDE : CLIENT_SIDE;
    size_t size = harness_scale(70000, 4000);
    unsigned char *bytes = noise(size);

    /* What was written before arrives before. */
    pair_send(loop, side, bytes, size, LWS_WRITE_BINARY);
    pair_close(loop, side, 3456, "enough of it");
    pair_wait_closed(loop);
    ck_assert_uint_eq(ends[1 - side].count, 1);
    ck_assert_mem_eq(ends[1 - side].messages[0].bytes, bytes, size);
    for (int i = 0; i < SIDES; i++) {
        ck_assert_int_eq(ends[i].close_code, 3456);
        ck_assert_str_eq(ends[i].close_reason, "enough of it");
    }
    stream_stop(loop);
    free(bytes);
}
END_TEST

static int greet(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_ESTABLISHED || reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        ck_assert_int_eq(lws_extension_is_active(wsi, "deflate-stream"), 1);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(send_text(wsi, "welcome"), 7);
    }
    return 0;
}

START_TEST(begins_right_behind_the_handshake)
{
    struct server *loop;

    pair_hook = greet;
    loop = stream_open(NULL);
    for (size_t i = 0; i < 3; i++) {
        pair_expect(loop, SERVER_SIDE, i, "welcome", 7);
        pair_expect(loop, CLIENT_SIDE, i, "welcome", 7);
    }
    stream_finish(loop);
}
END_TEST

/* A peer by hand, which inflates whatever comes. */
struct stream_peer {
    struct ws_client *client;
    z_stream in;
    z_stream out;
};

static void peer_begin(struct stream_peer *peer)
{
    *peer = (struct stream_peer){.client = NULL};
    ck_assert_int_eq(inflateInit2(&peer->in, -15), Z_OK);
    ck_assert_int_eq(deflateInit2(&peer->out, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

static void peer_end(struct stream_peer *peer)
{
    ck_assert_int_eq(inflateEnd(&peer->in), Z_OK);
    (void)deflateEnd(&peer->out);
    ws_free(peer->client);
}

/* Compresses behind what is in `text` already; returns the new length. */
static size_t peer_pack(struct stream_peer *peer, unsigned char *text, size_t length, size_t room,
    const unsigned char *bytes, size_t count)
{
    unsigned char *copy = malloc(count + 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, count);
    peer->out.next_in = copy;
    peer->out.avail_in = (uInt)count;
    peer->out.next_out = text + length;
    peer->out.avail_out = (uInt)(room - length);
    ck_assert_int_eq(deflate(&peer->out, Z_SYNC_FLUSH), Z_OK);
    ck_assert_uint_gt(peer->out.avail_out, 0);
    free(copy);
    return room - peer->out.avail_out;
}

/* Inflates exactly so many bytes. */
static void peer_receive(struct stream_peer *peer, unsigned char *bytes, size_t count)
{
    unsigned char byte;

    peer->in.next_out = bytes;
    peer->in.avail_out = (uInt)count;
    while (peer->in.avail_out > 0) {
        ws_receive(peer->client, &byte, 1);
        peer->in.next_in = &byte;
        peer->in.avail_in = 1;
        ck_assert_int_ge(inflate(&peer->in, Z_SYNC_FLUSH), Z_OK);
    }
}

static void destroy(struct server *loop, void *argument)
{
    (void)argument;
    server_destroy_context(loop);
}

/* The last frame goes through the extension as any other. */
START_TEST(says_goodbye_as_the_context_ends)
{
    static const unsigned char goodbye[] = {0x88, 2, 0x03, 0xe9};
    struct server *loop = stream_start(NULL);
    struct stream_peer peer;
    unsigned char bytes[sizeof goodbye];

    if (harness_refuses_io()) {
        stream_stop(loop);
        return;
    }
    peer_begin(&peer);
    peer.client = raw_extended(loop, "deflate-stream");
    server_run(loop, destroy, NULL);
    peer_receive(&peer, bytes, sizeof bytes);
    ck_assert_mem_eq(bytes, goodbye, sizeof goodbye);
    stream_stop(loop);
    peer_end(&peer);
}
END_TEST

START_TEST(ends_with_the_context)
{
    struct server *loop = stream_open(NULL);
    size_t size = harness_scale(70000, 4000);
    unsigned char *bytes = noise(size);

    for (int side = 0; side < SIDES; side++)
        pair_send(loop, (enum side)side, bytes, size, LWS_WRITE_BINARY);
    server_run(loop, destroy, NULL);
    pair_wait_closed(loop);
    stream_stop(loop);
    free(bytes);
}
END_TEST

/* The client does not wait for the answer, and so the bytes come with the request. */
START_TEST(takes_what_comes_with_the_request)
{
    struct server *loop = stream_start(NULL);
    unsigned char message[WS_HEADER_MOST + 64];
    unsigned char sent[4096];
    char *request = ws_handshake_text("/", "pair", "Sec-WebSocket-Extensions: deflate-stream\r\n");
    size_t length = strlen(request);
    struct ws_response response;
    struct stream_peer peer;

    peer_begin(&peer);
    peer.client = ws_connect(server_port(loop));
    memcpy(sent, request, length);
    for (int i = 0; i < 3; i++) {
        size_t framed = ws_put_frame(peer.client, message, WS_FIN | WS_TEXT, "at once", 7);

        length = peer_pack(&peer, sent, length, sizeof sent, message, framed);
    }
    ws_send(peer.client, sent, length);
    response = ws_receive_head(peer.client);
    ck_assert_int_eq(response.status, 101);
    ws_response_free(&response);
    for (size_t i = 0; i < 3; i++)
        pair_expect(loop, SERVER_SIDE, i, "at once", 7);
    pair_send(loop, SERVER_SIDE, "an answer", 9, LWS_WRITE_TEXT);
    peer_receive(&peer, message, 11);
    ck_assert_mem_eq(message,
        "\x81\x09"
        "an answer",
        11);
    peer_end(&peer);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    stream_stop(loop);
    free(request);
}
END_TEST

START_TEST(fails_where_the_stream_is_none)
{
    static const unsigned char wrong[] = {0xff, 0xff, 0xff, 0xff};
    static const unsigned char failed[] = {0x88, 0, 0x03, 0xea};
    struct server *loop = stream_start(NULL);
    struct ws_client *beside = beside_open(loop);
    struct stream_peer peer;
    unsigned char bytes[128];
    size_t rest;

    beside_expect_well(beside);
    peer_begin(&peer);
    peer.client = raw_extended(loop, "deflate-stream");
    ws_send(peer.client, wrong, sizeof wrong);
    peer_receive(&peer, bytes, 4);
    ck_assert_uint_eq(bytes[0], failed[0]);
    ck_assert_uint_ge(bytes[1], 2);
    ck_assert_mem_eq(bytes + 2, failed + 2, 2);
    peer_receive(&peer, bytes, (size_t)bytes[1] - 2);
    /* The end of the flush has no bytes in it. */
    free(ws_receive_all(peer.client, &rest));
    ck_assert_uint_le(rest, 5);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    beside_expect_well(beside);
    ws_finish(beside);
    ws_free(beside);
    peer_end(&peer);
    stream_stop(loop);
}
END_TEST

/* Frames of no bytes that a bomb is full of take their turn as well. */
static unsigned long call_of_it;
static size_t made_in_call;
static size_t most_made_in_call;

static extension_callback_function *inner;

static int measure(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    int result = inner(context, ext, wsi, reason, user, in, len);

    if (reason != LWS_EXT_CALLBACK_PACKET_RX_PREPARSE)
        return result;
    if (server_service_calls() != call_of_it) {
        call_of_it = server_service_calls();
        made_in_call = 0;
    }
    made_in_call += (size_t)((struct lws_tokens *)in)->token_len;
    if (made_in_call > most_made_in_call)
        most_made_in_call = made_in_call;
    return result;
}

START_TEST(leaves_the_loop_to_others)
{
    static const unsigned char pong[] = {0x8a, 0x80, 1, 2, 3, 4};
    enum { PONGS = 2000000 };
    size_t count = harness_scale(PONGS, 200000);
    struct server *loop;
    struct ws_client *beside;
    struct stream_peer peer;
    unsigned char *bytes = malloc(count * sizeof pong);
    unsigned char *sent = malloc(count);
    size_t length;

    ck_assert(bytes != NULL && sent != NULL);
    given_extensions = deflate_stream(&counts);
    inner = given_extensions[0].callback;
    given_extensions[0].callback = measure;
    loop = pair_start(NULL);
    beside = beside_open(loop);
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + i * sizeof pong, pong, sizeof pong);
    peer_begin(&peer);
    peer.client = raw_extended(loop, "deflate-stream");
    length = peer_pack(&peer, sent, 0, count, bytes, count * sizeof pong);
    bytes[0] = 0x81;
    bytes[1] = 0x80;
    length = peer_pack(&peer, sent, length, count, bytes, sizeof pong);
    ws_send(peer.client, sent, length);
    beside_expect_well(beside);
    pair_expect(loop, SERVER_SIDE, 0, NULL, 0);
    ck_assert_msg(
        most_made_in_call < 1000000, "%zu bytes were made in one service call", most_made_in_call);
    ws_finish(beside);
    ws_free(beside);
    peer_end(&peer);
    server_wait(loop, LWS_CALLBACK_CLOSED, 2);
    stream_stop(loop);
    free(bytes);
    free(sent);
}
END_TEST

Suite *extension_stream_suite(void)
{
    Suite *suite = suite_create("extension stream");
    TCase *test_case = harness_case("deflate-stream");
    int size_count = (int)(sizeof sizes / sizeof sizes[0]);

    tcase_add_loop_test(test_case, carries_messages, 0, size_count);
    tcase_add_loop_test(test_case, carries_fragments_and_pings, 0, SIDES);
    tcase_add_loop_test(test_case, gathers_many_writes, 0, SIDES);
    tcase_add_loop_test(test_case, waits_for_a_slow_reader, 0, SIDES);
    tcase_add_test(test_case, stops_and_goes_on);
    tcase_add_loop_test(test_case, closes_from_either_side, 0, SIDES);
    tcase_add_test(test_case, begins_right_behind_the_handshake);
    tcase_add_test(test_case, says_goodbye_as_the_context_ends);
    tcase_add_test(test_case, ends_with_the_context);
    tcase_add_test(test_case, takes_what_comes_with_the_request);
    tcase_add_test(test_case, fails_where_the_stream_is_none);
    tcase_add_test(test_case, leaves_the_loop_to_others);
    suite_add_tcase(suite, test_case);
    return suite;
}
