/* What needs no connection: hashes, random bytes, base64, names, and the log. */

/* This file defines what a fortified header would turn into something else. */
#undef _FORTIFY_SOURCE

#include "harness.h"
#include "suites.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

enum { SHA1_SIZE = 20, LINES = 32, LINE_SIZE = 1100, LINE_LENGTH = 1023 };

START_TEST(sha1)
{
    static const unsigned char of_abc[SHA1_SIZE] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a,
        0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    static const unsigned char of_nothing[SHA1_SIZE] = {0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b,
        0x0d, 0x32, 0x55, 0xbf, 0xef, 0x95, 0x60, 0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09};
    const unsigned char *abc = (const unsigned char *)"abc";
    unsigned char md[SHA1_SIZE + 1];

    memset(md, 0xee, sizeof md);
    ck_assert_ptr_eq(libwebsockets_SHA1(abc, 3, md), md);
    ck_assert_mem_eq(md, of_abc, SHA1_SIZE);
    ck_assert_ptr_eq(libwebsockets_SHA1(abc, 0, md), md);
    ck_assert_mem_eq(md, of_nothing, SHA1_SIZE);
    memset(md, 0xee, sizeof md);
    ck_assert_ptr_eq(libwebsockets_SHA1(NULL, 0, md), md);
    ck_assert_mem_eq(md, of_nothing, SHA1_SIZE);
    ck_assert_uint_eq(md[SHA1_SIZE], 0xee);
    ck_assert_ptr_null(libwebsockets_SHA1(abc, 3, NULL));
    ck_assert_ptr_null(libwebsockets_SHA1(NULL, 1, md));
}
END_TEST

START_TEST(random_bytes)
{
    unsigned char draws[2][33];

    memset(draws, 0xee, sizeof draws);
    ck_assert_int_eq(libwebsockets_get_random(NULL, draws[0], 0), 0);
    ck_assert_int_eq(libwebsockets_get_random(NULL, draws[0], -1), -1);
    for (size_t i = 0; i < sizeof draws[0]; i++)
        ck_assert_uint_eq(draws[0][i], 0xee);
    ck_assert_int_eq(libwebsockets_get_random(NULL, NULL, 8), -1);
    ck_assert_int_eq(libwebsockets_get_random(NULL, NULL, 0), -1);
    ck_assert_int_eq(libwebsockets_get_random(NULL, draws[0], 32), 32);
    ck_assert_int_eq(libwebsockets_get_random(NULL, draws[1], 32), 32);
    ck_assert_int_ne(memcmp(draws[0], draws[1], 32), 0);
    ck_assert_uint_eq(draws[0][32], 0xee);
    ck_assert_uint_eq(draws[1][32], 0xee);
}
END_TEST

