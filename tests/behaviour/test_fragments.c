/* Fragmented messages, and text that has to be UTF-8. */
#include "harness.h"
#include "suites.h"

#include <stdlib.h>
#include <unistd.h>

START_TEST(joins_fragments)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    static const int finals[] = {0, 0, 0, 1};
    static const size_t lengths[] = {3, 0, 4, 0};

    ws_send_frame(client, WS_TEXT, "abc", 3);
    ws_send_frame(client, WS_FIN | WS_PING, "1", 1);
    ws_send_frame(client, WS_CONTINUATION, NULL, 0);
    ws_send_frame(client, WS_FIN | WS_PONG, "2", 1);
    ws_send_frame(client, WS_CONTINUATION, "defg", 4);
    ws_send_frame(client, WS_FIN | WS_PING, NULL, 0);
    ws_expect_frame(client, WS_FIN | WS_PONG, "1", 1);
    ws_expect_frame(client, WS_FIN | WS_PONG, NULL, 0);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, NULL, 0);
    ws_expect_text(client, "abcdefg");

    /* An empty piece comes only for an empty message or the empty end of one. */
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 3);
    for (size_t i = 0, n = 0; i < 4; i++) {
        const struct server_record *record;

        if (lengths[i] == 0 && !finals[i])
            continue;
        record = server_record(server, LWS_CALLBACK_RECEIVE, n++);
        ck_assert_uint_eq(record->len, lengths[i]);
        ck_assert_int_eq(record->final, finals[i]);
        ck_assert_uint_eq(record->remaining, 0);
        ck_assert_int_eq(record->binary, 0);
    }
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(joins_empty_fragments)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    ws_send_frame(client, WS_BINARY, NULL, 0);
    ws_send_frame(client, WS_CONTINUATION, NULL, 0);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, NULL, 0);
    ws_expect_frame(client, WS_FIN | WS_BINARY, NULL, 0);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 1);
    ws_send_frame(client, WS_TEXT, NULL, 0);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, "x", 1);
    ws_expect_text(client, "x");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(joins_large_fragments)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    size_t part = harness_scale(65536, 2500);
    unsigned char *pattern = harness_pattern(part * 16, 9);

    for (size_t i = 0; i < 16; i++) {
        unsigned int first = i == 0 ? WS_TEXT : WS_CONTINUATION;

        ws_send_frame(client, WS_FIN | WS_PING, pattern + i, 9);
        ws_send_frame(client, i == 15 ? first | WS_FIN : first, pattern + i * part, part);
        ws_expect_frame(client, WS_FIN | WS_PONG, pattern + i, 9);
    }
    ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, part * 16);
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const char *const good_texts[] = {
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",                /* two and three bytes */
    "\xf0\x90\x80\x80-\xf4\x8f\xbf\xbf-\xed\x9f\xbf-\xee\x80\x80", /* the ends of the ranges */
    "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf",
};

START_TEST(takes_utf8_cut_anywhere)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    const char *text = good_texts[_i];
    size_t length = strlen(text);

    for (size_t at = 0; at <= length; at++) {
        ws_send_frame(client, WS_TEXT, text, at);
        ws_send_frame(client, WS_FIN | WS_PING, NULL, 0);
        ws_send_frame(client, WS_FIN | WS_CONTINUATION, text + at, length - at);
        ws_expect_frame(client, WS_FIN | WS_PONG, NULL, 0);
        ws_expect_text(client, text);
    }
    for (size_t i = 0; i < length; i++)
        ws_send_frame(client, i == 0 ? WS_TEXT : WS_CONTINUATION, text + i, 1);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, NULL, 0);
    ws_expect_text(client, text);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const struct {
    const char *text;
    size_t good; /* bytes before the first that cannot be right */
} bad_texts[] = {
    {"ok\xff", 2},
    {"ok\x80", 2},
    {"\xc0\xaf", 0},
    {"a\xc3(", 2},
    {"a\xed\xa0\x80", 2},
    {"a\xf4\x90\x80\x80", 2},
    {"a\xf8\x88\x80\x80\x80", 1},
    {"a\xe0\x80\x80", 2},
    {"a\xf0\x8f\xbf\xbf", 2},
};

