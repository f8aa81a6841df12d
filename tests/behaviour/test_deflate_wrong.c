/*
 * What is no good as a compressed message: each fails its connection with the code that is due, and
 * a healthy one beside it does not notice.
 */
#include <stdlib.h>

#include "deflate_ground.h"
#include "suites.h"

#define PMD "permessage-deflate"
#define ANY "; client_max_window_bits"
#define KEEP (LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE)

#define BYTES(text) (text), sizeof(text) - 1

/* The end of the library's that is tested, with a healthy connection. */
struct ground {
    struct deflate_end end;
    struct deflate_peer healthy;
    struct deflate_peer subject;
};

static struct ground begin(
    enum deflate_role role, const struct server_options *options, const char *terms)
{
    struct ground ground = {.end = deflate_start(role, options)};

    ground.healthy = deflate_connect(&ground.end, "back", terms);
    deflate_transparently(&ground.healthy);
    deflate_expect_healthy(&ground.healthy);
    ground.subject = deflate_connect(&ground.end, "back", terms);
    return ground;
}

static void end_with(struct ground *ground, int code)
{
    size_t before = server_count(ground->end.loop, LWS_CALLBACK_CLOSED);
    const struct server_record *record;

    deflate_expect_healthy(&ground->healthy);
    ws_expect_close(ground->subject.ws, code);
    deflate_free(&ground->subject);
    deflate_expect_healthy(&ground->healthy);
    record = server_record(ground->end.loop, LWS_CALLBACK_CLOSED, before);
    ck_assert_int_eq(record->close_code, 1006);
    deflate_finish(&ground->end, &ground->healthy);
    deflate_stop(&ground->end);
}

static const char *usual(enum deflate_role role)
{
    return role == ROLE_SERVER ? PMD ANY : NULL;
}