/* RFC 4648 section 10. */
static const struct {
    const char *bytes;
    const char *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

START_TEST(base64_vectors)
{
    const char *bytes = vectors[_i].bytes;
    const char *text = vectors[_i].text;
    int bytes_length = (int)strlen(bytes);
    int text_length = (int)strlen(text);
    char out[16];

    memset(out, '?', sizeof out);
    ck_assert_int_eq(lws_b64_encode_string(bytes, bytes_length, out, text_length + 1), text_length);
    ck_assert_str_eq(out, text);
    ck_assert_int_eq(out[text_length + 1], '?');
    ck_assert_int_eq(lws_b64_encode_string(bytes, bytes_length, out, text_length), -1);
    ck_assert_int_eq(lws_b64_encode_string(bytes, bytes_length, out, 0), -1);

    memset(out, '?', sizeof out);
    ck_assert_int_eq(lws_b64_decode_string(text, out, bytes_length + 1), bytes_length);
    ck_assert_str_eq(out, bytes);
    ck_assert_int_eq(out[bytes_length + 1], '?');
    ck_assert_int_eq(lws_b64_decode_string(text, out, bytes_length), -1);
    ck_assert_int_eq(lws_b64_decode_string(text, out, 0), -1);
}
END_TEST

START_TEST(base64_misuse)
{
    static const char *const bad_texts[] = {
        "Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zg=v", "Zm9v\n", " Zm9", "Zm-_", "Zg==Zg=="};
    char out[16];

    ck_assert_int_eq(lws_b64_encode_string("foo", -1, out, sizeof out), -1);
    ck_assert_int_eq(lws_b64_encode_string("foo", 3, out, -1), -1);
    ck_assert_int_eq(lws_b64_encode_string(NULL, 3, out, sizeof out), -1);
    ck_assert_int_eq(lws_b64_encode_string("foo", 3, NULL, sizeof out), -1);
    ck_assert_int_eq(lws_b64_decode_string("Zm9v", out, -1), -1);
    ck_assert_int_eq(lws_b64_decode_string(NULL, out, sizeof out), -1);
    ck_assert_int_eq(lws_b64_decode_string("Zm9v", NULL, sizeof out), -1);
    for (int i = 0; i < COUNT(bad_texts); i++)
        ck_assert_msg(
            lws_b64_decode_string(bad_texts[i], out, sizeof out) == -1, "\"%s\"", bad_texts[i]);

    /* Bytes of any value, NULs too. */
    ck_assert_int_eq(lws_b64_encode_string("\0\xff\0", 3, out, sizeof out), 4);
    ck_assert_str_eq(out, "AP8A");
    ck_assert_int_eq(lws_b64_decode_string("AP8A", out, 4), 3);
    ck_assert_mem_eq(out, "\0\xff\0", 4);
}
END_TEST

START_TEST(library_version)
{
    ck_assert_str_eq(lws_get_library_version(), PACKAGE_VERSION);
}
END_TEST

static void copy_host_name(struct server *server, void *argument)
{
    const char *name = libwebsocket_canonical_hostname(server_context(server));

    ck_assert_ptr_nonnull(name);
    snprintf(argument, 256, "%s", name);
}

static void skip_host_name(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->options |= LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
}

START_TEST(host_name)
{
    struct server_options options = {0};
    char expected[256] = "localhost";
    char name[256] = "";
    struct server *server;

    if (_i == 0) {
        ck_assert_int_eq(gethostname(expected, sizeof expected), 0);
        ck_assert_int_ne(expected[0], '\0');
    } else {
        options.adjust = skip_host_name;
    }
    server = server_start(&options);
    server_run(server, copy_host_name, name);
    ck_assert_str_eq(name, expected);
    ck_assert_ptr_null(libwebsocket_canonical_hostname(NULL));
    server_stop(server);
}
END_TEST

static int users_own;

static void set_user(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->user = &users_own;
}

static void clear_user(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->user = NULL;
}

static void expect_user(struct server *server, void *argument)
{
    ck_assert_ptr_eq(libwebsocket_context_user(server_context(server)), argument);
}

START_TEST(context_user)
{
    struct server_options options = {.adjust = _i == 0 ? set_user : clear_user};
    struct server *server = server_start(&options);

    server_run(server, expect_user, _i == 0 ? &users_own : NULL);
    ck_assert_ptr_null(libwebsocket_context_user(NULL));
    server_stop(server);
}
END_TEST

static void name_only_a_certificate(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->ssl_cert_filepath = "no-such-certificate.pem";
    info->ssl_private_key_filepath = NULL;
}

START_TEST(a_certificate_needs_a_key)
{
    struct server_options options = {.adjust = name_only_a_certificate, .may_fail = true};
    struct server *server = server_start(&options);

    ck_assert_ptr_null(server_context(server));
    ck_assert_ptr_nonnull(strstr(server_error(server), "private key"));
    server_stop(server);
}
END_TEST

/* Answers each piece with what the functions that are about its frame say. */
static int telling_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    char answer[64];

    (void)context;
    (void)user;
    if (reason != LWS_CALLBACK_RECEIVE)
        return 0;
    snprintf(answer, sizeof answer, "%.*s binary=%d reserved=%u", (int)len, (const char *)in,
        lws_frame_is_binary(wsi), libwebsocket_get_reserved_bits(wsi));
    ck_assert_int_eq(send_text(wsi, answer), (int)strlen(answer));
    return 0;
}

static struct libwebsocket_protocols telling_protocols[] = {
    {.name = "http", .callback = discard_callback},
    {.name = "telling", .callback = telling_callback},
    {.name = NULL},
};

