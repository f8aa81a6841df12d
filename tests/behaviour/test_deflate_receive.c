/* How compressed messages are delivered: pieces, fragments, text, flow control. */
#include <stdlib.h>
#include <unistd.h>

#include "deflate_ground.h"
#include "suites.h"

#define PMD "permessage-deflate"
#define ANY "; client_max_window_bits"
#define KEEP (LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE)

/* What is being received; on the loop's thread but for the time between two messages. */
static struct delivery {
    const unsigned char *message;
    size_t length;
    size_t frames;
    bool binary;

    size_t got;
    size_t pieces;
    size_t frames_ended;
} delivery;

static size_t piece_size_of(struct libwebsocket *wsi)
{
    size_t size = libwebsockets_get_protocol(wsi)->rx_buffer_size;

    return size == 0 ? 4096 : size;
}

/* Check writes down each assertion, of which there would be many here. */
static void expect(bool is_so, const char *what)
{
    if (!is_so)
        ck_abort_msg("piece %zu, at byte %zu of %zu: %s", delivery.pieces, delivery.got,
            delivery.length, what);
}

/* Checks each piece, and says "ok" behind the last one of a message. */
static int checking_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    size_t remaining, piece;
    bool final;

    (void)context;
    (void)user;
    if (reason != LWS_CALLBACK_RECEIVE && reason != LWS_CALLBACK_CLIENT_RECEIVE)
        return 0;
    remaining = libwebsockets_remaining_packet_payload(wsi);
    piece = piece_size_of(wsi);
    final = libwebsocket_is_final_fragment(wsi);
    expect(delivery.got + len <= delivery.length, "too much");
    expect(memcmp(in, delivery.message + delivery.got, len) == 0, "other bytes");
    expect(((const char *)in)[len] == '\0', "no NUL behind it");
    expect(lws_frame_is_binary(wsi) == delivery.binary, "another kind");
    expect(len <= piece, "larger than rx_buffer_size");
    expect(remaining == 0 || len == piece, "smaller than rx_buffer_size, and not the last");
    delivery.got += len;
    delivery.pieces++;
    expect(!final || (remaining > 0) == (delivery.got < delivery.length), "is it the last?");
    delivery.frames_ended += remaining == 0;
    if (!final || remaining > 0) {
        expect(len > 0, "nothing in it");
        return 0;
    }
    expect(delivery.frames_ended <= delivery.frames, "more frames than were sent");
    ck_assert_int_eq(send_text(wsi, "ok"), 2);
    return 0;
}

static struct libwebsocket_protocols checking_protocols[] = {
    {.name = "http", .callback = discard_callback},
    {.name = "1", .callback = checking_callback, .rx_buffer_size = 1},
    {.name = "7", .callback = checking_callback, .rx_buffer_size = 7},
    {.name = "100", .callback = checking_callback, .rx_buffer_size = 100},
    {.name = "0", .callback = checking_callback},
    {.name = "65536", .callback = checking_callback, .rx_buffer_size = 65536},
    {.name = "1000000", .callback = checking_callback, .rx_buffer_size = 1000000},
    {.name = NULL},
};

static void await(const unsigned char *message, size_t length, size_t frames, bool binary)
{
    delivery =
        (struct delivery){.message = message, .length = length, .frames = frames, .binary = binary};
}

static void expect_ok(struct deflate_peer *peer)
{
    ws_expect_text(peer->ws, "ok");
    ck_assert_uint_eq(delivery.got, delivery.length);
}

static struct deflate_end start_checking(enum deflate_role role, unsigned int takeover)
{
    struct server_options options = {.protocols = checking_protocols,
        .unlogged = true,
        .extras = {.deflate_takeover = takeover}};

    return deflate_start(role, &options);
}

static const size_t sizes[] = {
    1, 2, 99, 100, 101, 200, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 1048576, 4194304};

enum { KINDS = 3 };

static unsigned char *make(int kind, size_t size)
{
    unsigned char *zeros;

    if (kind == 0)
        return deflate_prose(size, 3);
    if (kind == 1)
        return deflate_noise(size, 3);
    zeros = calloc(1, size + 1);
    ck_assert_ptr_nonnull(zeros);
    return zeros;
}