START_TEST(refuses_what_is_not_utf8)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    ws_send_frame(client, WS_FIN | WS_TEXT, bad_texts[_i].text, strlen(bad_texts[_i].text));
    ws_expect_close_and_answer(client, 1007);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);

    /* The same bytes are good in a binary message. */
    client = ws_open(server_port(server), "echo");
    ws_send_frame(client, WS_FIN | WS_BINARY, bad_texts[_i].text, strlen(bad_texts[_i].text));
    ws_expect_frame(client, WS_FIN | WS_BINARY, bad_texts[_i].text, strlen(bad_texts[_i].text));
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* The server does not wait for the end of the frame, or of the message. */
START_TEST(refuses_at_the_first_bad_byte)
{
    static const unsigned char mask[4] = {9, 8, 7, 6};
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char out[WS_HEADER_MOST + 16];
    size_t bad = bad_texts[_i].good + 1;

    /* In the middle of a frame that claims more, up to and with the bad byte. */
    ws_send(
        client, out, ws_build_frame(out, WS_FIN | WS_TEXT, mask, 2, 5000, bad_texts[_i].text, bad));
    ws_expect_close_and_answer(client, 1007);
    ws_free(client);

    /* In a fragment that is not the last. */
    client = ws_open(server_port(server), "echo");
    ws_send_frame(client, WS_TEXT, bad_texts[_i].text, bad_texts[_i].good);
    ws_send_frame(client, WS_CONTINUATION, bad_texts[_i].text + bad_texts[_i].good, 1);
    ws_expect_close_and_answer(client, 1007);
    ws_free(client);

    /* And not before the bad byte. */
    client = ws_open(server_port(server), "echo");
    ws_send(client, out,
        ws_build_frame(out, WS_FIN | WS_TEXT, mask, 2, 5000, bad_texts[_i].text, bad - 1));
    ws_expect_silence(client, 50);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 3);
    server_stop(server);
}
END_TEST

START_TEST(refuses_text_that_ends_inside_a_character)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    ws_send_frame(client, WS_FIN | WS_TEXT, "abc\xe2\x82", 5);
    ws_expect_close_and_answer(client, 1007);
    ws_free(client);
    client = ws_open(server_port(server), "echo");
    ws_send_frame(client, WS_TEXT, "abc\xe2\x82", 5);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, NULL, 0);
    ws_expect_close_and_answer(client, 1007);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(delivers_what_came_before_a_fault)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char out[256];
    size_t length = ws_put_frame(client, out, WS_FIN | WS_TEXT, "one", 3);

    length += ws_put_frame(client, out + length, WS_FIN | WS_BINARY, "two", 3);
    length += ws_put_frame(client, out + length, WS_FIN | WS_PING, "p", 1);
    length += ws_put_frame(client, out + length, WS_FIN | WS_RSV3 | WS_TEXT, "bad", 3);
    length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, "never", 5);
    ws_send(client, out, length);
    ws_expect_text(client, "one");
    ws_expect_frame(client, WS_FIN | WS_BINARY, "two", 3);
    ws_expect_frame(client, WS_FIN | WS_PONG, "p", 1);
    ws_expect_close_and_answer(client, 1002);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 2);
    server_stop(server);
}
END_TEST

Suite *fragments_suite(void)
{
    Suite *suite = suite_create("fragments");
    TCase *fragment_case = harness_case("fragments");
    TCase *text_case = harness_case("UTF-8");
    int bad = sizeof bad_texts / sizeof bad_texts[0];

    tcase_add_test(fragment_case, joins_fragments);
    tcase_add_test(fragment_case, joins_empty_fragments);
    tcase_add_test(fragment_case, joins_large_fragments);
    tcase_add_test(fragment_case, delivers_what_came_before_a_fault);
    suite_add_tcase(suite, fragment_case);

    tcase_add_loop_test(
        text_case, takes_utf8_cut_anywhere, 0, sizeof good_texts / sizeof good_texts[0]);
    tcase_add_loop_test(text_case, refuses_what_is_not_utf8, 0, bad);
    tcase_add_loop_test(text_case, refuses_at_the_first_bad_byte, 0, bad);
    tcase_add_test(text_case, refuses_text_that_ends_inside_a_character);
    suite_add_tcase(suite, text_case);
    return suite;
}
