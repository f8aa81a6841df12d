/* Files under way: large ones, slow readers, files that change, and what the callbacks are told. */
#include "../support/tls_stream.h"
#include "http_site.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static size_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%lu %lu", &total, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* Receives so many bytes, which are all zero. */
static void expect_zeroes(struct ws_client *client, size_t length)
{
    static unsigned char piece[65536], zero[65536];

    while (length > 0) {
        size_t now = length < sizeof(piece) ? length : sizeof(piece);

        ws_receive(client, piece, now);
        ck_assert_mem_eq(piece, zero, now);
        length -= now;
    }
}

/* Receives so many bytes, whatever they are. */
static void expect_some(struct ws_client *client, size_t length)
{
    static unsigned char piece[200001];

    ws_receive(client, piece, length);
}

START_TEST(large_file_in_constant_memory)
{
    struct server_options options = {.send_buffer = 65536};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 32768);
    size_t whole = (size_t)64 << 20;
    size_t size = harness_scale(whole, 300000);
    size_t before, most = 0;
    struct ws_response response;
    char expected[32];
    char *length;

    site_write("large.bin", NULL, size);
    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
    site_get(client, "/large.bin", NULL);
    response = ws_receive_head(client);
    length = ws_response_field(&response, "Content-Length");
    snprintf(expected, sizeof(expected), "%zu", size);
    ck_assert_str_eq(length, expected);
    free(length);
    ws_response_free(&response);
    expect_zeroes(client, 100000);
    before = resident_bytes();
    for (size_t left = size - 100000; left > 0;) {
        size_t now = left < (size_t)1 << 20 ? left : (size_t)1 << 20;
        size_t resident;

        expect_zeroes(client, now);
        left -= now;
        resident = resident_bytes();
        if (resident > most)
            most = resident;
    }
    /* OpenSSL frees a buffer for each record, which a sanitizer keeps. */
    if (size == whole && !(harness_sanitized() && harness_tls()))
        /* Far below the file's size, and above what a sanitizer keeps of freed memory. */
        ck_assert_msg(most < before + whole / 8, "memory grew by %zu bytes", most - before);
    server_wait(server, LWS_CALLBACK_HTTP_FILE_COMPLETION, 2);
    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(range_of_a_very_large_file)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    struct answer answer;

    /* Beyond what 32 bits count. */
    site_write("large.bin", NULL, (size_t)5 << 30);
    site_get(client, "/large.bin", "Range: bytes=5368709000-\r\n");
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 206);
    ck_assert_uint_eq(answer.length, 120);
    ck_assert(answer_has(&answer, "Content-Range", "bytes 5368709000-5368709119/5368709120"));
    answer_free(&answer);
    ws_send_text(client, "HEAD /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n");
    answer = site_receive_to_head(client);
    ck_assert(answer_has(&answer, "Content-Length", "5368709120"));
    answer_free(&answer);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* Slow readers of large files do not hold up others. */
START_TEST(others_are_served_meanwhile)
{
    struct server_options options = {.send_buffer = 16384};
    struct server *server = site_start(&options);
    struct ws_client *slow[5];
    struct ws_client *quick = ws_connect(server_port(server));
    struct ws_client *talking = ws_open(server_port(server), "echo");

    site_write("large.bin", NULL, (size_t)16 << 20);
    for (size_t i = 0; i < 5; i++) {
        slow[i] = ws_connect_small(server_port(server), 8192);
        site_get(slow[i], "/large.bin", NULL);
    }
    server_wait(server, LWS_CALLBACK_HTTP, 5);
    for (int i = 0; i < 20; i++) {
        site_get(quick, "/hello.txt", NULL);
        site_expect(quick, 200, SITE_HELLO);
        ws_send_frame(talking, WS_FIN | WS_TEXT, "hi", 2);
        ws_expect_text(talking, "hi");
    }
    for (size_t i = 0; i < 5; i++)
        ws_free(slow[i]);
    ws_finish(talking);
    ws_free(talking);
    ws_free(quick);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 6);
    server_stop(server);
}
END_TEST

