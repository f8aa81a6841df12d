/* GET and HEAD, versions, keep-alive, pipelining, paths, header fields, and deadlines. */
#include "http_site.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define GET_HELLO "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"

START_TEST(get_is_answered)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    struct answer answer;

    site_get(client, "/hello.txt", NULL);
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 200);
    ck_assert_str_eq(answer.body, SITE_HELLO);
    ck_assert(answer_has(&answer, "Content-Type", "text/plain"));
    ck_assert(answer_has(&answer, "Last-Modified", NULL));
    ck_assert(!answer_says_close(&answer));
    answer_free(&answer);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    server_stop(server);
}
END_TEST

START_TEST(head_has_no_body)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));

    for (int i = 0; i < 3; i++) {
        struct answer answer;

        ws_send_text(client, "HEAD /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
        answer = site_receive_to_head(client);
        ck_assert_int_eq(answer.response.status, 200);
        ck_assert(answer_has(&answer, "Content-Length", "12"));
        answer_free(&answer);
    }
    /* The statuses of refusals come without a body too. */
    ws_send_text(client, "HEAD /missing HTTP/1.1\r\nHost: localhost\r\n\r\n" GET_HELLO);
    {
        struct answer answer = site_receive_to_head(client);

        ck_assert_int_eq(answer.response.status, 404);
        answer_free(&answer);
    }
    site_expect(client, 200, SITE_HELLO);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(http_1_0_ends)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    struct answer answer;

    ws_send_text(client, "GET /hello.txt HTTP/1.0\r\n\r\n");
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 200);
    ck_assert_str_eq(answer.body, SITE_HELLO);
    ck_assert(answer_says_close(&answer));
    answer_free(&answer);
    ws_expect_eof(client);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    server_stop(server);
}
END_TEST

START_TEST(http_1_0_is_kept_alive_where_asked)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));

    for (int i = 0; i < 3; i++) {
        struct answer answer;

        ws_send_text(client, "GET /hello.txt HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        answer = site_receive(client);
        ck_assert_str_eq(answer.body, SITE_HELLO);
        ck_assert(answer_has(&answer, "Connection", "keep-alive"));
        answer_free(&answer);
    }
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(keep_alive)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    const struct server_record *first, *last;

    for (int i = 0; i < 50; i++) {
        site_get(client, i % 3 == 1 ? "/missing" : "/hello.txt", NULL);
        site_expect(client, i % 3 == 1 ? 404 : 200, i % 3 == 1 ? NULL : SITE_HELLO);
    }
    site_get(client, "/hello.txt", "Connection: close\r\n");
    site_expect(client, 200, SITE_HELLO);
    ws_expect_eof(client);
    ws_free(client);
    first = server_record(server, LWS_CALLBACK_HTTP, 0);
    last = server_record(server, LWS_CALLBACK_HTTP, 50);
    ck_assert_uint_eq(first->connection, last->connection);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    server_stop(server);
}
END_TEST

START_TEST(many_are_pipelined)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    size_t count = harness_scale(1000, 100);
    size_t length = strlen(GET_HELLO);
    char *requests = malloc(count * length + 1);

    ck_assert_ptr_nonnull(requests);
    for (size_t i = 0; i < count; i++)
        memcpy(requests + i * length, GET_HELLO, length);
    ws_send(client, requests, count * length);
    for (size_t i = 0; i < count; i++)
        site_expect(client, 200, SITE_HELLO);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), count);
    free(requests);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* A request behind a file that is being sent is not begun before the file has gone. */
START_TEST(pipelined_behind_a_file)
{
    struct server_options options = {.send_buffer = 16384};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 8192);
    size_t size = harness_scale(8u << 20, 200000);
    size_t order = 0;

    site_write("large.bin", NULL, size);
    site_get(client, "/large.bin", NULL);
    site_get(client, "/hello.txt", NULL);
    site_get(client, "/missing", NULL);
    site_get(client, "/hello.txt", NULL);
    for (int i = 0; i < 4; i++) {
        struct answer answer = site_receive(client);

        ck_assert_int_eq(answer.response.status, i == 2 ? 404 : 200);
        ck_assert_uint_eq(answer.length, i == 0 ? size : i == 2 ? answer.length : 12);
        answer_free(&answer);
    }
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);

    /* HTTP and its completion take turns; the missing file has none. */
    for (size_t i = 0;; i++) {
        static const enum libwebsocket_callback_reasons expected[] = {LWS_CALLBACK_HTTP,
            LWS_CALLBACK_HTTP_FILE_COMPLETION, LWS_CALLBACK_HTTP, LWS_CALLBACK_HTTP_FILE_COMPLETION,
            LWS_CALLBACK_HTTP, LWS_CALLBACK_HTTP, LWS_CALLBACK_HTTP_FILE_COMPLETION};
        const struct server_record *record = server_nth(server, i);

        if (!record || record->reason == LWS_CALLBACK_CLOSED_HTTP)
            break;
        if (record->reason != LWS_CALLBACK_HTTP &&
            record->reason != LWS_CALLBACK_HTTP_FILE_COMPLETION)
            continue;
        ck_assert_uint_lt(order, sizeof(expected) / sizeof(expected[0]));
        ck_assert_int_eq(record->reason, expected[order]);
        order++;
    }
    ck_assert_uint_eq(order, 7);
    server_stop(server);
}
END_TEST

