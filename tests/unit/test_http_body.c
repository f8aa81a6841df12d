#include "codec/http_body.h"

#include "suites.h"
#include "support/guard_page.h"
#include "support/random_sequence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define TEXT(literal) literal, sizeof(literal) - 1
#define CHUNKED "Transfer-Encoding: chunked\r\n"

enum { LIMIT = 1000, FIELDS = 8 };

struct parsed_head {
    struct http_head head;
    struct http_field fields[FIELDS];
    char storage[512];
};

static void parse(struct parsed_head *parsed, const char *version, const char *fields)
{
    char text[512];
    size_t used;
    int length = snprintf(text, sizeof(text), "POST / %s\r\n%s\r\n", version, fields);

    ck_assert(length > 0 && (size_t)length < sizeof(text));
    http_head_init(&parsed->head, parsed->storage, sizeof(parsed->storage), parsed->fields, FIELDS);
    ck_assert_int_eq(
        (int)http_head_parse(&parsed->head, (const unsigned char *)text, (size_t)length, &used),
        HTTP_HEAD_DONE);
}

static enum http_body_status begin(
    struct http_body *body, const char *fields, uint64_t limit, bool *unknown_coding)
{
    struct parsed_head parsed;

    parse(&parsed, "HTTP/1.1", fields);
    return http_body_begin(body, &parsed.head, limit, unknown_coding);
}

