/* Bodies of requests: passed over, refused, waited for. */
#include "http_site.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_LINE "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n"
#define BODY_MOST 100000u

static struct server *server;
static struct ws_client *client;

static void set_up(void)
{
    struct server_options options = {.extras = {.max_body_size = BODY_MOST}};

    server = site_start(&options);
    client = ws_connect(server_port(server));
}

static void tear_down(void)
{
    ws_free(client);
    server_stop(server);
}

/* Sends the head of a request with a body of known length, as a rule followed by the body. */
static void send_head(size_t length, const char *fields)
{
    char head[300];

    snprintf(head, sizeof(head), FILE_LINE "Content-Length: %zu\r\n%s\r\n", length, fields);
    ws_send_text(client, head);
}

static void send_zeroes(size_t length)
{
    static const unsigned char zeroes[65536];

    while (length > 0) {
        size_t now = length < sizeof(zeroes) ? length : sizeof(zeroes);

        if (!ws_try_send(client, zeroes, now))
            return;
        length -= now;
    }
}

static void expect_hello(void)
{
    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
}

START_TEST(body_is_passed_over)
{
    static const size_t lengths[] = {1, 5, 4096, 65536, BODY_MOST};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        send_head(lengths[i], "");
        send_zeroes(lengths[i]);
        site_expect(client, 200, SITE_HELLO);
    }
    expect_hello();
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 6);
}
END_TEST

/* A body that looks like a request is none. */
START_TEST(body_is_no_request)
{
    static const char hidden[] = "GET /missing HTTP/1.1\r\nHost: x\r\n\r\n";

    send_head(sizeof(hidden) - 1, "");
    ws_send_text(client, hidden);
    site_expect(client, 200, SITE_HELLO);
    expect_hello();
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 2);
}
END_TEST

START_TEST(chunked_body_is_passed_over)
{
    ws_send_text(client, FILE_LINE "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        ws_send_text(client, "1000;name=\"value\"\r\n");
        send_zeroes(4096);
        ws_send_text(client, "\r\n");
    }
    ws_send_text(client, "0\r\nTrailer: x\r\n\r\n");
    site_expect(client, 200, SITE_HELLO);
    expect_hello();
}
END_TEST

START_TEST(bodies_byte_by_byte)
{
    static const char requests[] =
        FILE_LINE "Content-Length: 7\r\n\r\nGET / H" FILE_LINE "Transfer-Encoding: chunked\r\n\r\n"
                  "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\n";

    for (size_t i = 0; i < sizeof(requests) - 1; i++)
        ws_send(client, requests + i, 1);
    site_expect(client, 200, SITE_HELLO);
    site_expect(client, 200, SITE_HELLO);
    expect_hello();
}
END_TEST

/* Nothing that was sent on trust is lost to a reset: the answer can be read. */
START_TEST(too_large_by_length)
{
    struct answer answer;

    send_head(5000000, "");
    send_zeroes(5000000);
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 413);
    ck_assert(answer_says_close(&answer));
    answer_free(&answer);
    ws_expect_eof(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 0);
}
END_TEST

START_TEST(too_large_in_chunks)
{
    struct answer answer;

    ws_send_text(client, FILE_LINE "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 50; i++) {
        if (!ws_try_send(client, "1000\r\n", 6))
            break;
        send_zeroes(4096);
        if (!ws_try_send(client, "\r\n", 2))
            break;
    }
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 413);
    ck_assert(answer_says_close(&answer));
    answer_free(&answer);
    ws_expect_eof(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 0);
}
END_TEST

START_TEST(continue_is_said_once)
{
    struct answer answer;

    send_head(50000, "Expect: 100-continue\r\n");
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 100);
    answer_free(&answer);
    ws_expect_silence(client, 50);
    send_zeroes(50000);
    site_expect(client, 200, SITE_HELLO);
    expect_hello();
}
END_TEST

START_TEST(continue_is_not_said_to_what_is_refused)
{
    struct answer answer;

    send_head(5000000, "Expect: 100-continue\r\n");
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 413);
    ck_assert(answer_says_close(&answer));
    answer_free(&answer);
    ws_expect_eof(client);
}
END_TEST

START_TEST(refused_method_with_a_body)
{
    struct answer answer;

    ws_send_text(client, "POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n"
                         "a=b&c=");
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 405);
    if (answer_says_close(&answer))
        ws_expect_eof(client);
    else
        expect_hello();
    answer_free(&answer);
}
END_TEST

/* A body that comes while a healthy WebSocket talks. */
START_TEST(uploads_do_not_hold_up_others)
{
    struct ws_client *talking = ws_open(server_port(server), "echo");

    for (int i = 0; i < 10; i++) {
        send_head(50000, "");
        send_zeroes(25000);
        ws_send_frame(talking, WS_FIN | WS_TEXT, "hi", 2);
        ws_expect_text(talking, "hi");
        send_zeroes(25000);
        site_expect(client, 200, SITE_HELLO);
    }
    ws_finish(talking);
    ws_free(talking);
}
END_TEST

START_TEST(body_that_does_not_come_times_out)
{
    struct server_options options = {.extras = {.request_timeout_ms = 300}};
    struct server *impatient = site_start(&options);
    struct ws_client *slow = ws_connect(server_port(impatient));

    ws_send_text(slow, FILE_LINE "Content-Length: 10\r\n\r\nhello");
    site_expect(slow, 408, NULL);
    ws_expect_eof(slow);
    ws_free(slow);
    ck_assert_uint_eq(server_count(impatient, LWS_CALLBACK_HTTP), 0);
    server_stop(impatient);
}
END_TEST

Suite *http_bodies_suite(void)
{
    Suite *suite = suite_create("HTTP bodies");
    TCase *tcase = tcase_create("bodies");

    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, body_is_passed_over);
    tcase_add_test(tcase, body_is_no_request);
    tcase_add_test(tcase, chunked_body_is_passed_over);
    tcase_add_test(tcase, bodies_byte_by_byte);
    tcase_add_test(tcase, too_large_by_length);
    tcase_add_test(tcase, too_large_in_chunks);
    tcase_add_test(tcase, continue_is_said_once);
    tcase_add_test(tcase, continue_is_not_said_to_what_is_refused);
    tcase_add_test(tcase, refused_method_with_a_body);
    tcase_add_test(tcase, uploads_do_not_hold_up_others);
    suite_add_tcase(suite, tcase);

    /* With a server of its own. */
    tcase = tcase_create("deadline");
    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, body_that_does_not_come_times_out);
    suite_add_tcase(suite, tcase);
    return suite;
}
