/* What is received: sizes, pieces, and how bytes may be cut. Fragments are in test_fragments.c. */
#include "harness.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 4095, 4096, 4097, 65534,
    65535, 65536, 65537, 1048576};

START_TEST(echoes_every_size)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    size_t size = harness_scale(sizes[_i], sizes[_i] > 70000 ? 70000 : sizes[_i]);
    unsigned char *pattern = harness_pattern(size, 7);

    ws_send_frame(client, WS_FIN | WS_TEXT, pattern, size);
    ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, size);
    /* Binary, with every value. */
    for (size_t i = 0; i < size; i++)
        pattern[i] = (unsigned char)(i * 7 + i / 256);
    ws_send_frame(client, WS_FIN | WS_BINARY, pattern, size);
    ws_expect_frame(client, WS_FIN | WS_BINARY, pattern, size);
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(takes_longer_forms_nowhere)
{
    /* A length has to be in its shortest form (section 5.2). */
    static const struct {
        unsigned int length_bytes;
        size_t length;
    } forms[] = {{2, 5}, {2, 125}, {8, 5}, {8, 126}, {8, 65535}};
    static const unsigned char mask[4] = {1, 2, 3, 4};
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char *out = calloc(1, WS_HEADER_MOST + forms[_i].length);
    unsigned char *pattern = harness_pattern(forms[_i].length, 1);

    ck_assert_ptr_nonnull(out);
    ws_try_send(client, out,
        ws_build_frame(out, WS_FIN | WS_BINARY, mask, forms[_i].length_bytes, forms[_i].length,
            pattern, forms[_i].length));
    ws_expect_close_and_answer(client, 1002);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 0);
    free(pattern);
    free(out);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* What RECEIVE has to bring of a message of one frame. */
static void expect_pieces(
    struct server *server, const unsigned char *message, size_t length, size_t piece, int binary)
{
    size_t at = 0;

    for (size_t n = 0; n == 0 || at < length; n++) {
        const struct server_record *record = server_record(server, LWS_CALLBACK_RECEIVE, n);
        size_t expected = length - at < piece ? length - at : piece;

        ck_assert_uint_eq(record->len, expected);
        ck_assert_mem_eq(record->bytes, message + at, expected);
        at += expected;
        harness_expect_remaining(record->remaining, length - at);
        ck_assert_int_eq(record->final, 1);
        ck_assert_int_eq(record->binary, binary);
    }
}

static const size_t piece_sizes[] = {0, 1, 511, 512, 513, 1024, 1025, 3000, 70001};

START_TEST(brings_pieces)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "mirror");
    size_t size = piece_sizes[_i];
    unsigned char *pattern = harness_pattern(size, 3);
    size_t at = 0;

    ws_send_frame(client, WS_FIN | WS_BINARY, pattern, size);
    expect_pieces(server, pattern, size, 512, 1);
    do {
        size_t length = size - at < 512 ? size - at : 512;
        unsigned int first = at == 0 ? WS_BINARY : WS_CONTINUATION;

        if (at + length == size)
            first |= WS_FIN;
        ws_expect_frame(client, first, pattern + at, length);
        at += length;
    } while (at < size);
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(brings_pieces_however_they_arrive)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "mirror");
    unsigned char *pattern = harness_pattern(1300, 3);
    unsigned char out[WS_HEADER_MOST + 1300];
    size_t length = ws_put_frame(client, out, WS_FIN | WS_TEXT, pattern, 1300);

    for (size_t at = 0; at < length; at += 7)
        ws_send(client, out + at, length - at < 7 ? length - at : 7);
    expect_pieces(server, pattern, 1300, 512, 0);
    ws_expect_frame(client, WS_TEXT, pattern, 512);
    ws_expect_frame(client, WS_CONTINUATION, pattern + 512, 512);
    ws_expect_frame(client, WS_FIN | WS_CONTINUATION, pattern + 1024, 276);
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(takes_frames_cut_at_every_byte)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char *pattern = harness_pattern(130, 5);
    unsigned char out[3 * (WS_HEADER_MOST + 130)];
    size_t first = ws_put_frame(client, out, WS_FIN | WS_TEXT, "short", 5);
    size_t length = first;

    length += ws_put_frame(client, out + length, WS_FIN | WS_BINARY, pattern, 130);
    length += ws_put_frame(client, out + length, WS_FIN | WS_PING, "ping", 4);
    for (size_t at = 1; at < length; at++) {
        size_t received = server_count(server, LWS_CALLBACK_RECEIVE);

        ws_send(client, out, at);
        /* As soon as a frame is there it is delivered, so that the cut is where it should be. */
        if (at >= first)
            server_wait(server, LWS_CALLBACK_RECEIVE, received + 1);
        ws_send(client, out + at, length - at);
        ws_expect_text(client, "short");
        ws_expect_frame(client, WS_FIN | WS_BINARY, pattern, 130);
        ws_expect_frame(client, WS_FIN | WS_PONG, "ping", 4);
    }
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(takes_single_bytes)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char out[WS_HEADER_MOST + 300];
    unsigned char *pattern = harness_pattern(300, 5);
    size_t length = ws_put_frame(client, out, WS_FIN | WS_TEXT, pattern, 300);

    for (size_t i = 0; i < length; i++)
        ws_send(client, out + i, 1);
    ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, 300);
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(takes_many_frames_in_one_segment)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    size_t count = harness_scale(2000, 300);
    unsigned char *out = malloc(count * (WS_HEADER_MOST + 8));
    size_t length = 0;
    char text[32];

    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i < count; i++) {
        int size = snprintf(text, sizeof text, "%zu", i);

        length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, text, (size_t)size);
    }
    ws_send(client, out, length);
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%zu", i);
        ws_expect_text(client, text);
    }
    free(out);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* One that arrives while the one before is still being sent may take the place of others. */