START_TEST(kind_and_reserved_bits)
{
    struct server_options options = {.protocols = telling_protocols};
    struct server *server = server_start(&options);
    struct ws_client *client;

    /* Not with permessage-deflate, which takes one of the bits. */
    ws_compress(false);
    client = ws_open(server_port(server), "telling");
    ws_send_frame(client, WS_FIN | WS_TEXT, "a", 1);
    ws_expect_text(client, "a binary=0 reserved=0");
    ws_send_frame(client, WS_FIN | WS_BINARY, "b", 1);
    ws_expect_text(client, "b binary=1 reserved=0");

    /* Each fragment is of its message's kind, whatever comes between them. */
    ws_send_frame(client, WS_BINARY, "c", 1);
    ws_expect_text(client, "c binary=1 reserved=0");
    ws_send_frame(client, WS_FIN | WS_PING, "!", 1);
    ws_expect_frame(client, WS_FIN | WS_PONG, "!", 1);
    ws_send_frame(client, WS_CONTINUATION, "d", 1);
    ws_expect_text(client, "d binary=1 reserved=0");
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, "e", 1);
    ws_expect_text(client, "e binary=1 reserved=0");
    ws_send_frame(client, WS_TEXT, "f", 1);
    ws_expect_text(client, "f binary=0 reserved=0");
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, "g", 1);
    ws_expect_text(client, "g binary=0 reserved=0");

    ck_assert_int_eq(lws_frame_is_binary(NULL), 0);
    ck_assert_uint_eq(libwebsocket_get_reserved_bits(NULL), 0);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* What was logged, or went to syslog, in this process. */
static struct {
    int level;
    char line[LINE_SIZE];
} lines[LINES];
static int line_count;

static void keep_line(int level, const char *line)
{
    ck_assert_int_lt(line_count, LINES);
    ck_assert_uint_lt(strlen(line), LINE_SIZE);
    lines[line_count].level = level;
    memcpy(lines[line_count].line, line, strlen(line) + 1);
    line_count++;
}

static void expect_line(int n, int level, const char *line)
{
    ck_assert_int_lt(n, line_count);
    ck_assert_int_eq(lines[n].level, level);
    ck_assert_str_eq(lines[n].line, line);
}

START_TEST(log_levels)
{
    int level = 1 << _i;
    char expected[32];

    snprintf(expected, sizeof expected, "level %d\n", level);
    lws_set_log_level(level, keep_line);
    for (int i = 0; i < LLL_COUNT; i++)
        _lws_log(1 << i, "level %d\n", 1 << i);
    ck_assert_int_eq(line_count, 1);
    expect_line(0, level, expected);

    /* All but that one, to the same function. */
    line_count = 0;
    lws_set_log_level(((1 << LLL_COUNT) - 1) & ~level, NULL);
    for (int i = 0; i < LLL_COUNT; i++)
        _lws_log(1 << i, "again\n");
    ck_assert_int_eq(line_count, LLL_COUNT - 1);
    for (int i = 0; i < line_count; i++)
        expect_line(i, i < _i ? 1 << i : 2 << i, "again\n");

    line_count = 0;
    lws_set_log_level(0, NULL);
    for (int i = 0; i < LLL_COUNT; i++)
        _lws_log(1 << i, "silence\n");
    ck_assert_int_eq(line_count, 0);
}
END_TEST

START_TEST(log_macros)
{
    lws_set_log_level((1 << LLL_COUNT) - 1, keep_line);
    lwsl_err("%s %d", "one", 1);
    lwsl_warn("two\n");
    lwsl_notice("three\n");
    lwsl_info("four\n");
    lwsl_debug("five\n");
    lwsl_parser("six\n");
    lwsl_header("seven\n");
    lwsl_ext("eight\n");
    lwsl_client("nine\n");
    lwsl_latency("%s", "");
    ck_assert_int_eq(line_count, LLL_COUNT);
    expect_line(0, LLL_ERR, "one 1\n");
    expect_line(1, LLL_WARN, "two\n");
    expect_line(2, LLL_NOTICE, "three\n");
    expect_line(3, LLL_INFO, "four\n");
    expect_line(4, LLL_DEBUG, "five\n");
    expect_line(5, LLL_PARSER, "six\n");
    expect_line(6, LLL_HEADER, "seven\n");
    expect_line(7, LLL_EXT, "eight\n");
    expect_line(8, LLL_CLIENT, "nine\n");
    expect_line(9, LLL_LATENCY, "\n");
}
END_TEST

