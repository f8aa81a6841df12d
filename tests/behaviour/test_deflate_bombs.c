/*
 * Compressed messages that ask for more than their share: of memory, of time. And what permessage-
 * deflate costs those who do nothing.
 */
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "../support/contract.h"
#include "deflate_ground.h"
#include "suites.h"

#define PMD "permessage-deflate"
#define KEEP (LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE)
#define MIB ((size_t)1 << 20)

/* What the engine may make of input in one service call, and the pieces around that. */
#define PER_CALL (256 * 1024)

static atomic_size_t counted;
static atomic_size_t finished;

/* Counts bytes, and messages that are over. */
static int counting_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    (void)in;
    if (reason != LWS_CALLBACK_RECEIVE && reason != LWS_CALLBACK_CLIENT_RECEIVE)
        return 0;
    atomic_fetch_add(&counted, len);
    if (libwebsocket_is_final_fragment(wsi) && libwebsockets_remaining_packet_payload(wsi) == 0)
        atomic_fetch_add(&finished, 1);
    return 0;
}

static struct libwebsocket_protocols bomb_protocols[] = {
    {.name = "first", .callback = discard_callback},
    {.name = "back"}, /* filled in from deflate_protocols */
    {.name = "4096", .callback = counting_callback, .rx_buffer_size = 4096},
    {.name = "65536", .callback = counting_callback, .rx_buffer_size = 65536},
    {.name = "whole", .callback = counting_callback, .rx_buffer_size = 1 << 30},
    {.name = NULL},
};

static struct deflate_end start(enum deflate_role role, const struct lws_context_extras *extras)
{
    struct server_options options = {
        .protocols = bomb_protocols, .unlogged = true, .extras = *extras};

    bomb_protocols[1] = deflate_protocols[1];
    return deflate_start(role, &options);
}

/* A payload that inflates to so many MiB of zeros: the same MiB over and over. */
static unsigned char *make_bomb(size_t mebibytes, size_t *length)
{
    const struct ws_deflate_terms terms = {.client_no_context_takeover = true};
    struct ws_deflate *deflate = ws_deflate_new(&terms, false);
    unsigned char *zeros = calloc(1, MIB);
    size_t one;
    unsigned char *packed;
    unsigned char *bomb;

    ck_assert_ptr_nonnull(zeros);
    packed = ws_deflate_pack(deflate, zeros, MIB, false, &one);
    bomb = malloc(mebibytes * one + 1);
    ck_assert_ptr_nonnull(bomb);
    for (size_t i = 0; i < mebibytes; i++)
        memcpy(bomb + i * one, packed, one);
    bomb[mebibytes * one] = 0x00;
    *length = mebibytes * one + 1;
    free(packed);
    free(zeros);
    ws_deflate_free(deflate);
    return bomb;
}

static size_t peak_bytes(void)
{
    struct rusage usage;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_maxrss * 1024;
}

/* A frame of about 1 MiB that is 1 GiB, in pieces and in one: the memory that it takes is that of
 * the limit and a buffer, for it is given up on the way. */
START_TEST(ends_at_the_limit)
{
    static const char *const names[] = {"4096", "65536", "whole"};
    size_t limit = (_i / 6 % 2 == 0 ? 8 : 12) * MIB;
    const struct lws_context_extras extras = {.max_unpacked_size = limit};
    enum deflate_role role = (enum deflate_role)(_i / 3 % 2);
    struct deflate_end end = start(role, &extras);
    const char *terms = role == ROLE_SERVER ? PMD : NULL;
    struct deflate_peer healthy = deflate_connect(&end, "back", terms);
    struct deflate_peer peer = deflate_connect(&end, names[_i % 3], terms);
    size_t length;
    unsigned char *bomb = make_bomb(harness_scale(1024, 64), &length);
    unsigned char *out = malloc(length + WS_HEADER_MOST);
    size_t before;
    size_t used;

    ck_assert_ptr_nonnull(out);
    length = ws_put_frame(peer.ws, out, WS_FIN | WS_RSV1 | WS_BINARY, bomb, length);
    deflate_transparently(&healthy);
    deflate_expect_healthy(&healthy);
    before = peak_bytes();
    /* The library does not wait for the rest of it. */
    ws_try_send(peer.ws, out, length);
    ws_expect_close(peer.ws, 1009);
    used = peak_bytes() - before;
    if (!harness_sanitized())
        ck_assert_msg(
            used < limit + 3 * MIB / 2, "%zu bytes more, with a limit of %zu", used, limit);
    ck_assert_uint_le(atomic_load(&counted), limit);
    ck_assert_uint_eq(atomic_load(&finished), 0);
    deflate_expect_healthy(&healthy);
    free(out);
    free(bomb);
    deflate_free(&peer);
    deflate_finish(&end, &healthy);
    deflate_stop(&end);
}
END_TEST