START_TEST(byte_by_byte)
{
    static const char requests[] = GET_HELLO "\r\n" GET_HELLO;
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));

    for (size_t i = 0; i < sizeof(requests) - 1; i++)
        ws_send(client, requests + i, 1);
    site_expect(client, 200, SITE_HELLO);
    site_expect(client, 200, SITE_HELLO);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const struct {
    const char *target;
    const char *path;
} paths[] = {
    {"/", "/"},
    {"/a", "/a"},
    {"/a%20b", "/a b"},
    {"/%41%62%63", "/Abc"},
    {"/caf%C3%A9", "/caf\xc3\xa9"},
    {"/a%2Fb", "/a/b"},
    {"/100%25", "/100%"},
    {"/100%2525", "/100%25"},
    {"/a/./b", "/a/b"},
    {"/a/../b", "/b"},
    {"/a/b/../../c", "/c"},
    {"/../../etc/passwd", "/etc/passwd"},
    {"/%2e%2e/%2E%2e/etc/passwd", "/etc/passwd"},
    {"/a%2F..%2F..%2Fb", "/b"},
    {"/a/..", "/"},
    {"/a/.", "/a/"},
    {"/..", "/"},
    {"/...", "/..."},
    {"/.hidden", "/.hidden"},
    {"/a/", "/a/"},
    {"/a?b=c", "/a?b=c"},
    {"/a?", "/a?"},
    {"/a%20b?c%20d=%41+%00", "/a b?c%20d=%41+%00"},
    {"/a?b/../c", "/a?b/../c"},
    {"/a?b?c", "/a?b?c"},
    {"/a%3Fb", "/a%3Fb"},
    {"http://localhost/a/../b?c", "/b?c"},
    {"http://localhost", "/"},
    {"http://localhost?a", "/?a"},
    {"https://user.example:443/a", "/a"},
};

START_TEST(path_is_decoded)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    const struct server_record *record;

    site_get(client, paths[_i].target, "Connection: close\r\n");
    record = server_record(server, LWS_CALLBACK_HTTP, 0);
    ck_assert_uint_eq(record->len, strlen(paths[_i].path));
    ck_assert_str_eq((const char *)record->bytes, paths[_i].path);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const char *const bad_targets[] = {"/a%00b", "/%00", "/%", "/%4", "/%4g", "/%zz", "*", "a"};

START_TEST(bad_target_is_refused)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));

    site_get(client, bad_targets[_i], NULL);
    site_expect(client, 400, NULL);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 0);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* What the callback found in the header fields, told to the client as the body. */
static int fields_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    char host[64], uri[64], options[64], tiny[4], absent[16] = "untouched";

    (void)context, (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    ck_assert_int_eq(lws_hdr_total_length(wsi, WSI_TOKEN_HOST), 14);
    ck_assert_int_eq(lws_hdr_copy(wsi, host, sizeof(host), WSI_TOKEN_HOST), 14);
    ck_assert_str_eq(host, "localhost:1234");
    ck_assert_int_eq(lws_hdr_copy(wsi, host, 15, WSI_TOKEN_HOST), 14);
    ck_assert_int_eq(lws_hdr_copy(wsi, host, 14, WSI_TOKEN_HOST), -1);
    ck_assert_int_eq(lws_hdr_copy(wsi, tiny, sizeof(tiny), WSI_TOKEN_HOST), -1);
    ck_assert_int_eq(lws_hdr_copy(wsi, uri, sizeof(uri), WSI_TOKEN_GET_URI), 8);
    ck_assert_str_eq(uri, "/a b?c=d");
    ck_assert_int_eq(lws_hdr_copy(wsi, options, sizeof(options), WSI_TOKEN_CONNECTION), 16);
    ck_assert_str_eq(options, "close, something");
    ck_assert_int_eq(lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN), 0);
    ck_assert_int_eq(lws_hdr_copy(wsi, absent, sizeof(absent), WSI_TOKEN_ORIGIN), 0);
    ck_assert_str_eq(absent, "untouched");
    return -1;
}