START_TEST(shrinking_file_ends_its_connection_only)
{
    struct server_options options = {.send_buffer = 16384};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 8192);
    struct ws_client *other = ws_connect(server_port(server));
    size_t size = (size_t)16 << 20;
    struct ws_response response;
    size_t length;
    char *rest;

    site_write("shrinking.bin", NULL, size);
    site_get(client, "/shrinking.bin", NULL);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 200);
    ws_response_free(&response);
    ck_assert_int_eq(truncate(site_path("shrinking.bin"), 10), 0);

    rest = ws_receive_all(client, &length);
    ck_assert_uint_lt(length, size);
    /* What is broken off does not end like what is complete. */
    if (harness_tls())
        ck_assert(!tls_ended_cleanly(client));
    free(rest);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP_FILE_COMPLETION), 0);

    site_get(other, "/hello.txt", NULL);
    site_expect(other, 200, SITE_HELLO);
    ws_free(other);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 2);
    server_stop(server);
}
END_TEST

/* What was promised is sent, not what was added or put in its place. */
START_TEST(growing_and_vanishing_files)
{
    struct server_options options = {.send_buffer = 16384};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 8192);
    size_t size = harness_scale((size_t)4 << 20, 200000);
    struct ws_response response;

    site_write("large.bin", NULL, size);
    site_get(client, "/large.bin", NULL);
    response = ws_receive_head(client);
    ws_response_free(&response);
    ck_assert_int_eq(truncate(site_path("large.bin"), (off_t)(2 * size)), 0);
    ck_assert_int_eq(unlink(site_path("large.bin")), 0);
    expect_zeroes(client, size);
    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
    site_get(client, "/large.bin", NULL);
    site_expect(client, 404, NULL);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(client_leaves_in_the_middle)
{
    struct server_options options = {.send_buffer = 16384};
    struct server *server = site_start(&options);

    site_write("large.bin", NULL, (size_t)16 << 20);
    for (int i = 0; i < 4; i++) {
        struct ws_client *client = ws_connect_small(server_port(server), 8192);

        site_get(client, "/large.bin", NULL);
        server_wait(server, LWS_CALLBACK_HTTP, (size_t)i + 1);
        if (i % 2 == 0)
            ws_free(client);
        else
            ws_reset(client);
        server_wait(server, LWS_CALLBACK_CLOSED_HTTP, (size_t)i + 1);
    }
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP_FILE_COMPLETION), 0);
    server_stop(server);
}
END_TEST

/* Wherever in the sending of a file the reset comes, no SIGPIPE reaches the process. */
START_TEST(reset_at_any_moment)
{
    struct server *server = site_start(NULL);
    size_t rounds = harness_scale(1500, 50);
    size_t most = harness_scale(200000, 3000);

    site_write("large.bin", NULL, (size_t)16 << 20);
    for (size_t i = 0; i < rounds; i++) {
        struct ws_client *client = ws_connect(server_port(server));

        site_get(client, "/large.bin", NULL);
        expect_some(client, 1 + i * 397 % most);
        /* Behind a FIN the kernel takes a reset for EPIPE, else for ECONNRESET. */
        if (i % 4 != 0)
            ws_shutdown(client);
        ws_reset(client);
    }
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, rounds);
    server_stop(server);
}
END_TEST

START_TEST(client_that_does_not_read)
{
    struct server_options options = {
        .send_buffer = 16384, .extras = {.http_stall_timeout_ms = 400}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 8192);

    site_write("large.bin", NULL, (size_t)16 << 20);
    site_get(client, "/large.bin", NULL);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP_FILE_COMPLETION), 0);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* A client that reads a little now and then is slow, not stalled. */