static const struct {
    const char *fields;
    enum http_body_status status;
    bool unknown_coding;
} framings[] = {
    {"", HTTP_BODY_DONE, false},
    {"Host: a\r\n", HTTP_BODY_DONE, false},
    {"Content-Length: 0\r\n", HTTP_BODY_DONE, false},
    {"Content-Length: 000\r\n", HTTP_BODY_DONE, false},
    {"Content-Length: 1\r\n", HTTP_BODY_MORE, false},
    {"content-length:1000\r\n", HTTP_BODY_MORE, false},
    {"Content-Length: 00000000000000000000000000000000001000\r\n", HTTP_BODY_MORE, false},
    {"Content-Length: 5, 5\r\n", HTTP_BODY_MORE, false},
    {"Content-Length: 5\t,5 ,5\r\n", HTTP_BODY_MORE, false},
    {"Content-Length: 5\r\nContent-Length: 5\r\n", HTTP_BODY_MORE, false},
    {"Content-Length: 5,5\r\nCONTENT-LENGTH: 5\r\n", HTTP_BODY_MORE, false},
    {"Content-Length: 0, 0\r\n", HTTP_BODY_DONE, false},

    {"Content-Length: 1001\r\n", HTTP_BODY_TOO_LARGE, false},
    {"Content-Length: 18446744073709551615\r\n", HTTP_BODY_TOO_LARGE, false},
    {"Content-Length: 18446744073709551616\r\n", HTTP_BODY_TOO_LARGE, false},
    {"Content-Length: 18446744073709551617\r\n", HTTP_BODY_TOO_LARGE, false},
    {"Content-Length: 184467440737095516160\r\n", HTTP_BODY_TOO_LARGE, false},
    {"Content-Length: 99999999999999999999999999999999999\r\n", HTTP_BODY_TOO_LARGE, false},

    {"Content-Length:\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: ,\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5,\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: ,5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5,,5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5, 6\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5, 55\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5, 05\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5 5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5;5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: +5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: -5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: -1\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 0x5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5e0\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5.0\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: \"5\"\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: a\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5\x80\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: \xb2\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5\r\nContent-Length: 6\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 6\r\nContent-Length: 5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5\r\nContent-Length: 0\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 0\r\nContent-Length: 5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5\r\nContent-Length:\r\n", HTTP_BODY_BAD, false},
    {"Content-Length:\r\nContent-Length: 5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5,5\r\nContent-Length: 5,6\r\n", HTTP_BODY_BAD, false},

    {CHUNKED, HTTP_BODY_MORE, false},
    {"TRANSFER-ENCODING:CHUNKED\r\n", HTTP_BODY_MORE, false},
    {"transfer-encoding: \tchunked \r\n", HTTP_BODY_MORE, false},
    {"Transfer-Encoding: , ,chunked,\r\n", HTTP_BODY_MORE, false},
    {"Transfer-Encoding:\r\n" CHUNKED, HTTP_BODY_MORE, false},

    {CHUNKED "Content-Length: 5\r\n", HTTP_BODY_BAD, false},
    {"Content-Length: 5\r\n" CHUNKED, HTTP_BODY_BAD, false},
    {"Content-Length: 0\r\n" CHUNKED, HTTP_BODY_BAD, false},
    {"Content-Length:\r\n" CHUNKED, HTTP_BODY_BAD, false},
    {"Transfer-Encoding:\r\nContent-Length: 5\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding:\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: ,\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: gzip\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: identity\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: xchunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunkedx\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunke\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: \"chunked\"\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: 'chunked'\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunked gzip\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: x chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunked;a=b\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunked;\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunked;a=b, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunked, chunked\r\n", HTTP_BODY_BAD, false},
    {CHUNKED CHUNKED, HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunked, gzip\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunked, identity\r\n", HTTP_BODY_BAD, false},
    {CHUNKED "Transfer-Encoding: gzip\r\n", HTTP_BODY_BAD, false},
    {CHUNKED "Transfer-Encoding: identity\r\n", HTTP_BODY_BAD, false},
    {CHUNKED "Transfer-Encoding: x\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: gzip, chunked, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: chunked\x80\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: \xa0"
     "chunked\r\n",
        HTTP_BODY_BAD, false},

    {"Transfer-Encoding: gzip, chunked\r\n", HTTP_BODY_BAD, true},
    {"Transfer-Encoding: gzip\r\n" CHUNKED, HTTP_BODY_BAD, true},
    {"Transfer-Encoding: identity, chunked\r\n", HTTP_BODY_BAD, true},
    {"Transfer-Encoding: a, b, c, Chunked\r\n", HTTP_BODY_BAD, true},
    {"Transfer-Encoding: a;b=c, chunked\r\n", HTTP_BODY_BAD, true},
    {"Transfer-Encoding: a ; b = c\t;d=\"e,f;\\\"g\" ;h=i, chunked\r\n", HTTP_BODY_BAD, true},
    {"Transfer-Encoding: a;b=\"\", chunked\r\n", HTTP_BODY_BAD, true},
    {"Transfer-Encoding: a;b=\", chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b=\"\\, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b=\"\\\", chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b=\"\\\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b=\"c\"d, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b=c\"d\", chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b=, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b= , chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;=c, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a; , chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: ;a=b, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a;b=;c=d, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a bc=d, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a b, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: a=b, chunked\r\n", HTTP_BODY_BAD, false},
    {"Transfer-Encoding: [a], chunked\r\n", HTTP_BODY_BAD, false},
};

START_TEST(how_it_is_framed)
{
    struct http_body body;
    bool unknown_coding = !framings[_i].unknown_coding;
    enum http_body_status status = begin(&body, framings[_i].fields, LIMIT, &unknown_coding);
    size_t used = 77;

    ck_assert_msg(
        status == framings[_i].status, "\"%s\": status %d", framings[_i].fields, (int)status);
    ck_assert_msg(unknown_coding == framings[_i].unknown_coding, "\"%s\"", framings[_i].fields);
    if (status != HTTP_BODY_MORE) {
        ck_assert(http_body_skip(&body, (const unsigned char *)"0\r\n\r\n", 5, &used) == status);
        ck_assert_uint_eq(used, 0);
    }
}
END_TEST

START_TEST(the_old_version)
{
    static const struct {
        const char *fields;
        enum http_body_status status;
    } old[] = {
        {"", HTTP_BODY_DONE},
        {"Content-Length: 5\r\n", HTTP_BODY_MORE},
        {CHUNKED, HTTP_BODY_BAD},
        {"Transfer-Encoding:\r\n", HTTP_BODY_BAD},
        {"Transfer-Encoding: gzip, chunked\r\n", HTTP_BODY_BAD},
    };

    for (int i = 0; i < COUNT(old); i++) {
        struct parsed_head parsed;
        struct http_body body;
        bool unknown_coding = true;

        parse(&parsed, "HTTP/1.0", old[i].fields);
        ck_assert_int_eq(
            (int)http_body_begin(&body, &parsed.head, LIMIT, &unknown_coding), (int)old[i].status);
        ck_assert(!unknown_coding);
    }
}
END_TEST

START_TEST(limits)
{
    struct http_body body;
    bool unknown_coding;

    ck_assert_int_eq(
        (int)begin(&body, "Content-Length: 0\r\n", 0, &unknown_coding), HTTP_BODY_DONE);
    ck_assert_int_eq(
        (int)begin(&body, "Content-Length: 1\r\n", 0, &unknown_coding), HTTP_BODY_TOO_LARGE);
    ck_assert_int_eq(
        (int)begin(&body, "Content-Length: 18446744073709551615\r\n", UINT64_MAX, &unknown_coding),
        HTTP_BODY_MORE);
    ck_assert_int_eq(
        (int)begin(&body, "Content-Length: 18446744073709551616\r\n", UINT64_MAX, &unknown_coding),
        HTTP_BODY_TOO_LARGE);
}
END_TEST

/* `left` is how many bytes at the end are not taken. */
static const struct {
    const char *fields;
    const char *bytes;
    size_t length;
    enum http_body_status status;
    size_t left;
} bodies[] = {
    {"Content-Length: 3\r\n", TEXT("abc"), HTTP_BODY_DONE, 0},
    {"Content-Length: 3\r\n", TEXT("abcGET"), HTTP_BODY_DONE, 3},
    {"Content-Length: 3\r\n", TEXT("\0\r\n\r\n"), HTTP_BODY_DONE, 2},
    {"Content-Length: 3\r\n", TEXT("ab"), HTTP_BODY_MORE, 0},
    {"Content-Length: 3\r\n", TEXT(""), HTTP_BODY_MORE, 0},

    {CHUNKED, TEXT("0\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("0\r\n\r\nGET"), HTTP_BODY_DONE, 3},
    {CHUNKED, TEXT("0\r\n\r\n\r\n"), HTTP_BODY_DONE, 2},
    {CHUNKED, TEXT("0000000000000000000000000000\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("00000000000000000000000000003\r\nabc\r\n0\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("3\r\nabc\r\n0\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("3\r\n\r\n0\r\n1\r\n\0\r\n0\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("a\r\n0123456789\r\nA\r\n0123456789\r\n0f\r\n0123456789abcde\r\n0\r\n\r\n"),
        HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("F\r\n0123456789abcde\r\n0\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("3;a\r\nabc\r\n0;b=c;d=\"e\\\"\"\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("3 \t;a\r\nabc\r\n0 ; b = \xe9\x80\t\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("3;\r\nabc\r\n0\r\n\r\n"), HTTP_BODY_DONE, 0},
    {CHUNKED, TEXT("0\r\nA: b\r\nC:\r\nD: \t\xe9 \r\n\r\nGET"), HTTP_BODY_DONE, 3},
    {CHUNKED, TEXT("0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n12345"),
        HTTP_BODY_DONE, 5},

    {CHUNKED, TEXT(""), HTTP_BODY_MORE, 0},
    {CHUNKED, TEXT("3"), HTTP_BODY_MORE, 0},
    {CHUNKED, TEXT("3\r\nabc"), HTTP_BODY_MORE, 0},
    {CHUNKED, TEXT("3\r\nabc\r\n"), HTTP_BODY_MORE, 0},
    {CHUNKED, TEXT("0\r\n"), HTTP_BODY_MORE, 0},
    {CHUNKED, TEXT("0\r\n\r"), HTTP_BODY_MORE, 0},
    {CHUNKED, TEXT("0\r\nA: b\r\n"), HTTP_BODY_MORE, 0},

    /* The line with the size. */
    {CHUNKED, TEXT("\r\n"), HTTP_BODY_BAD, 2},
    {CHUNKED, TEXT("\n"), HTTP_BODY_BAD, 1},
    {CHUNKED, TEXT(" 3\r\n"), HTTP_BODY_BAD, 4},
    {CHUNKED, TEXT(";a\r\n"), HTTP_BODY_BAD, 4},
    {CHUNKED, TEXT("g\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("G\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("/\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("\0"), HTTP_BODY_BAD, 1},
    {CHUNKED, TEXT("-1\r\n"), HTTP_BODY_BAD, 4},
    {CHUNKED, TEXT("+3\r\n"), HTTP_BODY_BAD, 4},
    {CHUNKED, TEXT("0x3\r\n"), HTTP_BODY_BAD, 4},
    {CHUNKED, TEXT("3h\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("3.\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("3,\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("3 3\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("3 \r\n"), HTTP_BODY_BAD, 2},
    {CHUNKED, TEXT("3\x0b\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("3\0\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("3\nabc\r\n"), HTTP_BODY_BAD, 6},
    {CHUNKED, TEXT("3\rabc\r\n"), HTTP_BODY_BAD, 5},
    {CHUNKED, TEXT("3\r\rabc"), HTTP_BODY_BAD, 4},
    {CHUNKED, TEXT("3;a\nabc\r\n0\r\n\r\n"), HTTP_BODY_BAD, 11},
    {CHUNKED, TEXT("3;a\rabc\r\n"), HTTP_BODY_BAD, 5},
    {CHUNKED, TEXT("3;a\0\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("3;a\x7f\r\n"), HTTP_BODY_BAD, 3},

    /* The end of a chunk. */
    {CHUNKED, TEXT("3\r\nabcd\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("3\r\nabc\n0\r\n\r\n"), HTTP_BODY_BAD, 6},
    {CHUNKED, TEXT("3\r\nabc\rX"), HTTP_BODY_BAD, 1},
    {CHUNKED, TEXT("3\r\nabc0\r\n\r\n"), HTTP_BODY_BAD, 5},
    {CHUNKED, TEXT("3\r\nabc\r\n\r\n"), HTTP_BODY_BAD, 2},
    {CHUNKED, TEXT("3\r\nabc\r\n 0\r\n"), HTTP_BODY_BAD, 4},

    /* The trailer section. */
    {CHUNKED, TEXT("0\r\n\n"), HTTP_BODY_BAD, 1},
    {CHUNKED, TEXT("0\r\n\rX"), HTTP_BODY_BAD, 1},
    {CHUNKED, TEXT("0\r\n\r\r\n"), HTTP_BODY_BAD, 2},
    {CHUNKED, TEXT("0\r\nGET / HTTP/1.1\r\n\r\n"), HTTP_BODY_BAD, 15},
    {CHUNKED, TEXT("0\r\n: b\r\n\r\n"), HTTP_BODY_BAD, 7},
    {CHUNKED, TEXT("0\r\nA : b\r\n\r\n"), HTTP_BODY_BAD, 8},
    {CHUNKED, TEXT("0\r\nA\r\n\r\n"), HTTP_BODY_BAD, 4},
    {CHUNKED, TEXT("0\r\n A: b\r\n\r\n"), HTTP_BODY_BAD, 9},
    {CHUNKED, TEXT("0\r\nA: b\r\n c\r\n\r\n"), HTTP_BODY_BAD, 6},
    {CHUNKED, TEXT("0\r\nA: b\n\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("0\r\nA: b\rC: d\r\n\r\n"), HTTP_BODY_BAD, 8},
    {CHUNKED, TEXT("0\r\nA: \0\r\n\r\n"), HTTP_BODY_BAD, 5},
    {CHUNKED, TEXT("0\r\nA: \x7f\r\n\r\n"), HTTP_BODY_BAD, 5},
    {CHUNKED, TEXT("0\r\nA\x80: b\r\n\r\n"), HTTP_BODY_BAD, 8},

    /* Sizes: the limit is 1000. The byte that ends the line is the one not taken. */
    {CHUNKED, TEXT("3e8\r\n"), HTTP_BODY_MORE, 0},
    {CHUNKED, TEXT("3e9\r\n"), HTTP_BODY_TOO_LARGE, 1},
    {CHUNKED, TEXT("3\r\nabc\r\n3e5\r\n"), HTTP_BODY_MORE, 0},
    {CHUNKED, TEXT("3\r\nabc\r\n3e6\r\n"), HTTP_BODY_TOO_LARGE, 1},
    {CHUNKED, TEXT("ffffffffffffffff\r\n"), HTTP_BODY_TOO_LARGE, 1},
    {CHUNKED, TEXT("3\r\nabc\r\nffffffffffffffff\r\n"), HTTP_BODY_TOO_LARGE, 1},
    {CHUNKED, TEXT("3\r\nabc\r\nfffffffffffffffd\r\n"), HTTP_BODY_TOO_LARGE, 1},
    {CHUNKED, TEXT("10000000000000000\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("10000000000000003\r\nabc\r\n0\r\n\r\n"), HTTP_BODY_BAD, 13},
    {CHUNKED, TEXT("0fffffffffffffffff\r\n"), HTTP_BODY_BAD, 3},
    {CHUNKED, TEXT("80000000000000000\r\n"), HTTP_BODY_BAD, 3},
};

struct skipping {
    struct http_body body;
    enum http_body_status status;
    size_t used;
};

static void start(struct skipping *skipping, const char *fields, uint64_t limit)
{
    bool unknown_coding;

    skipping->status = begin(&skipping->body, fields, limit, &unknown_coding);
    ck_assert_int_eq((int)skipping->status, HTTP_BODY_MORE);
    skipping->used = 0;
}

/* Feeds a piece that ends at a guard page. */
static void feed(struct skipping *skipping, const char *bytes, size_t length)
{
    unsigned char *piece = guard_page_copy(bytes, length);
    size_t used = SIZE_MAX;

    skipping->status = http_body_skip(&skipping->body, piece, length, &used);
    ck_assert_uint_le(used, length);
    if (skipping->status == HTTP_BODY_MORE)
        ck_assert_uint_eq(used, length);
    skipping->used += used;
    guard_page_free(piece, length);
}

static void check_case(struct skipping *skipping, int number, size_t first)
{
    size_t used = SIZE_MAX;

    ck_assert_msg(skipping->status == bodies[number].status, "body %d, split %zu: status %d",
        number, first, (int)skipping->status);
    ck_assert_msg(skipping->used == bodies[number].length - bodies[number].left,
        "body %d, split %zu: %zu bytes taken", number, first, skipping->used);
    if (skipping->status == HTTP_BODY_MORE)
        return;
    ck_assert(http_body_skip(&skipping->body, (const unsigned char *)"0\r\n\r\n", 5, &used) ==
              skipping->status);
    ck_assert_uint_eq(used, 0);
    ck_assert(http_body_skip(&skipping->body, NULL, 0, &used) == skipping->status);
}

/* A split at the length is the whole at once. */
START_TEST(every_split)
{
    for (size_t first = 0; first <= bodies[_i].length; first++) {
        struct skipping skipping;

        start(&skipping, bodies[_i].fields, LIMIT);
        feed(&skipping, bodies[_i].bytes, first);
        if (skipping.status == HTTP_BODY_MORE)
            feed(&skipping, bodies[_i].bytes + first, bodies[_i].length - first);
        check_case(&skipping, _i, first);
    }
}
END_TEST

START_TEST(byte_by_byte)
{
    struct skipping skipping;

    start(&skipping, bodies[_i].fields, LIMIT);
    for (size_t i = 0; i < bodies[_i].length && skipping.status == HTTP_BODY_MORE; i++)
        feed(&skipping, bodies[_i].bytes + i, 1);
    check_case(&skipping, _i, 1);
}
END_TEST

START_TEST(a_total_that_would_wrap)
{
    struct skipping skipping;

    start(&skipping, CHUNKED, UINT64_MAX);
    feed(&skipping, TEXT("1\r\nx\r\nffffffffffffffff\r\n"));
    ck_assert_int_eq((int)skipping.status, HTTP_BODY_TOO_LARGE);

    start(&skipping, CHUNKED, UINT64_MAX);
    feed(&skipping, TEXT("1\r\nx\r\nfffffffffffffffe\r\nabc"));
    ck_assert_int_eq((int)skipping.status, HTTP_BODY_MORE);
    ck_assert(skipping.body.remaining == UINT64_MAX - 4);
    ck_assert(skipping.body.total == UINT64_MAX);
}
END_TEST

START_TEST(nothing_allowed)
{
    struct skipping skipping;

    start(&skipping, CHUNKED, 0);
    feed(&skipping, TEXT("0\r\n\r\n"));
    ck_assert_int_eq((int)skipping.status, HTTP_BODY_DONE);
    start(&skipping, CHUNKED, 0);
    feed(&skipping, TEXT("1\r\n"));
    ck_assert_int_eq((int)skipping.status, HTTP_BODY_TOO_LARGE);
}
END_TEST

/* Text, then so many of a byte, then text again; returns what comes of it. */
static enum http_body_status long_line(
    const char *before, char byte, size_t count, const char *after)
{
    char *bytes = malloc(strlen(before) + count + strlen(after) + 1);
    struct skipping skipping;

    ck_assert_ptr_nonnull(bytes);
    strcpy(bytes, before);
    memset(bytes + strlen(before), byte, count);
    strcpy(bytes + strlen(before) + count, after);
    start(&skipping, CHUNKED, LIMIT);
    feed(&skipping, bytes, strlen(before) + count + strlen(after));
    free(bytes);
    return skipping.status;
}

/* A line is 4096 bytes at most, its end included. */
START_TEST(long_lines)
{
    static const struct {
        const char *before;
        char byte;
        size_t rest; /* bytes of the line that are not the repeated one */
        const char *after;
    } lines[] = {
        {"", '0', 2, "\r\n\r\n"},
        {"0;", 'a', 4, "\r\n\r\n"},
        {"0 ", ' ', 5, ";\r\n\r\n"},
        {"1\r\nx\r\n0;", 'a', 4, "\r\n\r\n"},
        {"0\r\n", 'a', 3, ":\r\n\r\n"},
        {"0\r\na:", 'b', 4, "\r\n\r\n"},
        {"0\r\na:b\r\nc:", 'd', 4, "\r\n\r\n"},
    };

    for (int i = 0; i < COUNT(lines); i++) {
        size_t most = 4096 - lines[i].rest;

        ck_assert_int_eq(
            (int)long_line(lines[i].before, lines[i].byte, most, lines[i].after), HTTP_BODY_DONE);
        ck_assert_int_eq((int)long_line(lines[i].before, lines[i].byte, most + 1, lines[i].after),
            HTTP_BODY_BAD);
        ck_assert_int_eq(
            (int)long_line(lines[i].before, lines[i].byte, 100000, lines[i].after), HTTP_BODY_BAD);
    }
}
END_TEST

/* Trailer lines, each of them short: 16384 bytes at most, the empty line included. */
START_TEST(a_long_trailer)
{
    struct skipping skipping;
    struct skipping longer;

    start(&skipping, CHUNKED, LIMIT);
    feed(&skipping, TEXT("0\r\n"));
    for (int line = 0; line < 2729; line++)
        feed(&skipping, TEXT("a: b\r\n"));
    longer = skipping;
    feed(&skipping, TEXT("a: 123\r\n\r\n"));
    ck_assert_int_eq((int)skipping.status, HTTP_BODY_DONE);
    feed(&longer, TEXT("a: 1234\r\n\r\n"));
    ck_assert_int_eq((int)longer.status, HTTP_BODY_BAD);
}
END_TEST

/* Spoilt bodies are read the same whole and in pieces of any size. */
START_TEST(spoilt_bodies)
{
    static const char hostile[] = "\r\n\r\n \t:;\0\x7f\x80"
                                  "0123f";
    struct random_sequence sequence = {20240616};

    for (int turn = 0; turn < 3000; turn++) {
        int number = (int)random_below(&sequence, COUNT(bodies));
        size_t length = bodies[number].length;
        struct skipping whole;
        struct skipping pieces;
        char bytes[256];

        memcpy(bytes, bodies[number].bytes, length);
        for (uint64_t i = random_below(&sequence, 3); i < 3 && length != 0; i++)
            bytes[random_below(&sequence, length)] =
                hostile[random_below(&sequence, sizeof(hostile))];
        start(&whole, bodies[number].fields, LIMIT);
        feed(&whole, bytes, length);
        start(&pieces, bodies[number].fields, LIMIT);
        for (size_t at = 0; at < length && pieces.status == HTTP_BODY_MORE;) {
            size_t piece = 1 + (size_t)random_below(&sequence, length - at);

            feed(&pieces, bytes + at, piece);
            at += piece;
        }
        ck_assert_int_eq((int)pieces.status, (int)whole.status);
        ck_assert_uint_eq(pieces.used, whole.used);
    }
}
END_TEST

Suite *http_body_suite(void)
{
    Suite *suite = suite_create("HTTP body");
    TCase *tests = tcase_create("HTTP body");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, how_it_is_framed, 0, COUNT(framings));
    tcase_add_test(tests, the_old_version);
    tcase_add_test(tests, limits);
    tcase_add_loop_test(tests, every_split, 0, COUNT(bodies));
    tcase_add_loop_test(tests, byte_by_byte, 0, COUNT(bodies));
    tcase_add_test(tests, a_total_that_would_wrap);
    tcase_add_test(tests, nothing_allowed);
    tcase_add_test(tests, long_lines);
    tcase_add_test(tests, a_long_trailer);
    tcase_add_test(tests, spoilt_bodies);
    suite_add_tcase(suite, tests);
    return suite;
}