START_TEST(header_fields)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = fields_callback}};
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));

    ws_send_text(client, "GET /a%20b?c=d HTTP/1.1\r\nhOsT: \t localhost:1234 \r\nConnection: close"
                         "\r\nX: y\r\nConnection: something\r\n\r\n");
    ws_expect_eof(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(date_is_now)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    struct answer answer;
    struct tm broken_down = {0};
    time_t before = time(NULL), date;
    char *text;

    site_get(client, "/hello.txt", NULL);
    answer = site_receive(client);
    text = ws_response_field(&answer.response, "Date");
    ck_assert_ptr_nonnull(strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &broken_down));
    date = timegm(&broken_down);
    ck_assert_int_ge(date, before - 1);
    ck_assert_int_le(date, time(NULL) + 1);
    ck_assert_uint_eq(strlen(text), 29);
    free(text);
    answer_free(&answer);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(idle_connection_is_closed)
{
    struct server_options options = {.extras = {.http_idle_timeout_ms = 300}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    int64_t start;

    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
    start = ws_now_ms();
    ws_expect_eof(client);
    ck_assert_int_ge(ws_now_ms() - start, 200);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    server_stop(server);
}
END_TEST

/* A connection on which nothing ever comes is closed without a word. */
START_TEST(silent_connection_is_closed)
{
    struct server_options options = {
        .extras = {.http_idle_timeout_ms = 300, .request_timeout_ms = 300}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect(server_port(server));

    ws_expect_eof(client);
    ws_free(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 0);
    server_stop(server);
}
END_TEST

/* The deadline is for the whole request: a byte now and then does not move it. */
START_TEST(trickle_times_out)
{
    struct server_options options = {.extras = {.request_timeout_ms = 500}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    int64_t start = ws_now_ms();
    bool alive = true;

    ws_send_text(client, "GET / HTTP/1.1\r\nX: ");
    for (int i = 0; i < 12 && alive; i++) {
        int64_t next = start + 40 * (i + 1);

        while (ws_now_ms() < next)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        alive = ws_try_send(client, "x", 1);
    }
    site_expect(client, 408, NULL);
    ws_expect_eof(client);
    ck_assert_int_ge(ws_now_ms() - start, 400);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* An open WebSocket is not an idle HTTP connection. */
START_TEST(deadlines_do_not_touch_websockets)
{
    struct server_options options = {
        .extras = {.http_idle_timeout_ms = 150, .request_timeout_ms = 150}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_open(server_port(server), "echo");

    ws_expect_silence(client, 600);
    ws_send_frame(client, WS_FIN | WS_TEXT, "still", 5);
    ws_expect_text(client, "still");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

Suite *http_requests_suite(void)
{
    Suite *suite = suite_create("HTTP requests");
    TCase *tcase = tcase_create("requests");

    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, get_is_answered);
    tcase_add_test(tcase, head_has_no_body);
    tcase_add_test(tcase, http_1_0_ends);
    tcase_add_test(tcase, http_1_0_is_kept_alive_where_asked);
    tcase_add_test(tcase, keep_alive);
    tcase_add_test(tcase, many_are_pipelined);
    tcase_add_test(tcase, pipelined_behind_a_file);
    tcase_add_test(tcase, byte_by_byte);
    tcase_add_loop_test(tcase, path_is_decoded, 0, (int)(sizeof(paths) / sizeof(paths[0])));
    tcase_add_loop_test(
        tcase, bad_target_is_refused, 0, (int)(sizeof(bad_targets) / sizeof(bad_targets[0])));
    tcase_add_test(tcase, header_fields);
    tcase_add_test(tcase, date_is_now);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("deadlines");
    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, idle_connection_is_closed);
    tcase_add_test(tcase, silent_connection_is_closed);
    tcase_add_test(tcase, trickle_times_out);
    tcase_add_test(tcase, deadlines_do_not_touch_websockets);
    suite_add_tcase(suite, tcase);
    return suite;
}
