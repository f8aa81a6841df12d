/* libwebsockets_serve_http_file: what is sent of which file, conditions and ranges. */
#include "http_site.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATTERN_SIZE 100000u

/* A server, a client, and a file of letters that is an hour old. */
static struct server *server;
static struct ws_client *client;
static unsigned char *pattern;
static char modified[40];

static void make_old(const char *name)
{
    struct timespec times[2];
    struct tm broken_down;
    time_t then = time(NULL) - 3600;

    times[0] = times[1] = (struct timespec){.tv_sec = then};
    ck_assert_int_eq(utimensat(AT_FDCWD, site_path(name), times, 0), 0);
    ck_assert_ptr_nonnull(gmtime_r(&then, &broken_down));
    strftime(modified, sizeof(modified), "%a, %d %b %Y %H:%M:%S GMT", &broken_down);
}

static void set_up(void)
{
    pattern = harness_pattern(PATTERN_SIZE, 1);
    site_write("pattern.bin", pattern, PATTERN_SIZE);
    make_old("pattern.bin");
    server = site_start(NULL);
    client = ws_connect(server_port(server));
}

static void tear_down(void)
{
    ws_free(client);
    server_stop(server);
    free(pattern);
}

static struct answer ask(const char *path, const char *fields)
{
    site_get(client, path, fields);
    return site_receive(client);
}

/* The connection is still good. */
static void expect_hello(void)
{
    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
}

START_TEST(whole_file)
{
    struct answer answer = ask("/pattern.bin", NULL);

    ck_assert_int_eq(answer.response.status, 200);
    ck_assert_uint_eq(answer.length, PATTERN_SIZE);
    ck_assert_mem_eq(answer.body, pattern, PATTERN_SIZE);
    ck_assert(answer_has(&answer, "Content-Length", "100000"));
    ck_assert(answer_has(&answer, "Content-Type", "text/plain"));
    ck_assert(answer_has(&answer, "Last-Modified", modified));
    ck_assert(answer_has(&answer, "Accept-Ranges", "bytes"));
    answer_free(&answer);
    expect_hello();
}
END_TEST

START_TEST(empty_file)
{
    struct answer answer = ask("/empty", NULL);

    ck_assert_int_eq(answer.response.status, 200);
    ck_assert(answer_has(&answer, "Content-Length", "0"));
    answer_free(&answer);
    server_wait(server, LWS_CALLBACK_HTTP_FILE_COMPLETION, 1);
    expect_hello();
}
END_TEST

START_TEST(head_of_a_file)
{
    struct answer answer;

    ws_send_text(
        client, "HEAD /pattern.bin HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-9\r\n\r\n");
    answer = site_receive_to_head(client);
    ck_assert_int_eq(answer.response.status, 200);
    ck_assert(answer_has(&answer, "Content-Length", "100000"));
    ck_assert(answer_has(&answer, "Last-Modified", modified));
    ck_assert(!answer_has(&answer, "Content-Range", NULL));
    answer_free(&answer);
    expect_hello();
}
END_TEST

static const struct {
    const char *range;
    int status;
    size_t first, length;
} ranges[] = {
    {"bytes=0-0", 206, 0, 1},
    {"bytes=0-99", 206, 0, 100},
    {"bytes=100-199", 206, 100, 100},
    {"bytes=99999-99999", 206, 99999, 1},
    {"bytes=99999-", 206, 99999, 1},
    {"bytes=0-", 206, 0, PATTERN_SIZE},
    {"bytes=5-", 206, 5, PATTERN_SIZE - 5},
    {"bytes=-1", 206, PATTERN_SIZE - 1, 1},
    {"bytes=-500", 206, PATTERN_SIZE - 500, 500},
    {"bytes=-100000", 206, 0, PATTERN_SIZE},
    {"bytes=-200000", 206, 0, PATTERN_SIZE},
    {"bytes=99990-200000", 206, 99990, 10},
    {"bytes=0-18446744073709551615", 206, 0, PATTERN_SIZE},
    {"bytes=0-99999999999999999999999", 206, 0, PATTERN_SIZE},
    {"Bytes=0-9", 206, 0, 10},
    {"bytes=100000-", 416, 0, 0},
    {"bytes=100000-100001", 416, 0, 0},
    {"bytes=99999999999999999999999-", 416, 0, 0},
    {"bytes=-0", 416, 0, 0},
    {"bytes=10-9", 200, 0, PATTERN_SIZE},
    {"bytes=", 200, 0, PATTERN_SIZE},
    {"bytes=-", 200, 0, PATTERN_SIZE},
    {"bytes=a-b", 200, 0, PATTERN_SIZE},
    {"bytes=1-2x", 200, 0, PATTERN_SIZE},
    {"bytes=+1-2", 200, 0, PATTERN_SIZE},
    {"bytes 1-2", 200, 0, PATTERN_SIZE},
    {"bytes", 200, 0, PATTERN_SIZE},
    {"lines=1-2", 200, 0, PATTERN_SIZE},
    {"bytes=0-1, 4-5", 200, 0, PATTERN_SIZE},
};

