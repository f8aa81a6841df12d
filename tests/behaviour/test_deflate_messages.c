/* What permessage-deflate sends: takeover, windows, the threshold, fragments. Looked at on the
 * wire, for either role. */
#include <stdlib.h>

#include "deflate_ground.h"
#include "suites.h"

#define PMD "permessage-deflate"
#define ANY "; client_max_window_bits"
#define KEEP (LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE)

/* The settings and the terms that leave the library's side with takeover, or without. */
static const struct {
    enum deflate_role role;
    unsigned int takeover;
    const char *terms; /* NULL: what a client offers */
    bool kept;
} takeovers[] = {
    {ROLE_SERVER, 0, PMD, false},
    {ROLE_SERVER, LWS_DEFLATE_TAKEOVER_RECEIVE, PMD, false},
    {ROLE_SERVER, LWS_DEFLATE_TAKEOVER_SEND, PMD, true},
    {ROLE_SERVER, KEEP, PMD, true},
    {ROLE_SERVER, KEEP, PMD "; server_no_context_takeover", false},
    {ROLE_SERVER, KEEP, PMD "; client_no_context_takeover", true},
    {ROLE_CLIENT, 0, NULL, false},
    {ROLE_CLIENT, LWS_DEFLATE_TAKEOVER_RECEIVE, NULL, false},
    {ROLE_CLIENT, LWS_DEFLATE_TAKEOVER_SEND, NULL, true},
    {ROLE_CLIENT, KEEP, PMD, true},
    {ROLE_CLIENT, KEEP, PMD "; client_no_context_takeover", false},
    {ROLE_CLIENT, KEEP, PMD "; server_no_context_takeover", true},
    /* What it has said of itself holds, whatever the server repeats of it. */
    {ROLE_CLIENT, LWS_DEFLATE_TAKEOVER_RECEIVE, PMD, false},
};