START_TEST(slow_client_is_not_stalled)
{
    /* What goes in packets of a byte the system itself may hold back for seconds. */
    struct server_options options = {
        .send_buffer = 4096, .extras = {.http_stall_timeout_ms = harness_cut() ? 20000 : 4000}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 4096);
    struct ws_client *pacemaker = ws_connect(server_port(server));
    size_t size = 500000;
    struct ws_response response;

    site_write("large.bin", NULL, size);
    site_get(client, "/large.bin", NULL);
    response = ws_receive_head(client);
    ws_response_free(&response);
    for (size_t left = size; left > 0;) {
        size_t now = left < 50000 ? left : 50000;

        ws_expect_silence(pacemaker, 500);
        expect_zeroes(client, now);
        left -= now;
    }
    server_wait(server, LWS_CALLBACK_HTTP_FILE_COMPLETION, 1);
    ws_free(pacemaker);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* The context is destroyed while a file is under way. */
static void destroy_here(struct server *server, void *argument)
{
    (void)argument;
    server_destroy_context(server);
}

START_TEST(destroyed_in_the_middle)
{
    struct server_options options = {.send_buffer = 16384};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 8192);

    site_write("large.bin", NULL, (size_t)16 << 20);
    site_get(client, "/large.bin", NULL);
    server_wait(server, LWS_CALLBACK_HTTP, 1);
    server_run(server, destroy_here, NULL);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

static int close_at_completion(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_HTTP_FILE_COMPLETION)
        return 1;
    return site_callback(context, wsi, reason, user, in, len);
}

START_TEST(completion_may_close)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = close_at_completion}};
    struct server_options options = {.protocols = protocols};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect(server_port(server));

    site_get(client, "/hello.txt", NULL);
    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
    ws_expect_eof(client);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP_FILE_COMPLETION), 1);
    server_stop(server);
}
END_TEST

/* What serve returns, and that it is misuse where no request waits. */
struct serving {
    struct libwebsocket *wsi;
    int first, second, second_error;
};

static int serve_twice(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct serving *serving = server_user(server_here());

    (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    serving->first = libwebsockets_serve_http_file(context, wsi, site_path("hello.txt"), NULL);
    errno = 0;
    serving->second = libwebsockets_serve_http_file(context, wsi, site_path("hello.txt"), NULL);
    serving->second_error = errno;
    return 0;
}

START_TEST(one_answer_for_one_request)
{
    struct serving serving = {.first = -2, .second = -2};
    struct libwebsocket_protocols protocols[2] = {{.callback = serve_twice}};
    struct server_options options = {.protocols = protocols, .user = &serving};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect(server_port(server));

    for (int i = 0; i < 2; i++) {
        site_get(client, "/", NULL);
        site_expect(client, 200, SITE_HELLO);
    }
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP_FILE_COMPLETION), 2);
    server_stop(server);
    ck_assert_int_eq(serving.first, 0);
    ck_assert_int_eq(serving.second, -1);
    ck_assert_int_eq(serving.second_error, EINVAL);
}
END_TEST

static void serve_on_websocket(struct server *server, void *argument)
{
    struct serving *serving = argument;

    errno = 0;
    serving->first = libwebsockets_serve_http_file(
        server_context(server), server_last_wsi(server), site_path("hello.txt"), NULL);
    serving->second_error = errno;
}

START_TEST(no_file_on_a_websocket)
{
    struct serving serving = {.first = -2};
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, serve_on_websocket, &serving);
    ck_assert_int_eq(serving.first, -1);
    ck_assert_int_eq(serving.second_error, EINVAL);
    ws_send_frame(client, WS_FIN | WS_TEXT, "hi", 2);
    ws_expect_text(client, "hi");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* A file is served later, from outside of every callback. */
static int remember(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct serving *serving = server_user(server_here());

    (void)context, (void)user, (void)in, (void)len;
    if (reason == LWS_CALLBACK_HTTP)
        serving->wsi = wsi;
    return 0;
}