/* Not only pieces that are given to the program count: what one service call does is bounded also
 * where the program wants its messages in one. */
START_TEST(inflates_a_bounded_amount_in_a_call)
{
    static const char *const names[] = {"4096", "65536", "whole"};
    const struct lws_context_extras extras = {.max_unpacked_size = 1 << 30};
    enum deflate_role role = (enum deflate_role)(_i / 3);
    struct deflate_end end = start(role, &extras);
    size_t mebibytes = harness_scale(64, 2);
    struct deflate_peer peer =
        deflate_connect(&end, names[_i % 3], role == ROLE_SERVER ? PMD : NULL);
    size_t length;
    unsigned char *bomb = make_bomb(mebibytes, &length);
    unsigned long calls = server_service_calls();
    int64_t deadline = ws_now_ms() + SERVER_PATIENCE_MS;

    deflate_send_raw(&peer, WS_FIN | WS_RSV1 | WS_BINARY, bomb, length);
    while (atomic_load(&finished) == 0 && ws_now_ms() < deadline)
        ws_expect_silence(peer.ws, 5);
    ck_assert_uint_eq(atomic_load(&counted), mebibytes * MIB);
    ck_assert_uint_ge(server_service_calls() - calls, mebibytes * MIB / PER_CALL / 2);
    free(bomb);
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* While one connection inflates, without any limit in its way, others are answered. */
START_TEST(others_are_answered_meanwhile)
{
    const struct lws_context_extras extras = {.max_unpacked_size = (uint64_t)1 << 40};
    struct deflate_end end = start(ROLE_SERVER, &extras);
    struct deflate_peer healthy = deflate_connect(&end, "back", PMD);
    struct deflate_peer peer = deflate_connect(&end, _i == 0 ? "4096" : "65536", PMD);
    size_t mebibytes = harness_scale(harness_sanitized() ? 256 : 1024, 64);
    size_t length;
    unsigned char *bomb = make_bomb(mebibytes, &length);
    int64_t deadline = ws_now_ms() + 2 * SERVER_PATIENCE_MS;
    size_t answers = 0;

    deflate_transparently(&healthy);
    deflate_send_raw(&peer, WS_FIN | WS_RSV1 | WS_BINARY, bomb, length);
    do {
        deflate_expect_healthy(&healthy);
        answers += atomic_load(&finished) == 0;
    } while (atomic_load(&finished) == 0 && ws_now_ms() < deadline);
    ck_assert_uint_eq(atomic_load(&finished), 1);
    ck_assert_uint_eq(atomic_load(&counted), mebibytes * MIB);
    ck_assert_uint_ge(answers, harness_cut() ? 1 : 3);
    if (!harness_sanitized())
        ck_assert_int_lt(contract_longest_service_us(), 100000);
    free(bomb);
    deflate_finish(&end, &peer);
    deflate_finish(&end, &healthy);
    deflate_stop(&end);
}
END_TEST

/* Blocks that hold nothing. */
static const struct {
    const char *block;
    size_t length;
} empty_blocks[] = {
    {"\x00\x00\x00\xff\xff", 5}, /* stored */
    {"\x01\x00\x00\xff\xff", 5}, /* stored, and the last of a stream */
    {"\x03\x00", 2},             /* fixed, the last */
};

START_TEST(takes_millions_of_blocks_with_nothing_in_them)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    const struct lws_context_extras extras = {.deflate_takeover = _i % 4 < 2 ? KEEP : 0};
    struct deflate_end end = start(role, &extras);
    const char *terms = role == ROLE_SERVER ? PMD : NULL;
    struct deflate_peer healthy = deflate_connect(&end, "back", terms);
    struct deflate_peer peer = deflate_connect(&end, "4096", terms);
    size_t size = empty_blocks[_i / 4].length;
    size_t count = harness_scale(harness_sanitized() ? 1000000 : 3000000, 3000);
    unsigned char *blocks = malloc(count * size + 1);
    int64_t deadline = ws_now_ms() + 2 * SERVER_PATIENCE_MS;

    ck_assert_ptr_nonnull(blocks);
    for (size_t i = 0; i < count; i++)
        memcpy(blocks + i * size, empty_blocks[_i / 4].block, size);
    blocks[count * size] = 0x00;
    deflate_transparently(&healthy);
    deflate_send_raw(&peer, WS_FIN | WS_RSV1 | WS_BINARY, blocks, count * size + 1);
    do {
        deflate_expect_healthy(&healthy);
    } while (atomic_load(&finished) == 0 && ws_now_ms() < deadline);
    ck_assert_uint_eq(atomic_load(&finished), 1);
    ck_assert_uint_eq(atomic_load(&counted), 0);
    if (!harness_sanitized())
        ck_assert_int_lt(contract_longest_service_us(), 100000);
    free(blocks);
    deflate_finish(&end, &peer);
    deflate_finish(&end, &healthy);
    deflate_stop(&end);
}
END_TEST