static void expect_pongs(struct ws_client *client)
{
    char text[126];
    size_t next = 0;

    while (next < 10) {
        struct ws_frame frame;
        size_t number;

        ws_receive_frame(client, &frame);
        ck_assert_uint_eq(frame.first, WS_FIN | WS_PONG);
        number = frame.length == 0 ? 0 : (frame.length - 8) / 13;
        if (harness_cut())
            ck_assert_uint_ge(number, next);
        else
            ck_assert_uint_eq(number, next);
        memset(text, (int)('a' + number), sizeof text);
        ck_assert_uint_eq(frame.length, number == 0 ? 0 : number * 13 + 8);
        ck_assert(frame.length == 0 || memcmp(frame.payload, text, frame.length) == 0);
        ws_frame_free(&frame);
        next = number + 1;
    }
}

START_TEST(answers_pings_in_order)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char out[10 * 160];
    size_t length = 0;
    char text[126];

    for (size_t i = 0; i < 10; i++) {
        memset(text, (int)('a' + i), 125);
        length +=
            ws_put_frame(client, out + length, WS_FIN | WS_PING, text, i == 0 ? 0 : i * 13 + 8);
    }
    ws_send(client, out, length);
    expect_pongs(client);
    /* Control frames are no messages, and an unasked pong is nothing. */
    ws_send_frame(client, WS_FIN | WS_PONG, "x", 1);
    ws_send_frame(client, WS_FIN | WS_PONG, NULL, 0);
    ws_send_frame(client, WS_FIN | WS_TEXT, "end", 3);
    ws_expect_text(client, "end");
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 1);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(talks_to_many_at_once)
{
    enum { CLIENTS = 50 };
    struct server *server = server_start(NULL);
    struct ws_client *clients[CLIENTS];
    char text[32];

    for (int i = 0; i < CLIENTS; i++)
        clients[i] = ws_open(server_port(server), "echo");
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            snprintf(text, sizeof text, "%d of %d", i, round);
            ws_send_frame(clients[i], WS_FIN | WS_TEXT, text, strlen(text));
        }
        for (int i = CLIENTS - 1; i >= 0; i--) {
            snprintf(text, sizeof text, "%d of %d", i, round);
            ws_expect_text(clients[i], text);
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        ws_finish(clients[i]);
        ws_free(clients[i]);
    }
    server_wait(server, LWS_CALLBACK_CLOSED, CLIENTS);
    server_stop(server);
}
END_TEST

Suite *messages_suite(void)
{
    Suite *suite = suite_create("messages");
    TCase *size_case = harness_case("sizes");
    TCase *piece_case = harness_case("pieces");
    TCase *cut_case = harness_case("cuts");

    tcase_add_loop_test(size_case, echoes_every_size, 0, sizeof sizes / sizeof sizes[0]);
    tcase_add_loop_test(size_case, takes_longer_forms_nowhere, 0, 5);
    suite_add_tcase(suite, size_case);

    tcase_add_loop_test(piece_case, brings_pieces, 0, sizeof piece_sizes / sizeof piece_sizes[0]);
    tcase_add_test(piece_case, brings_pieces_however_they_arrive);
    suite_add_tcase(suite, piece_case);

    tcase_add_test(cut_case, takes_frames_cut_at_every_byte);
    tcase_add_test(cut_case, takes_single_bytes);
    tcase_add_test(cut_case, takes_many_frames_in_one_segment);
    tcase_add_test(cut_case, answers_pings_in_order);
    tcase_add_test(cut_case, talks_to_many_at_once);
    suite_add_tcase(suite, cut_case);
    return suite;
}