/* Payloads of a compressed message that are not one. */
static const struct {
    const char *name;
    const char *packed;
    size_t length;
} broken[] = {
    {"no bytes at all", BYTES("")},
    {"a block type that is not used", BYTES("\x07\x00")},
    {"the same at the end of a good block", BYTES("\xf2\x48\xcd\xc9\xc9\x07\x06\x00")},
    {"a stored block's length and its complement",
        BYTES("\x00\x05\x00\xfb\xff\x48\x65\x6c\x6c\x6f")},
    {"a stored block that is cut off", BYTES("\x00\x05\x00\xfa\xff\x48\x65\x6c")},
    {"a stored block's length that is cut off", BYTES("\x00\x05\x00\xfa")},
    {"a stored block at the very end", BYTES("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f")},
    {"a fixed block that is cut off", BYTES("\xf2\x48\xcd\xc9")},
    {"a fixed block without its end", BYTES("\xf2\x48\xcd\xc9\xc9")},
    {"the tail that is to be left out", BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff")},
    {"a distance to before the beginning", BYTES("\xf2\x00\x11\x00\x00")},
    {"a distance that does not exist", BYTES("\x4b\x84\xff\xff\xff\xff")},
    {"too many lengths", BYTES("\xfc\x00\x00\x00\x00\x00")},
    {"lengths that are no code", BYTES("\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")},
    {"lengths that repeat nothing", BYTES("\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
    {"text", BYTES("This is plain text, for all that the reserved bit says.")},
    {"a zlib header", BYTES("\x78\x9c\xf2\x48\xcd\xc9\xc9\x07\x00")},
    {"a gzip header",
        BYTES("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xf2\x48\xcd\xc9\xc9\x07\x00")},
};

START_TEST(what_does_not_inflate)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct ground ground = begin(role, NULL, usual(role));

    deflate_send_raw(&ground.subject, WS_FIN | WS_RSV1 | WS_BINARY, broken[_i / 2].packed,
        broken[_i / 2].length);
    end_with(&ground, 1007);
}
END_TEST

/* In the second frame of a message, and behind other messages. */
START_TEST(what_does_not_inflate_any_more)
{
    struct server_options options = {.extras = {.deflate_takeover = _i % 2 == 0 ? 0 : KEEP}};
    struct ground ground = begin(ROLE_SERVER, &options, PMD);

    if (broken[_i / 2].length > 0) {
        deflate_send(&ground.subject, WS_FIN | WS_TEXT, "", 0);
        ws_expect_frame(ground.subject.ws, WS_FIN | WS_TEXT, "", 0);
        deflate_send_raw(&ground.subject, WS_RSV1 | WS_BINARY, "\x00\x00\x00\xff\xff", 5);
        deflate_send_raw(&ground.subject, WS_CONTINUATION, NULL, 0);
    } else {
        deflate_send_raw(&ground.subject, WS_RSV1 | WS_BINARY, NULL, 0);
    }
    deflate_send_raw(
        &ground.subject, WS_FIN | WS_CONTINUATION, broken[_i / 2].packed, broken[_i / 2].length);
    end_with(&ground, 1007);
}
END_TEST

/* A message that ends anywhere but at its end. */
START_TEST(streams_that_are_cut_off)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct deflate_end end = deflate_start(role, NULL);
    struct deflate_peer healthy = deflate_connect(&end, "back", usual(role));
    unsigned char *prose = deflate_prose(300, 1);
    size_t length = 0;

    for (size_t at = 1; at == 1 || at < length; at++) {
        struct deflate_peer peer = deflate_connect(&end, "back", usual(role));
        unsigned char *packed = ws_deflate_pack(peer.deflate, prose, 300, true, &length);

        if (_i < 2) {
            deflate_send_raw(&peer, WS_FIN | WS_RSV1 | WS_TEXT, packed, at);
        } else {
            deflate_send_raw(&peer, WS_RSV1 | WS_TEXT, packed, at);
            deflate_send_raw(&peer, WS_FIN | WS_CONTINUATION, NULL, 0);
        }
        /* The last bits of the last byte but one may be all that is needed. */
        if (at + 1 < length)
            ws_expect_close(peer.ws, 1007);
        free(packed);
        deflate_free(&peer);
    }
    deflate_expect_healthy(&healthy);
    free(prose);
    server_wait(end.loop, LWS_CALLBACK_CLOSED, length - 1);
    deflate_finish(&end, &healthy);
    deflate_stop(&end);
}
END_TEST

/* Bits where they are not agreed on, whatever else is in the frame. */
static const struct {
    const char *name;
    unsigned int before; /* a fragment that begins a message, or 0 */
    unsigned int first;
} bits[] = {
    {"RSV1 on a ping", 0, WS_FIN | WS_RSV1 | WS_PING},
    {"RSV1 on a pong", 0, WS_FIN | WS_RSV1 | WS_PONG},
    {"RSV1 on a close", 0, WS_FIN | WS_RSV1 | WS_CLOSE},
    {"RSV1 on a ping inside a message", WS_RSV1 | WS_TEXT, WS_FIN | WS_RSV1 | WS_PING},
    {"RSV1 on a continuation", WS_RSV1 | WS_TEXT, WS_FIN | WS_RSV1 | WS_CONTINUATION},
    {"RSV1 on a continuation in the middle", WS_RSV1 | WS_TEXT, WS_RSV1 | WS_CONTINUATION},
    {"RSV1 on a continuation of what is not compressed", WS_BINARY,
        WS_FIN | WS_RSV1 | WS_CONTINUATION},
    {"RSV1 on a continuation of nothing", 0, WS_FIN | WS_RSV1 | WS_CONTINUATION},
    {"RSV1 on a message inside another", WS_RSV1 | WS_TEXT, WS_FIN | WS_RSV1 | WS_TEXT},
    {"RSV2", 0, WS_FIN | WS_RSV2 | WS_TEXT},
    {"RSV3", 0, WS_FIN | WS_RSV3 | WS_TEXT},
    {"RSV1 and RSV2", 0, WS_FIN | WS_RSV1 | WS_RSV2 | WS_TEXT},
    {"RSV1 and RSV3", 0, WS_FIN | WS_RSV1 | WS_RSV3 | WS_BINARY},
    {"RSV2 on a continuation", WS_RSV1 | WS_TEXT, WS_FIN | WS_RSV2 | WS_CONTINUATION},
    {"RSV1 with an opcode that is not used", 0, WS_FIN | WS_RSV1 | 0x3},
};

START_TEST(bits_where_they_do_not_belong)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct ground ground = begin(role, NULL, usual(role));

    if (bits[_i / 2].before != 0)
        deflate_send_raw(&ground.subject, bits[_i / 2].before, "\x00\x00\x00\xff\xff", 5);
    deflate_send_raw(&ground.subject, bits[_i / 2].first, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    end_with(&ground, 1002);
}
END_TEST

/* Before anything was agreed, or where nothing was. */
START_TEST(the_bit_without_the_extension)
{
    struct deflate_end end = deflate_start(ROLE_SERVER, NULL);
    struct deflate_peer healthy = deflate_connect(&end, "back", PMD);
    struct deflate_peer peer =
        deflate_connect(&end, "back", _i == 0 ? NULL : PMD "; server_max_window_bits=7");

    ck_assert_ptr_null(peer.answer);
    deflate_send_raw(&peer, WS_FIN | WS_RSV1 | WS_TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    ws_expect_close_and_answer(peer.ws, 1002);
    deflate_free(&peer);
    deflate_transparently(&healthy);
    deflate_expect_healthy(&healthy);
    deflate_finish(&end, &healthy);
    deflate_stop(&end);
}
END_TEST

/* Raw deflate of 32 KiB of a window, whatever was agreed; as one message, or as two. */
static void send_with_large_window(
    struct deflate_peer *peer, const unsigned char *bytes, size_t length, size_t first_part)
{
    const struct ws_deflate_terms largest = {0};
    struct ws_deflate *deflate = ws_deflate_new(&largest, false);
    size_t packed_length;
    unsigned char *packed;

    if (first_part > 0) {
        packed = ws_deflate_pack(deflate, bytes, first_part, true, &packed_length);
        deflate_send_raw(peer, WS_FIN | WS_RSV1 | WS_BINARY, packed, packed_length);
        free(packed);
    }
    packed =
        ws_deflate_pack(deflate, bytes + first_part, length - first_part, true, &packed_length);
    deflate_send_raw(peer, WS_FIN | WS_RSV1 | WS_BINARY, packed, packed_length);
    free(packed);
    ws_deflate_free(deflate);
}

/* Noise that repeats at a distance. */
static unsigned char *repeat_at(size_t distance, size_t length)
{
    unsigned char *bytes = deflate_noise(length, 5);

    for (size_t i = distance; i < length; i++)
        bytes[i] = bytes[i - distance];
    return bytes;
}

static void skip_message(struct deflate_peer *peer)
{
    struct ws_frame frame;

    ws_receive_frame(peer->ws, &frame);
    ck_assert_uint_eq(frame.first & 0xf, WS_BINARY);
    ws_frame_free(&frame);
}

/* The agreed window of what the library receives, for a server's side and a client's. */
START_TEST(a_window_larger_than_agreed)
{
    int window_bits = 8 + _i / 4;
    enum deflate_role role = (enum deflate_role)(_i % 2);
    bool two = _i % 4 >= 2;
    struct server_options options = {
        .extras = {.deflate_receive_window_bits = window_bits, .deflate_takeover = two ? KEEP : 0}};
    struct ground ground = begin(role, &options, usual(role));
    size_t window = (size_t)1 << window_bits;
    unsigned char *bytes;

    /* As far as agreed is good. */
    bytes = repeat_at(window, window + 200);
    send_with_large_window(&ground.subject, bytes, window + 200, two ? window : 0);
    if (two)
        skip_message(&ground.subject);
    skip_message(&ground.subject);
    free(bytes);

    /* Twice as far cannot be right in any way. */
    bytes = repeat_at(2 * window + 10, 2 * window + 600);
    send_with_large_window(&ground.subject, bytes, 2 * window + 600, two ? 2 * window + 10 : 0);
    if (two)
        skip_message(&ground.subject);
    free(bytes);
    end_with(&ground, 1007);
}
END_TEST

/* --- The limit */

static struct libwebsocket_protocols limit_protocols[] = {
    {.name = "first", .callback = discard_callback},
    {.name = "back", .callback = NULL},
    {.name = "100", .callback = discard_callback, .rx_buffer_size = 100},
    {.name = "1000", .callback = discard_callback, .rx_buffer_size = 1000},
    {.name = "large", .callback = discard_callback, .rx_buffer_size = 1 << 20},
    {.name = NULL},
};

/* Messages up to the limit are good, and one byte more is too large, whatever the pieces. */
START_TEST(messages_at_the_limit)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    size_t limit = harness_scale(100000, 2000);
    struct server_options options = {
        .protocols = limit_protocols, .extras = {.max_unpacked_size = limit}};
    struct deflate_end end;
    unsigned char *prose = deflate_prose(limit + 1, 1);
    struct deflate_peer healthy;

    limit_protocols[1] = deflate_protocols[1];
    if (_i >= 2)
        options.extras = (struct lws_context_extras){.max_message_size = limit};
    end = deflate_start(role, &options);
    healthy = deflate_connect(&end, "back", usual(role));
    deflate_transparently(&healthy);
    for (int i = 0; limit_protocols[i].name != NULL; i++) {
        struct deflate_peer peer;

        if (i == 1)
            continue;
        peer = deflate_connect(&end, limit_protocols[i].name, usual(role));
        deflate_send(&peer, WS_FIN | WS_TEXT, prose, limit);
        /* In two, the second of which begins anew. */
        deflate_send(&peer, WS_TEXT, prose, limit / 2);
        deflate_send(&peer, WS_FIN | WS_CONTINUATION, prose, limit - limit / 2);
        ws_send_frame(peer.ws, WS_FIN | WS_PING, "good", 4);
        ws_expect_frame(peer.ws, WS_FIN | WS_PONG, "good", 4);
        deflate_send(&peer, WS_FIN | WS_TEXT, prose, limit + 1);
        ws_expect_close(peer.ws, 1009);
        deflate_free(&peer);

        peer = deflate_connect(&end, limit_protocols[i].name, usual(role));
        deflate_send(&peer, WS_TEXT, prose, limit);
        deflate_send(&peer, WS_CONTINUATION, prose, 0);
        deflate_send(&peer, WS_CONTINUATION, prose, 1);
        ws_expect_close(peer.ws, 1009);
        deflate_free(&peer);
    }
    deflate_expect_healthy(&healthy);
    free(prose);
    deflate_finish(&end, &healthy);
    deflate_stop(&end);
}
END_TEST

/* The limit on messages is about what is sent for them. */
START_TEST(compressed_messages_at_the_other_limit)
{
    struct server_options options = {
        .extras = {.max_message_size = 1000, .max_unpacked_size = 100000}};
    struct ground ground = begin(ROLE_SERVER, &options, PMD);
    static const unsigned char zeros[100000];
    unsigned char *noise = deflate_noise(1200, 1);

    deflate_send(&ground.subject, WS_FIN | WS_BINARY, zeros, sizeof zeros);
    (void)deflate_expect(&ground.subject, WS_FIN | WS_RSV1 | WS_BINARY, zeros, sizeof zeros);
    deflate_send(&ground.subject, WS_FIN | WS_BINARY, noise, 1200);
    free(noise);
    end_with(&ground, 1009);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

Suite *deflate_wrong_suite(void)
{
    Suite *suite = suite_create("deflate wrong");
    TCase *streams = harness_case("streams");
    TCase *frames = harness_case("frames");
    TCase *limits = harness_case("limits");

    tcase_add_loop_test(streams, what_does_not_inflate, 0, 2 * COUNT(broken));
    tcase_add_loop_test(streams, what_does_not_inflate_any_more, 0, 2 * COUNT(broken));
    tcase_add_loop_test(streams, streams_that_are_cut_off, 0, 4);
    tcase_add_loop_test(streams, a_window_larger_than_agreed, 0, 4 * 6);
    suite_add_tcase(suite, streams);

    tcase_add_loop_test(frames, bits_where_they_do_not_belong, 0, 2 * COUNT(bits));
    tcase_add_loop_test(frames, the_bit_without_the_extension, 0, 2);
    suite_add_tcase(suite, frames);

    tcase_add_loop_test(limits, messages_at_the_limit, 0, 4);
    tcase_add_test(limits, compressed_messages_at_the_other_limit);
    suite_add_tcase(suite, limits);
    return suite;
}