static void serve_later(struct server *server, void *argument)
{
    struct serving *serving = argument;
    size_t before = server_count(server, LWS_CALLBACK_HTTP_FILE_COMPLETION);

    serving->first = libwebsockets_serve_http_file(
        server_context(server), serving->wsi, site_path("hello.txt"), NULL);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP_FILE_COMPLETION), before);
}

START_TEST(served_later)
{
    struct serving serving = {.first = -2};
    struct libwebsocket_protocols protocols[2] = {{.callback = remember}};
    struct server_options options = {.protocols = protocols, .user = &serving};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect(server_port(server));

    for (size_t i = 0; i < 3; i++) {
        site_get(client, "/", NULL);
        server_wait(server, LWS_CALLBACK_HTTP, i + 1);
        ws_expect_silence(client, 50);
        server_run(server, serve_later, &serving);
        ck_assert_int_eq(serving.first, 0);
        site_expect(client, 200, SITE_HELLO);
        server_wait(server, LWS_CALLBACK_HTTP_FILE_COMPLETION, i + 1);
    }
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    server_stop(server);
}
END_TEST

/* At older levels only, where it is how a program ends a connection behind its answer. */
void libwebsockets_hangup_on_client(struct libwebsocket_context *context, int fd)
    LWS_LINK(libwebsockets_hangup_on_client);

enum hanging_up { INSIDE, OUTSIDE, HANGING_UPS };

static void hang_up(struct server *server, void *argument)
{
    struct serving *serving = argument;

    libwebsockets_hangup_on_client(
        server_context(server), libwebsocket_get_socket_fd(serving->wsi));
}

static int serve_large(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct serving *serving = server_user(server_here());

    (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    serving->wsi = wsi;
    serving->first = libwebsockets_serve_http_file(context, wsi, site_path("large.bin"), NULL);
    if (serving->second == INSIDE)
        hang_up(server_here(), serving);
    return 0;
}

START_TEST(hung_up_behind_a_file)
{
    struct serving serving = {.second = _i};
    struct libwebsocket_protocols protocols[2] = {{.callback = serve_large}};
    struct server_options options = {
        .protocols = protocols, .user = &serving, .send_buffer = 65536};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 32768);
    size_t size = harness_scale((size_t)4 << 20, 300000);
    struct ws_response response;

    site_write("large.bin", NULL, size);
    site_get(client, "/", NULL);
    site_get(client, "/", NULL);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 200);
    ws_response_free(&response);
    if (_i == OUTSIDE)
        server_run(server, hang_up, &serving);
    expect_zeroes(client, size);
    ws_expect_eof(client);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_int_eq(serving.first, 0);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 1);
    server_stop(server);
}
END_TEST

Suite *http_transfers_suite(void)
{
    Suite *suite = suite_create("HTTP transfers");
    TCase *tcase = tcase_create("transfers");

    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, large_file_in_constant_memory);
    tcase_add_test(tcase, range_of_a_very_large_file);
    tcase_add_test(tcase, others_are_served_meanwhile);
    tcase_add_test(tcase, shrinking_file_ends_its_connection_only);
    tcase_add_test(tcase, growing_and_vanishing_files);
    tcase_add_test(tcase, client_leaves_in_the_middle);
    tcase_add_test(tcase, reset_at_any_moment);
    tcase_add_test(tcase, client_that_does_not_read);
    tcase_add_test(tcase, slow_client_is_not_stalled);
    tcase_add_test(tcase, destroyed_in_the_middle);
    tcase_add_test(tcase, completion_may_close);
    tcase_add_test(tcase, one_answer_for_one_request);
    tcase_add_test(tcase, no_file_on_a_websocket);
    tcase_add_test(tcase, served_later);
    tcase_add_loop_test(tcase, hung_up_behind_a_file, 0, HANGING_UPS);
    suite_add_tcase(suite, tcase);
    return suite;
}