START_TEST(range)
{
    char field[100], expected[100];
    struct answer answer;
    int status = ranges[_i].status;

    snprintf(field, sizeof(field), "Range: %s\r\n", ranges[_i].range);
    answer = ask("/pattern.bin", field);
    ck_assert_int_eq(answer.response.status, status);
    if (status == 416) {
        ck_assert(answer_has(&answer, "Content-Range", "bytes */100000"));
    } else {
        ck_assert_uint_eq(answer.length, ranges[_i].length);
        ck_assert_mem_eq(answer.body, pattern + ranges[_i].first, ranges[_i].length);
    }
    if (status == 206) {
        snprintf(expected, sizeof(expected), "bytes %zu-%zu/100000", ranges[_i].first,
            ranges[_i].first + ranges[_i].length - 1);
        ck_assert(answer_has(&answer, "Content-Range", expected));
        ck_assert(answer_has(&answer, "Last-Modified", modified));
    }
    ck_assert(status != 200 || !answer_has(&answer, "Content-Range", NULL));
    answer_free(&answer);
    expect_hello();
}
END_TEST

/* %s stands for the file's date. */
static const struct {
    const char *fields;
    int status;
} conditions[] = {
    {"If-Modified-Since: %s\r\n", 304},
    {"If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 200},
    {"If-Modified-Since: Saturday, 01-Jan-00 00:00:00 GMT\r\n", 200},
    {"If-Modified-Since: Sat Jan  1 00:00:00 2000\r\n", 200},
    {"If-Modified-Since: Thu Dec 31 23:59:59 2037\r\n", 304},
    {"If-Modified-Since: Thursday, 31-Dec-37 23:59:59 GMT\r\n", 304},
    {"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n", 304},
    {"If-Modified-Since: yesterday\r\n", 200},
    {"If-Modified-Since: \r\n", 200},
    {"If-Modified-Since: Sat, 31 Feb 2100 00:00:00 GMT\r\n", 200},
    {"If-Modified-Since: Fri, 01 Jan 2100 00:00:00\r\n", 200},
    {"If-Modified-Since: %s\r\nIf-None-Match: \"other\"\r\n", 200},
    {"If-Modified-Since: %s\r\nRange: bytes=0-9\r\n", 304},
    {"If-None-Match: *\r\n", 304},
    {"If-Match: *\r\n", 200},
    {"If-Match: \"other\"\r\n", 412},
    {"If-Unmodified-Since: %s\r\n", 200},
    {"If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 412},
    {"If-Unmodified-Since: yesterday\r\n", 200},
    {"Range: bytes=0-9\r\nIf-Range: %s\r\n", 206},
    {"Range: bytes=0-9\r\nIf-Range: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 200},
    {"Range: bytes=0-9\r\nIf-Range: Fri, 01 Jan 2100 00:00:00 GMT\r\n", 200},
    {"Range: bytes=0-9\r\nIf-Range: \"tag\"\r\n", 200},
    {"Range: bytes=0-9\r\nIf-Range: W/\"tag\"\r\n", 200},
    {"Range: bytes=200000-\r\nIf-Range: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 200},
    {"If-Range: %s\r\n", 200},
    {"Range: bytes=0-9\r\nRange: bytes=0-9\r\n", 200},
};

START_TEST(condition)
{
    char fields[300];
    struct answer answer;
    const char *at = strstr(conditions[_i].fields, "%s");
    int before = at ? (int)(at - conditions[_i].fields) : 0;

    snprintf(fields, sizeof(fields), "%.*s%s%s", before, conditions[_i].fields, at ? modified : "",
        at ? at + 2 : conditions[_i].fields);
    answer = ask("/pattern.bin", fields);
    ck_assert_int_eq(answer.response.status, conditions[_i].status);
    if (answer.response.status == 200)
        ck_assert_uint_eq(answer.length, PATTERN_SIZE);
    if (answer.response.status == 206)
        ck_assert_uint_eq(answer.length, 10);
    if (answer.response.status == 304)
        ck_assert(answer_has(&answer, "Last-Modified", modified));
    answer_free(&answer);
    expect_hello();
}
END_TEST

START_TEST(not_modified_to_head)
{
    char request[200];
    struct answer answer;

    snprintf(request, sizeof(request),
        "HEAD /pattern.bin HTTP/1.1\r\nHost: localhost\r\nIf-Modified-Since: %s\r\n\r\n", modified);
    ws_send_text(client, request);
    answer = site_receive_to_head(client);
    ck_assert_int_eq(answer.response.status, 304);
    answer_free(&answer);
    expect_hello();
}
END_TEST

START_TEST(missing_files)
{
    site_get(client, "/missing", NULL);
    site_expect(client, 404, NULL);
    site_get(client, "/hello.txt/below", NULL);
    site_expect(client, 404, NULL);
    ck_assert_int_eq(symlink("nowhere", site_path("dangling")), 0);
    site_get(client, "/dangling", NULL);
    site_expect(client, 404, NULL);
    ck_assert_int_eq(unlink(site_path("dangling")), 0);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP_FILE_COMPLETION), 0);
    expect_hello();
}
END_TEST

START_TEST(symbolic_links_are_followed)
{
    ck_assert_int_eq(symlink("hello.txt", site_path("link")), 0);
    site_get(client, "/link", NULL);
    site_expect(client, 200, SITE_HELLO);
    ck_assert_int_eq(unlink(site_path("link")), 0);
}
END_TEST

START_TEST(directories_are_refused)
{
    site_get(client, "/folder", NULL);
    site_expect(client, 403, NULL);
    site_get(client, "/", NULL);
    site_expect(client, 403, NULL);
    expect_hello();
}
END_TEST

START_TEST(pipes_are_never_opened)
{
    char events[4096] __attribute__((aligned(8)));
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    ck_assert_int_ge(watch, 0);
    ck_assert_int_ge(inotify_add_watch(watch, site_path("pipe"), IN_OPEN), 0);
    site_get(client, "/pipe", NULL);
    site_expect(client, 403, NULL);
    ck_assert_int_eq(symlink("pipe", site_path("link")), 0);
    site_get(client, "/link", NULL);
    site_expect(client, 403, NULL);
    ck_assert_int_eq(unlink(site_path("link")), 0);
    ck_assert_int_eq(read(watch, events, sizeof(events)), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(close(watch), 0);
    expect_hello();
}
END_TEST

static int device_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user, (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    return libwebsockets_serve_http_file(context, wsi, in, "text/plain");
}

START_TEST(devices_are_refused)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/tty"};
    struct libwebsocket_protocols protocols[2] = {{.callback = device_callback}};
    struct server_options options = {.protocols = protocols};
    struct server *other = server_start(&options);
    struct ws_client *asking = ws_connect(server_port(other));

    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        site_get(asking, devices[i], NULL);
        site_expect(asking, 403, NULL);
    }
    ws_free(asking);
    server_stop(other);
}
END_TEST

/* Root reads everything; the loop's thread alone becomes nobody to the file system. */
static void become_nobody(struct server *here, void *argument)
{
    (void)here, (void)argument;
    setfsuid(65534);
}

START_TEST(unreadable_files_are_refused)
{
    site_write("secret", "secret", 6);
    ck_assert_int_eq(chmod(site_path("secret"), 0), 0);
    ck_assert_int_eq(chmod(site_path("."), 0755), 0);
    if (geteuid() == 0)
        server_run(server, become_nobody, NULL);
    site_get(client, "/secret", NULL);
    site_expect(client, 403, NULL);
    expect_hello();
}
END_TEST

/* The types that could smuggle a header field in are refused, and none is none. */
static int type_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *path = in;

    (void)user, (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    if (strcmp(path, "/none") == 0)
        return libwebsockets_serve_http_file(context, wsi, site_path("hello.txt"), NULL);
    errno = 0;
    ck_assert_int_eq(libwebsockets_serve_http_file(
                         context, wsi, site_path("hello.txt"), "text/plain\r\nX-Bad: 1"),
        -1);
    ck_assert_int_eq(errno, EINVAL);
    return -1;
}

START_TEST(content_types)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = type_callback}};
    struct server_options options = {.protocols = protocols};
    struct server *other = server_start(&options);
    struct ws_client *asking = ws_connect(server_port(other));
    struct answer answer;

    site_get(asking, "/none", NULL);
    answer = site_receive(asking);
    ck_assert_str_eq(answer.body, SITE_HELLO);
    ck_assert(!answer_has(&answer, "Content-Type", NULL));
    answer_free(&answer);
    site_get(asking, "/bad", NULL);
    ws_expect_eof(asking);
    ws_free(asking);
    server_stop(other);
}
END_TEST