START_TEST(takes_many_small_frames)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    const struct lws_context_extras extras = {.deflate_takeover = _i < 2 ? KEEP : 0};
    struct deflate_end end = start(role, &extras);
    const char *terms = role == ROLE_SERVER ? PMD : NULL;
    struct deflate_peer healthy = deflate_connect(&end, "back", terms);
    struct deflate_peer peer = deflate_connect(&end, "4096", terms);
    size_t count = harness_scale(50000, 300);
    unsigned char *out = malloc(count * (WS_HEADER_MOST + 7));
    size_t length = 0;
    int64_t deadline = ws_now_ms() + 2 * SERVER_PATIENCE_MS;

    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i < count; i++)
        length += ws_put_frame(
            peer.ws, out + length, WS_FIN | WS_RSV1 | WS_TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    deflate_transparently(&healthy);
    ws_send(peer.ws, out, length);
    do {
        deflate_expect_healthy(&healthy);
    } while (atomic_load(&finished) < count && ws_now_ms() < deadline);
    ck_assert_uint_eq(atomic_load(&finished), count);
    ck_assert_uint_eq(atomic_load(&counted), 5 * count);
    free(out);
    deflate_finish(&end, &peer);
    deflate_finish(&end, &healthy);
    deflate_stop(&end);
}
END_TEST

/* --- What idle connections cost */

enum { IDLE = 40 };

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Opens connections, has each say something and hear it, and returns the bytes that they take. */
static size_t cost_of_connections(
    struct deflate_end *end, const char *terms, bool compressed, struct deflate_peer *peers)
{
    size_t before = allocated();

    for (int i = 0; i < IDLE; i++) {
        peers[i] = deflate_connect(end, "back", terms);
        if (compressed)
            deflate_transparently(&peers[i]);
        deflate_expect_healthy(&peers[i]);
        deflate_expect_healthy(&peers[i]);
        /* The test's own are none of the library's. */
        ws_deflate_free(peers[i].ws->deflate);
        peers[i].ws->deflate = NULL;
        ws_deflate_free(peers[i].deflate);
        peers[i].deflate = NULL;
    }
    return allocated() - before;
}