/* A frame's pieces are full but for its last one, whatever its size. */
START_TEST(brings_pieces)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct deflate_end end = start_checking(role, _i % 4 < 2 ? KEEP : 0);
    size_t size = sizes[_i / 2];

    if (size > harness_scale(size, 5000))
        size = 5000;
    for (int i = 1; checking_protocols[i].callback != NULL; i++) {
        size_t piece = (size_t)strtoul(checking_protocols[i].name, NULL, 10);
        struct deflate_peer peer;

        if (piece == 0)
            piece = 4096;
        if (size / piece > 5000)
            continue;
        peer =
            deflate_connect(&end, checking_protocols[i].name, role == ROLE_SERVER ? PMD ANY : NULL);
        for (int kind = 0; kind < KINDS; kind++) {
            unsigned char *message = make(kind, size);

            await(message, size, 1, true);
            deflate_send(&peer, WS_FIN | WS_BINARY, message, size);
            expect_ok(&peer);
            ck_assert_uint_eq(delivery.pieces, (size + piece - 1) / piece);
            free(message);
        }
        deflate_finish(&end, &peer);
    }
    deflate_stop(&end);
}
END_TEST

/* The same with a flush between two fragments: each frame's pieces by themselves. */
START_TEST(brings_pieces_of_fragments)
{
    enum deflate_role role = (enum deflate_role)_i;
    static const size_t parts[] = {250, 100, 1, 0, 99, 300, 0};
    struct deflate_end end = start_checking(role, KEEP);
    struct deflate_peer peer = deflate_connect(&end, "100", role == ROLE_SERVER ? PMD : NULL);
    unsigned char *prose = deflate_prose(750, 1);
    size_t at = 0;

    await(prose, 750, 7, false);
    for (size_t i = 0; i < 7; i++) {
        deflate_send(&peer, (i == 0 ? WS_TEXT : WS_CONTINUATION) | (i == 6 ? WS_FIN : 0),
            prose + at, parts[i]);
        at += parts[i];
    }
    expect_ok(&peer);
    /* 3, 1, 1, none for what is empty, 1, 3, and the empty end. */
    ck_assert_uint_eq(delivery.pieces, 10);
    ck_assert_uint_eq(delivery.frames_ended, 6);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* Nothing holds a sender to cut where its compressor was flushed. */
START_TEST(takes_fragments_cut_anywhere)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct deflate_end end = start_checking(role, 0);
    struct deflate_peer peer =
        deflate_connect(&end, _i < 2 ? "7" : "0", role == ROLE_SERVER ? PMD : NULL);
    size_t size = harness_scale(3000, 300);
    unsigned char *prose = deflate_prose(size, 1);
    size_t length;
    unsigned char *packed = ws_deflate_pack(peer.deflate, prose, size, true, &length);

    for (size_t at = 0; at <= length; at++) {
        await(prose, size, 2, false);
        deflate_send_raw(&peer, WS_RSV1 | WS_TEXT, packed, at);
        ws_send_frame(peer.ws, WS_FIN | WS_PING, "between", 7);
        deflate_send_raw(&peer, WS_FIN | WS_CONTINUATION, packed + at, length - at);
        ws_expect_frame(peer.ws, WS_FIN | WS_PONG, "between", 7);
        expect_ok(&peer);
    }

    /* A byte in each, and empty ones between them. */
    await(prose, size, 2 * length + 1, false);
    for (size_t i = 0; i < length; i++) {
        deflate_send_raw(&peer, i == 0 ? WS_RSV1 | WS_TEXT : WS_CONTINUATION, packed + i, 1);
        deflate_send_raw(&peer, WS_CONTINUATION, NULL, 0);
    }
    deflate_send_raw(&peer, WS_FIN | WS_CONTINUATION, NULL, 0);
    expect_ok(&peer);
    free(packed);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

START_TEST(takes_frames_that_come_byte_by_byte)
{
    struct deflate_end end = start_checking(ROLE_SERVER, 0);
    struct deflate_peer peer = deflate_connect(&end, "7", PMD);
    unsigned char *prose = deflate_prose(1000, 1);
    unsigned char out[WS_HEADER_MOST + 1000];
    size_t length;
    unsigned char *packed = ws_deflate_pack(peer.deflate, prose, 1000, true, &length);
    size_t total = ws_put_frame(peer.ws, out, WS_FIN | WS_RSV1 | WS_TEXT, packed, length);

    await(prose, 1000, 1, false);
    for (size_t i = 0; i < total; i++)
        ws_send(peer.ws, out + i, 1);
    expect_ok(&peer);
    for (size_t at = 1; at < total; at++) {
        await(prose, 1000, 1, false);
        ws_send(peer.ws, out, at);
        ws_send(peer.ws, out + at, total - at);
        expect_ok(&peer);
    }
    free(packed);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

#define BYTES(text) (text), sizeof(text) - 1

/* The examples of RFC 7692 section 7.2.3, as payloads, and others that are as good. */
static const struct {
    const char *packed;
    size_t length;
    const char *text;
    bool refers; /* to the message before, which is the first */
} examples[] = {
    {BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello", false},
    {BYTES("\xf2\x00\x11\x00\x00"), "Hello", true},
    {BYTES("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello", false},
    {BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello", false},
    {BYTES("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), "Hello", false},
    {BYTES("\x00"), "", false},
    {BYTES("\x02\x00"), "", false},
    {BYTES("\x00\x00\x00\xff\xff\x00"), "", false},
    {BYTES("\x01\x00\x00\xff\xff\x00"), "", false},
    {BYTES("\x03\x00\x03\x00\x03\x00\x00"), "", false},
    {BYTES("\x03\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x03\x00\x00"), "Hello", false},
};

START_TEST(takes_the_examples)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct deflate_end end = start_checking(role, KEEP);
    struct deflate_peer peer = deflate_connect(&end, "0", PMD);
    const unsigned char *text = (const unsigned char *)examples[_i / 2].text;
    const char *packed = examples[_i / 2].packed;
    size_t length = examples[_i / 2].length;

    if (examples[_i / 2].refers) {
        await(text, strlen(examples[0].text), 1, false);
        deflate_send_raw(&peer, WS_FIN | WS_RSV1 | WS_TEXT, examples[0].packed, examples[0].length);
        expect_ok(&peer);
    }
    for (size_t at = 0; at < (examples[_i / 2].refers ? 1 : length); at++) {
        await(text, strlen(examples[_i / 2].text), at == 0 ? 1 : 2, false);
        if (at > 0)
            deflate_send_raw(&peer, WS_RSV1 | WS_TEXT, packed, at);
        deflate_send_raw(&peer, WS_FIN | (at > 0 ? WS_CONTINUATION : WS_RSV1 | WS_TEXT),
            packed + at, length - at);
        expect_ok(&peer);
        ck_assert_uint_le(delivery.pieces, at == 0 ? 1 : 2);
    }
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* Messages that are not compressed come between those that are, and do not disturb them. */
START_TEST(takes_messages_that_are_not_compressed)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct deflate_end end = start_checking(role, _i < 2 ? KEEP : 0);
    struct deflate_peer peer = deflate_connect(&end, "100", role == ROLE_SERVER ? PMD : NULL);
    unsigned char *prose = deflate_prose(1000, 1);

    for (size_t i = 0; i < 5; i++) {
        await(prose + i, 900, 1, false);
        deflate_send(&peer, WS_FIN | WS_TEXT, prose + i, 900);
        expect_ok(&peer);
        ck_assert_uint_eq(delivery.pieces, 9);
        await(prose, 850, 2, true);
        ws_send_frame(peer.ws, WS_BINARY, prose, 450);
        ws_send_frame(peer.ws, WS_FIN | WS_CONTINUATION, prose + 450, 400);
        expect_ok(&peer);
        ck_assert_uint_eq(delivery.pieces, 9);
        await(prose, 0, 1, false);
        ws_send_frame(peer.ws, WS_FIN | WS_TEXT, NULL, 0);
        expect_ok(&peer);
    }
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* Each piece is written straight back from where it lies, padding and all, and compressed again. */
START_TEST(pieces_are_written_back_from_where_they_lie)
{
    struct server_options options = {.extras = {.deflate_threshold = 1, .max_backlog = 16 << 20}};
    struct deflate_end end = deflate_start((enum deflate_role)(_i % 2), &options);
    struct deflate_peer peer =
        deflate_connect(&end, "pieces", end.role == ROLE_SERVER ? PMD : NULL);
    size_t size = _i < 2 ? 950 : harness_scale(100050, 2050);
    unsigned char *prose = deflate_prose(size, 1);

    deflate_transparently(&peer);
    ws_send_frame(peer.ws, WS_FIN | WS_TEXT, prose, size);
    for (size_t at = 0; at < size; at += 100)
        ws_expect_frame(peer.ws,
            (at == 0 ? WS_TEXT : WS_CONTINUATION) | (at + 100 >= size ? WS_FIN : 0), prose + at,
            size - at < 100 ? size - at : 100);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* --- Text */

static const char *const good_texts[] = {
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5 \xf0\x90\x80\x80-\xf4\x8f\xbf\xbf",
    "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xed\x9f\xbf-\xee\x80\x80",
};

START_TEST(takes_text_cut_anywhere)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct deflate_end end = start_checking(role, 0);
    const unsigned char *text = (const unsigned char *)good_texts[_i / 2];
    size_t length = strlen(good_texts[_i / 2]);

    for (int i = 1; i < 4; i++) {
        struct deflate_peer peer =
            deflate_connect(&end, checking_protocols[i].name, role == ROLE_SERVER ? PMD : NULL);

        for (size_t at = 0; at <= length; at++) {
            await(text, length, 2, false);
            deflate_send(&peer, WS_TEXT, text, at);
            deflate_send(&peer, WS_FIN | WS_CONTINUATION, text + at, length - at);
            expect_ok(&peer);
        }
        deflate_finish(&end, &peer);
    }
    deflate_stop(&end);
}
END_TEST

static const char *const bad_texts[] = {
    "ok\xff",
    "ok\x80",
    "\xc0\xaf",
    "a\xc3(",
    "a\xed\xa0\x80",
    "a\xf4\x90\x80\x80",
    "a\xe0\x80\x80",
    "a\xf0\x8f\xbf\xbf",
    "abc\xe2\x82",
    "abcdefghijkl\xf0\x9f\x98",
    "abcd\xe2(",
};

START_TEST(refuses_text_that_is_not_utf8)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct deflate_end end = start_checking(role, 0);
    const unsigned char *text = (const unsigned char *)bad_texts[_i / 2];
    size_t length = strlen(bad_texts[_i / 2]);
    struct deflate_peer peer;

    for (int i = 1; i < 5; i++) {
        peer = deflate_connect(&end, checking_protocols[i].name, role == ROLE_SERVER ? PMD : NULL);
        await(text, length, 1, false);
        deflate_send(&peer, WS_FIN | WS_TEXT, text, length);
        ws_expect_close(peer.ws, 1007);
        deflate_free(&peer);
        server_wait(end.loop, LWS_CALLBACK_CLOSED, (size_t)i);
    }
    /* The same bytes are good in a binary message. */
    peer = deflate_connect(&end, "7", role == ROLE_SERVER ? PMD : NULL);
    await(text, length, 1, true);
    deflate_send(&peer, WS_FIN | WS_BINARY, text, length);
    expect_ok(&peer);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* Not only when the message, or the frame, is over. */
START_TEST(refuses_text_as_soon_as_it_is_seen)
{
    struct deflate_end end = start_checking(ROLE_SERVER, 0);
    struct deflate_peer peer = deflate_connect(&end, "0", PMD);
    static const unsigned char mask[4] = {1, 2, 3, 4};
    unsigned char out[WS_HEADER_MOST + 100];
    size_t length;
    unsigned char *packed = ws_deflate_pack(peer.deflate, "fine\xff", 5, false, &length);

    await((const unsigned char *)"fine", 4, 1, false);
    ws_send(peer.ws, out,
        ws_build_frame(out, WS_FIN | WS_RSV1 | WS_TEXT, mask, 2, 5000, packed, length));
    ws_expect_close(peer.ws, 1007);
    free(packed);
    deflate_free(&peer);
    server_wait(end.loop, LWS_CALLBACK_CLOSED, 1);
    deflate_stop(&end);
}
END_TEST

/* --- Flow control */

static int stopping_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_CLIENT_RECEIVE)
        ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
    return 0;
}

static struct libwebsocket_protocols stopping_protocols[] = {
    {.name = "stopping", .callback = stopping_callback, .rx_buffer_size = 100},
    {.name = "large", .callback = stopping_callback, .rx_buffer_size = 20000},
    {.name = NULL},
};

static void receive_again(struct server *loop, void *argument)
{
    (void)argument;
    ck_assert_int_eq(libwebsocket_rx_flow_control(server_last_wsi(loop), 1), 0);
}

static void expect_piece(
    struct deflate_end *end, size_t n, const unsigned char *bytes, size_t length, bool last)
{
    const struct server_record *record = server_record(end->loop, deflate_receive_reason(end), n);

    ck_assert_uint_eq(record->len, length);
    ck_assert_mem_eq(record->bytes, bytes, length);
    ck_assert_int_eq(record->remaining == 0, last);
    ck_assert_int_eq(record->final, 1);
}

/* The rest of a message comes piece by piece, by the engine's own doing: nothing more is sent. */
START_TEST(holds_back_what_is_inflated)
{
    struct server_options options = {.protocols = stopping_protocols};
    struct deflate_end end = deflate_start((enum deflate_role)(_i % 2), &options);
    size_t piece = _i < 2 ? 100 : 20000;
    struct deflate_peer peer =
        deflate_connect(&end, _i < 2 ? "stopping" : "large", end.role == ROLE_SERVER ? PMD : NULL);
    size_t size = 10 * piece + piece / 2;
    unsigned char *prose = deflate_prose(size, 1);
    size_t n = 0;

    if (harness_cut() && _i >= 2)
        memset(prose, 'x', size);
    deflate_send(&peer, WS_FIN | WS_TEXT, prose, size);
    deflate_send(&peer, WS_FIN | WS_TEXT, prose, piece + 1);
    for (; n < 11; n++) {
        expect_piece(&end, n, prose + n * piece, n < 10 ? piece : piece / 2, n == 10);
        if (n == 5) {
            /* All the rest is there already, and stays, and nobody turns round for it. */
            unsigned long calls = server_service_calls();

            usleep(50000);
            ck_assert_uint_le(server_service_calls() - calls, harness_cut() ? 1000 : 5);
        }
        ck_assert_uint_eq(server_count(end.loop, deflate_receive_reason(&end)), n + 1);
        server_run(end.loop, receive_again, NULL);
    }
    expect_piece(&end, n, prose, piece, false);
    server_run(end.loop, receive_again, NULL);
    expect_piece(&end, n + 1, prose + piece, 1, true);
    server_run(end.loop, receive_again, NULL);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* Closed, or gone, or destroyed while most of a message is still to be delivered. */
static void destroy_context(struct server *loop, void *argument)
{
    (void)argument;
    server_destroy_context(loop);
}

START_TEST(ends_while_held_back)
{
    struct server_options options = {
        .protocols = stopping_protocols, .extras = {.deflate_takeover = _i % 4 < 2 ? KEEP : 0}};
    struct deflate_end end = deflate_start((enum deflate_role)(_i % 2), &options);
    struct deflate_peer peer =
        deflate_connect(&end, "stopping", end.role == ROLE_SERVER ? PMD : NULL);
    unsigned char *prose = deflate_prose(200000, 1);

    memset(prose, 'x', 100000);
    deflate_send(&peer, WS_FIN | WS_TEXT, prose, 100000);
    server_wait(end.loop, deflate_receive_reason(&end), 1);
    switch (_i / 4) {
    case 0:
        server_run(end.loop, destroy_context, NULL);
        break;
    case 1:
        ws_reset(peer.ws);
        peer.ws = NULL;
        server_run(end.loop, receive_again, NULL);
        break;
    default:
        server_run(end.loop, receive_again, NULL);
        server_wait(end.loop, deflate_receive_reason(&end), 2);
        server_run(end.loop, destroy_context, NULL);
        break;
    }
    if (_i / 4 == 1)
        server_wait(end.loop, deflate_receive_reason(&end), 2);
    else
        server_wait(end.loop, LWS_CALLBACK_CLOSED, 1);
    free(prose);
    deflate_free(&peer);
    deflate_stop(&end);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

Suite *deflate_receive_suite(void)
{
    Suite *suite = suite_create("deflate receive");
    TCase *pieces = harness_case("pieces");
    TCase *text = harness_case("text");
    TCase *flow = harness_case("flow");

    tcase_add_loop_test(pieces, brings_pieces, 0, 2 * COUNT(sizes));
    tcase_add_loop_test(pieces, brings_pieces_of_fragments, 0, ROLES);
    tcase_add_loop_test(pieces, takes_fragments_cut_anywhere, 0, 4);
    tcase_add_test(pieces, takes_frames_that_come_byte_by_byte);
    tcase_add_loop_test(pieces, takes_the_examples, 0, 2 * COUNT(examples));
    tcase_add_loop_test(pieces, takes_messages_that_are_not_compressed, 0, 4);
    tcase_add_loop_test(pieces, pieces_are_written_back_from_where_they_lie, 0, 4);
    suite_add_tcase(suite, pieces);

    tcase_add_loop_test(text, takes_text_cut_anywhere, 0, 2 * COUNT(good_texts));
    tcase_add_loop_test(text, refuses_text_that_is_not_utf8, 0, 2 * COUNT(bad_texts));
    tcase_add_test(text, refuses_text_as_soon_as_it_is_seen);
    suite_add_tcase(suite, text);

    tcase_add_loop_test(flow, holds_back_what_is_inflated, 0, 4);
    tcase_add_loop_test(flow, ends_while_held_back, 0, 12);
    suite_add_tcase(suite, flow);
    return suite;
}