START_TEST(the_second_equal_message)
{
    struct server_options options = {.extras = {.deflate_takeover = takeovers[_i].takeover}};
    struct deflate_end end = deflate_start(takeovers[_i].role, &options);
    struct deflate_peer peer = deflate_connect(&end, "first", takeovers[_i].terms);
    unsigned char *prose = deflate_prose(2000, 1);
    size_t sizes[3];

    for (int i = 0; i < 3; i++) {
        deflate_write(&end, prose, 2000, LWS_WRITE_TEXT);
        sizes[i] = deflate_expect(&peer, WS_FIN | WS_RSV1 | WS_TEXT, prose, 2000);
    }
    ck_assert_uint_lt(sizes[0], 1000);
    if (takeovers[_i].kept) {
        ck_assert_uint_lt(sizes[1], sizes[0] / 4);
        ck_assert_uint_lt(sizes[2], sizes[0] / 4);
    } else {
        ck_assert_uint_eq(sizes[1], sizes[0]);
        ck_assert_uint_eq(sizes[2], sizes[0]);
    }
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* Where the peer keeps its window, its messages refer to those before; where not, the library
 * forgets as well, and a reference to what was before is no good. */
START_TEST(what_is_received_refers_to_what_was_before)
{
    bool kept = _i % 2 == 1;
    enum deflate_role role = (enum deflate_role)(_i / 2);
    struct server_options options = {.extras = {.deflate_takeover = kept ? KEEP : 0}};
    struct deflate_end end = deflate_start(role, &options);
    struct deflate_peer peer = deflate_connect(&end, "first", role == ROLE_SERVER ? PMD ANY : NULL);
    const struct ws_deflate_terms keeps = {0};
    unsigned char *prose = deflate_prose(2000, 1);

    ws_deflate_free(peer.deflate);
    peer.deflate = ws_deflate_new(&keeps, role == ROLE_CLIENT);
    deflate_send(&peer, WS_FIN | WS_TEXT, prose, 2000);
    deflate_send(&peer, WS_FIN | WS_TEXT, prose, 2000);
    if (kept) {
        const struct server_record *record =
            server_record(end.loop, deflate_receive_reason(&end), 1);

        ck_assert_uint_eq(record->len, 2000);
        ck_assert_mem_eq(record->bytes, prose, 2000);
        deflate_finish(&end, &peer);
    } else {
        ws_expect_close(peer.ws, 1007);
        deflate_free(&peer);
        server_wait(end.loop, LWS_CALLBACK_CLOSED, 1);
        ck_assert_uint_eq(server_count(end.loop, deflate_receive_reason(&end)), 1);
    }
    free(prose);
    deflate_stop(&end);
}
END_TEST

/* The window of either side, from 8 to 15 bits; the other end has no more, and so would notice. */
START_TEST(windows)
{
    int bits = 8 + _i % 8;
    enum deflate_role role = (enum deflate_role)(_i / 8 % 2);
    unsigned int takeover = _i < 16 ? KEEP : 0;
    struct server_options options = {.extras = {.deflate_takeover = takeover,
                                         .deflate_send_window_bits = bits,
                                         .deflate_receive_window_bits = bits}};
    struct deflate_end end = deflate_start(role, &options);
    struct deflate_peer peer = deflate_connect(&end, "back", role == ROLE_SERVER ? PMD ANY : NULL);
    size_t window = (size_t)1 << bits;
    size_t most = harness_scale(3 * window, 3000);
    unsigned char *prose = deflate_prose(most + 3 * window, 3);
    unsigned char *noise = deflate_noise(window, 4);

    /* What repeats just within the window, and just beyond. */
    memcpy(prose + window / 2, noise, window / 2);
    memcpy(prose + most, noise, window);
    deflate_transparently(&peer);
    for (size_t size = 250; size < most + window; size = size * 2 + 1) {
        ws_send_frame(peer.ws, WS_FIN | WS_BINARY, prose, size);
        ws_expect_frame(peer.ws, WS_FIN | WS_BINARY, prose, size);
        ws_send_frame(peer.ws, WS_FIN | WS_BINARY, prose + window, size / 2);
        ws_expect_frame(peer.ws, WS_FIN | WS_BINARY, prose + window, size / 2);
    }
    free(noise);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* Sends a message and returns whether it was compressed. */
static bool is_compressed(struct deflate_end *end, struct deflate_peer *peer, const void *bytes,
    size_t length, unsigned int protocol)
{
    unsigned int kind = (protocol & 0xf) == LWS_WRITE_TEXT ? WS_TEXT : WS_BINARY;
    unsigned char *result = NULL;
    size_t have = 0;
    struct ws_frame frame;
    bool compressed;

    deflate_write(end, bytes, length, protocol);
    ws_receive_frame(peer->ws, &frame);
    compressed = (frame.first & WS_RSV1) != 0;
    ck_assert_uint_eq(frame.first & ~(unsigned int)WS_RSV1, WS_FIN | kind);
    ck_assert_uint_le(frame.length, length);
    if (compressed) {
        ck_assert_uint_lt(frame.length, length);
        ck_assert_ptr_null(
            ws_deflate_unpack(peer->deflate, frame.payload, frame.length, true, &result, &have));
        ck_assert_uint_eq(have, length);
        ck_assert_mem_eq(result, bytes, length);
    } else {
        ck_assert_uint_eq(frame.length, length);
        if (length > 0)
            ck_assert_mem_eq(frame.payload, bytes, length);
    }
    free(result);
    ws_frame_free(&frame);
    return compressed;
}

static const size_t thresholds[] = {0, 1, 100, 256, 1000};

START_TEST(below_the_threshold_nothing_is_compressed)
{
    size_t set = thresholds[_i / 2];
    size_t threshold = set == 0 ? 256 : set;
    struct server_options options = {
        .extras = {.deflate_threshold = set, .deflate_takeover = KEEP}};
    struct deflate_end end = deflate_start((enum deflate_role)(_i % 2), &options);
    struct deflate_peer peer = deflate_connect(&end, "first", end.role == ROLE_SERVER ? PMD : NULL);
    static unsigned char same[2000];

    memset(same, 'a', sizeof same);
    ck_assert(!is_compressed(&end, &peer, same, 0, LWS_WRITE_TEXT));
    for (size_t i = 0; i < 3; i++) {
        ck_assert(is_compressed(&end, &peer, same, threshold + 30, LWS_WRITE_TEXT));
        ck_assert(is_compressed(&end, &peer, same, threshold + 30, LWS_WRITE_BINARY));
        if (threshold > 1) {
            ck_assert(is_compressed(&end, &peer, same, threshold, LWS_WRITE_TEXT));
            ck_assert(!is_compressed(&end, &peer, same, threshold - 1, LWS_WRITE_TEXT));
        } else {
            /* One byte cannot get shorter. */
            ck_assert(!is_compressed(&end, &peer, same, 1, LWS_WRITE_BINARY));
        }
    }
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

START_TEST(one_message_goes_uncompressed_on_request)
{
    struct server_options options = {
        .extras = {.deflate_threshold = 1, .deflate_takeover = _i < ROLES ? KEEP : 0}};
    struct deflate_end end = deflate_start((enum deflate_role)(_i % ROLES), &options);
    struct deflate_peer peer = deflate_connect(&end, "first", end.role == ROLE_SERVER ? PMD : NULL);
    unsigned char *prose = deflate_prose(3000, 1);

    for (size_t i = 0; i < 3; i++) {
        ck_assert(is_compressed(&end, &peer, prose + i, 2000, LWS_WRITE_TEXT));
        ck_assert(
            !is_compressed(&end, &peer, prose + i, 2500, LWS_WRITE_TEXT | LWS_WRITE_UNCOMPRESSED));
        ck_assert(
            !is_compressed(&end, &peer, prose + i, 1, LWS_WRITE_BINARY | LWS_WRITE_UNCOMPRESSED));
    }

    /* And so do its fragments, whatever those say. */
    deflate_write(&end, prose, 1000, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN | LWS_WRITE_UNCOMPRESSED);
    deflate_write(&end, prose + 1000, 1000, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN);
    deflate_write(&end, prose + 2000, 1000, LWS_WRITE_CONTINUATION | LWS_WRITE_UNCOMPRESSED);
    ws_expect_frame(peer.ws, WS_TEXT, prose, 1000);
    ws_expect_frame(peer.ws, WS_CONTINUATION, prose + 1000, 1000);
    ws_expect_frame(peer.ws, WS_FIN | WS_CONTINUATION, prose + 2000, 1000);

    /* In the middle of a compressed one it is too late. */
    deflate_write(&end, prose, 1000, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN);
    deflate_write(&end, prose + 1000, 1000, LWS_WRITE_CONTINUATION | LWS_WRITE_UNCOMPRESSED);
    deflate_transparently(&peer);
    ws_deflate_free(peer.ws->deflate);
    peer.ws->deflate = peer.deflate;
    peer.deflate = NULL;
    ws_expect_frame(peer.ws, WS_TEXT, prose, 1000);
    ws_expect_frame(peer.ws, WS_FIN | WS_CONTINUATION, prose + 1000, 1000);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

static const size_t noise_sizes[] = {
    1, 2, 100, 1000, 4096, 16384, 65535, 65536, 65537, 131072, 300000, 1048576};

/* With messages that do compress between them, which have to be right. */
START_TEST(what_would_grow_goes_as_it_is)
{
    struct server_options options = {.extras = {.deflate_threshold = 1,
                                         .deflate_takeover = _i % 4 < 2 ? KEEP : 0,
                                         .deflate_send_window_bits = _i % 4 == 1 ? 8 : 0}};
    struct deflate_end end = deflate_start((enum deflate_role)(_i % 2), &options);
    struct deflate_peer peer = deflate_connect(&end, "first", end.role == ROLE_SERVER ? PMD : NULL);
    unsigned char *prose = deflate_prose(3000, 1);
    size_t size = noise_sizes[_i / 4];
    unsigned char *noise;

    if (size > harness_scale(size, 5000))
        size = 5000;
    noise = deflate_noise(size, 77);
    for (int i = 0; i < 3; i++) {
        ck_assert(is_compressed(&end, &peer, prose, 3000, LWS_WRITE_TEXT));
        ck_assert_msg(!is_compressed(&end, &peer, noise, size, LWS_WRITE_BINARY),
            "%zu bytes of noise were compressed", size);
    }
    free(noise);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* Fragments of the program's, of various sizes, with pings between them. */
static const size_t parts[][6] = {
    {10, 10, 10, 10, 10, 10},
    {1000, 1, 1, 5000, 0, 300},
    {500, 0, 0, 0, 0, 0},
    {0, 0, 500, 0, 0, 1},
    {300, 70000, 2, 70000, 200000, 0},
    {65536, 65536, 16384, 4096, 1, 100000},
};

START_TEST(fragments_written)
{
    struct server_options options = {.extras = {.deflate_threshold = 1,
                                         .deflate_takeover = _i % 4 < 2 ? KEEP : 0,
                                         .max_backlog = 16 << 20}};
    struct deflate_end end = deflate_start((enum deflate_role)(_i % 2), &options);
    struct deflate_peer peer = deflate_connect(&end, "first", end.role == ROLE_SERVER ? PMD : NULL);
    const size_t *sizes = parts[_i / 4];
    unsigned char *prose = deflate_prose(harness_scale(500000, 30000), 1);
    /* In every other message the large ones do not compress. */
    unsigned char *noise = deflate_noise(harness_scale(500000, 30000), 2);

    deflate_transparently(&peer);
    for (int message = 0; message < 4; message++) {
        unsigned int write = message % 2 == 0 ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
        unsigned int first = message % 2 == 0 ? WS_TEXT : WS_BINARY;

        for (int i = 0; i < 6; i++) {
            size_t size = harness_scale(sizes[i], sizes[i] % 3000);
            const unsigned char *from = message % 2 == 1 && size > 4000 ? noise : prose;

            deflate_write(&end, from, size, i < 5 ? write | LWS_WRITE_NO_FIN : write);
            deflate_write(&end, "ping", 4, LWS_WRITE_PING);
            ws_expect_frame(peer.ws, i < 5 ? first : first | WS_FIN, from, size);
            ws_expect_frame(peer.ws, WS_FIN | WS_PING, "ping", 4);
            write = LWS_WRITE_CONTINUATION;
            first = WS_CONTINUATION;
        }
    }
    free(noise);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* A peer's ping between two fragments is answered there. */
START_TEST(pings_received_while_a_message_is_half_sent)
{
    struct server_options options = {.extras = {.deflate_threshold = 1}};
    struct deflate_end end = deflate_start((enum deflate_role)_i, &options);
    struct deflate_peer peer = deflate_connect(&end, "first", end.role == ROLE_SERVER ? PMD : NULL);
    unsigned char *prose = deflate_prose(3000, 1);

    deflate_transparently(&peer);
    deflate_write(&end, prose, 1000, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN);
    for (int i = 0; i < 3; i++) {
        ws_expect_frame(peer.ws, i == 0 ? WS_TEXT : WS_CONTINUATION, prose, 1000);
        ws_send_frame(peer.ws, WS_FIN | WS_PING, "between", 7);
        ws_expect_frame(peer.ws, WS_FIN | WS_PONG, "between", 7);
        deflate_write(&end, prose, 1000, LWS_WRITE_CONTINUATION | (i < 2 ? LWS_WRITE_NO_FIN : 0));
    }
    ws_expect_frame(peer.ws, WS_FIN | WS_CONTINUATION, prose, 1000);

    /* Closing in the middle of one. */
    deflate_write(&end, prose, 1000, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN);
    ws_expect_frame(peer.ws, WS_TEXT, prose, 1000);
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

struct filling {
    unsigned char *prose;
    size_t length;
    size_t taken;
};

static void fill(struct server *loop, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(loop);
    struct filling *filling = argument;

    while (send_bytes(
               wsi, filling->prose + filling->taken % 100, filling->length, LWS_WRITE_TEXT) >= 0)
        filling->taken++;
}

/* What waits in the backlog has been compressed in its order, and is sent in it. */
START_TEST(messages_that_wait)
{
    struct server_options options = {
        .extras = {.deflate_takeover = KEEP, .max_backlog = 50000}, .send_buffer = 4096};
    struct deflate_end end = deflate_start(ROLE_SERVER, &options);
    struct filling filling = {.length = harness_scale(20000, 3000)};
    struct deflate_peer peer = deflate_connect(&end, "first", PMD);

    filling.prose = deflate_prose(filling.length + 100, 9);
    deflate_transparently(&peer);
    for (size_t i = 0, round = 0; round < 3; round++) {
        server_run(end.loop, fill, &filling);
        ws_send_frame(peer.ws, WS_FIN | WS_PING, "ping", 4);
        for (bool pong = false; i < filling.taken || !pong;) {
            struct ws_frame frame;

            ws_receive_frame(peer.ws, &frame);
            if (frame.first == (WS_FIN | WS_PONG)) {
                pong = true;
            } else {
                ck_assert_uint_eq(frame.first, WS_FIN | WS_TEXT);
                ck_assert_uint_eq(frame.length, filling.length);
                ck_assert_mem_eq(frame.payload, filling.prose + i++ % 100, filling.length);
            }
            ws_frame_free(&frame);
        }
    }
    free(filling.prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

START_TEST(clients_mask_what_is_compressed)
{
    struct server_options options = {.extras = {.deflate_threshold = 1}};
    struct deflate_end end = deflate_start(ROLE_CLIENT, &options);
    struct deflate_peer peer = deflate_connect(&end, "first", NULL);
    unsigned char *prose = deflate_prose(200000, 1);
    size_t size = harness_scale(200000, 3000);

    deflate_transparently(&peer);
    for (int i = 0; i < 3; i++) {
        deflate_write(&end, prose, size, LWS_WRITE_TEXT | LWS_WRITE_CLIENT_IGNORE_XOR_MASK);
        deflate_write(&end, prose, size, LWS_WRITE_BINARY);
        ws_expect_frame(peer.ws, WS_FIN | WS_TEXT, prose, size);
        ws_expect_frame(peer.ws, WS_FIN | WS_BINARY, prose, size);
    }
    free(prose);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

Suite *deflate_messages_suite(void)
{
    Suite *suite = suite_create("deflate messages");
    TCase *windows_case = harness_case("windows");
    TCase *which = harness_case("which");
    TCase *fragments = harness_case("fragments");

    tcase_add_loop_test(windows_case, the_second_equal_message, 0, COUNT(takeovers));
    tcase_add_loop_test(windows_case, what_is_received_refers_to_what_was_before, 0, 4);
    tcase_add_loop_test(windows_case, windows, 0, 32);
    suite_add_tcase(suite, windows_case);

    tcase_add_loop_test(which, below_the_threshold_nothing_is_compressed, 0, 2 * COUNT(thresholds));
    tcase_add_loop_test(which, one_message_goes_uncompressed_on_request, 0, 2 * ROLES);
    tcase_add_loop_test(which, what_would_grow_goes_as_it_is, 0, 4 * COUNT(noise_sizes));
    suite_add_tcase(suite, which);

    tcase_add_loop_test(fragments, fragments_written, 0, 4 * COUNT(parts));
    tcase_add_loop_test(fragments, pings_received_while_a_message_is_half_sent, 0, ROLES);
    tcase_add_test(fragments, messages_that_wait);
    tcase_add_test(fragments, clients_mask_what_is_compressed);
    suite_add_tcase(suite, fragments);
    return suite;
}