static void finish_connections(struct deflate_end *end, struct deflate_peer *peers)
{
    for (int i = 0; i < IDLE; i++)
        deflate_finish(end, &peers[i]);
}

START_TEST(idle_connections_cost_no_zlib_state)
{
    const struct lws_context_extras without = {.deflate_threshold = 1};
    const struct lws_context_extras with = {.deflate_threshold = 1, .deflate_takeover = KEEP};
    struct deflate_end end = start(ROLE_SERVER, &without);
    struct deflate_peer peers[IDLE];
    size_t plain, shared, kept;

    /* The first ones make what all share. */
    (void)cost_of_connections(&end, PMD, true, peers);
    finish_connections(&end, peers);
    plain = cost_of_connections(&end, NULL, false, peers);
    finish_connections(&end, peers);
    shared = cost_of_connections(&end, PMD, true, peers);
    finish_connections(&end, peers);
    deflate_stop(&end);

    end = start(ROLE_SERVER, &with);
    kept = cost_of_connections(&end, PMD, true, peers);
    finish_connections(&end, peers);
    deflate_stop(&end);
    if (harness_sanitized())
        return;
    ck_assert_msg(
        shared < plain + IDLE * 2048, "%zu bytes, %zu without compression", shared, plain);
    /* Or else nothing was measured. */
    ck_assert_msg(
        kept > shared + IDLE * 100000, "%zu bytes with takeover, %zu without", kept, shared);
}
END_TEST

/* A message in the middle of which a peer stops has what it needs, and gives it back. */
START_TEST(half_a_message_costs_until_it_ends)
{
    const struct lws_context_extras extras = {.deflate_threshold = 1};
    struct deflate_end end = start(ROLE_SERVER, &extras);
    struct deflate_peer peers[IDLE];
    size_t before, inside, after;

    (void)cost_of_connections(&end, PMD, true, peers);
    before = allocated();
    for (int i = 0; i < IDLE; i++) {
        deflate_send_raw(&peers[i], WS_RSV1 | WS_TEXT, "\xf2\x48\xcd", 3);
        ws_send_frame(peers[i].ws, WS_FIN | WS_PING, "", 0);
        ws_expect_frame(peers[i].ws, WS_FIN | WS_PONG, "", 0);
    }
    inside = allocated() - before;
    for (int i = 0; i < IDLE; i++) {
        deflate_send_raw(&peers[i], WS_FIN | WS_CONTINUATION, "\xc9\xc9\x07\x00", 4);
        ws_expect_text(peers[i].ws, "Hello");
    }
    after = allocated() - before;
    finish_connections(&end, peers);
    deflate_stop(&end);
    if (harness_sanitized())
        return;
    ck_assert_msg(inside > IDLE * 5000, "%zu bytes inside messages", inside);
    ck_assert_msg(after < IDLE * 2048 + 60000 || after > (size_t)-1 / 2,
        "%zu bytes when they are over", after);
}
END_TEST

Suite *deflate_bombs_suite(void)
{
    Suite *suite = suite_create("deflate bombs");
    TCase *size = harness_case("size");
    TCase *time = harness_case("time");
    TCase *idle = harness_case("idle");

    tcase_add_loop_test(size, ends_at_the_limit, 0, 12);
    suite_add_tcase(suite, size);

    tcase_add_loop_test(time, inflates_a_bounded_amount_in_a_call, 0, 6);
    tcase_add_loop_test(time, others_are_answered_meanwhile, 0, 2);
    tcase_add_loop_test(time, takes_millions_of_blocks_with_nothing_in_them, 0, 12);
    tcase_add_loop_test(time, takes_many_small_frames, 0, 4);
    suite_add_tcase(suite, time);

    tcase_add_test(idle, idle_connections_cost_no_zlib_state);
    tcase_add_test(idle, half_a_message_costs_until_it_ends);
    suite_add_tcase(suite, idle);
    return suite;
}