static TCase *with_site(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    return tcase;
}

Suite *http_files_suite(void)
{
    Suite *suite = suite_create("HTTP files");
    TCase *tcase = with_site("what is sent");

    tcase_add_test(tcase, whole_file);
    tcase_add_test(tcase, empty_file);
    tcase_add_test(tcase, head_of_a_file);
    tcase_add_test(tcase, not_modified_to_head);
    suite_add_tcase(suite, tcase);

    tcase = with_site("ranges");
    tcase_add_loop_test(tcase, range, 0, (int)(sizeof(ranges) / sizeof(ranges[0])));
    suite_add_tcase(suite, tcase);

    tcase = with_site("conditions");
    tcase_add_loop_test(tcase, condition, 0, (int)(sizeof(conditions) / sizeof(conditions[0])));
    suite_add_tcase(suite, tcase);

    tcase = with_site("kinds of file");
    tcase_add_test(tcase, missing_files);
    tcase_add_test(tcase, symbolic_links_are_followed);
    tcase_add_test(tcase, directories_are_refused);
    tcase_add_test(tcase, pipes_are_never_opened);
    tcase_add_test(tcase, unreadable_files_are_refused);
    suite_add_tcase(suite, tcase);

    /* With servers of their own. */
    tcase = tcase_create("callbacks");
    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, devices_are_refused);
    tcase_add_test(tcase, content_types);
    suite_add_tcase(suite, tcase);
    return suite;
}