/* With a newline of their own and without, around the most that a line may have. */
START_TEST(long_lines_are_cut)
{
    char text[LINE_SIZE + 1];

    lws_set_log_level(LLL_ERR, keep_line);
    for (int length = LINE_LENGTH - 3; length < LINE_SIZE; length++) {
        for (int newline = 0; newline <= 1; newline++) {
            int whole = length + 1 < LINE_LENGTH ? length + 1 : LINE_LENGTH;

            memset(text, 'x', (size_t)length);
            strcpy(text + length, newline ? "\n" : "");
            line_count = 0;
            lwsl_err("%s", text);
            ck_assert_int_eq(line_count, 1);
            ck_assert_uint_eq(strlen(lines[0].line), (size_t)whole);
            ck_assert_int_eq(lines[0].line[whole - 1], '\n');
            ck_assert_uint_eq(strspn(lines[0].line, "x"), (size_t)whole - 1);
        }
    }
}
END_TEST

START_TEST(hexdump)
{
    unsigned char bytes[18];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)('A' + i);
    bytes[1] = '\0';
    bytes[2] = 0x1f;
    bytes[3] = 0x7e;
    bytes[4] = 0x7f;
    bytes[5] = 0xff;
    bytes[6] = ' ';
    lws_set_log_level(LLL_ERR | LLL_INFO, keep_line);
    lwsl_hexdump(bytes, sizeof bytes);
    ck_assert_int_eq(line_count, 0);
    lws_set_log_level(LLL_DEBUG, NULL);
    lwsl_hexdump(bytes, sizeof bytes);
    ck_assert_int_eq(line_count, 2);
    expect_line(
        0, LLL_DEBUG, "0000: 41 00 1F 7E 7F FF 20 48 49 4A 4B 4C 4D 4E 4F 50  A..~.. HIJKLMNOP\n");
    expect_line(1, LLL_DEBUG, "0010: 51 52                                            QR\n");
    line_count = 0;
    lwsl_hexdump(bytes, 0);
    lwsl_hexdump(NULL, 0);
    lwsl_hexdump(NULL, 4);
    ck_assert_int_eq(line_count, 0);
    lwsl_hexdump(bytes, 16);
    ck_assert_int_eq(line_count, 1);
}
END_TEST

/* These stand in for the C library's, and have to be seen by the library. */
#pragma GCC visibility push(default)

void syslog(int priority, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    keep_line(priority, line);
}

/* What a fortified caller of syslog() calls. */
void __syslog_chk(int priority, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;

    (void)flag;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    keep_line(priority, line);
}

#pragma GCC visibility pop

START_TEST(lines_for_syslog)
{
    static const int priorities[LLL_COUNT] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG,
        LOG_DEBUG, LOG_DEBUG, LOG_DEBUG, LOG_DEBUG, LOG_DEBUG};

    for (int i = 0; i < LLL_COUNT; i++)
        lwsl_emit_syslog(1 << i, "100%s of a line\n");
    ck_assert_int_eq(line_count, LLL_COUNT);
    for (int i = 0; i < LLL_COUNT; i++)
        expect_line(i, priorities[i], "100%s of a line\n");

    line_count = 0;
    lws_set_log_level(LLL_WARN, lwsl_emit_syslog);
    lwsl_err("not this\n");
    lwsl_warn("but %s", "this");
    ck_assert_int_eq(line_count, 1);
    expect_line(0, LOG_WARNING, "but this\n");
}
END_TEST

Suite *utility_suite(void)
{
    Suite *suite = suite_create("utility");
    TCase *tests = harness_case("utility");

    tcase_add_test(tests, sha1);
    tcase_add_test(tests, random_bytes);
    tcase_add_loop_test(tests, base64_vectors, 0, COUNT(vectors));
    tcase_add_test(tests, base64_misuse);
    tcase_add_test(tests, library_version);
    tcase_add_loop_test(tests, host_name, 0, 2);
    tcase_add_loop_test(tests, context_user, 0, 2);
    tcase_add_test(tests, a_certificate_needs_a_key);
    tcase_add_test(tests, kind_and_reserved_bits);
    tcase_add_loop_test(tests, log_levels, 0, LLL_COUNT);
    tcase_add_test(tests, log_macros);
    tcase_add_test(tests, long_lines_are_cut);
    tcase_add_test(tests, hexdump);
    tcase_add_test(tests, lines_for_syslog);
    suite_add_tcase(suite, tests);
    return suite;
}
