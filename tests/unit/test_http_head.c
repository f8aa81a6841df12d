#include "codec/http_head.h"

#include "http_head_reading.h"
#include "suites.h"

#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define LINE "GET / HTTP/1.1\r\n"

static const struct http_head_case heads[] = {
    {TEXT("GET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1"},
    {TEXT("GET / HTTP/1.0\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 0"},
    {TEXT("GET / HTTP/1.9\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 9"},
    {TEXT("M-SEARCH * HTTP/1.1\r\n\r\n"), HTTP_HEAD_DONE, 0, "M-SEARCH * 1"},
    {TEXT("get /a?b=%00#~ HTTP/1.1\r\n\r\n"), HTTP_HEAD_DONE, 0, "get /a?b=%00#~ 1"},
    {TEXT("!#$%&'*+-.^_`|~9aZ x HTTP/1.1\r\n\r\n"), HTTP_HEAD_DONE, 0, "!#$%&'*+-.^_`|~9aZ x 1"},
    {TEXT("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP_HEAD_DONE, 0,
        "CONNECT a:443 1|Host=a"},
    {TEXT(LINE "Host: a\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1|Host=a"},
    {TEXT(LINE "Host:a\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1|Host=a"},
    {TEXT(LINE "Host: \t  a b\tc \t \r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1|Host=a b\tc"},
    {TEXT(LINE "X:\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1|X="},
    {TEXT(LINE "X: \t \r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1|X="},
    {TEXT(LINE "X:::\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1|X=::"},
    {TEXT(LINE "X: \x80\xff\xc3\xa9~!\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1|X=\x80\xff\xc3\xa9~!"},
    {TEXT(LINE "a: 1\r\nB: 2\r\na: 3\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1|a=1|B=2|a=3"},
    {TEXT(LINE "1: 1\r\n2: 2\r\n3: 3\r\n4: 4\r\n5: 5\r\n6: 6\r\n7: 7\r\n8: 8\r\n\r\n"),
        HTTP_HEAD_DONE, 0, "GET / 1|1=1|2=2|3=3|4=4|5=5|6=6|7=7|8=8"},
    {TEXT("\r\nGET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_DONE, 0, "GET / 1"},

    /* What follows the head is left alone. */
    {TEXT("GET / HTTP/1.1\r\n\r\n\r\n"), HTTP_HEAD_DONE, 2, "GET / 1"},
    {TEXT(LINE "\r\nGET /2 HTTP/1.1\r\n\r\n"), HTTP_HEAD_DONE, 19, "GET / 1"},
    {TEXT(LINE "Content-Length: 3\r\n\r\nabc"), HTTP_HEAD_DONE, 3, "GET / 1|Content-Length=3"},
    {TEXT(LINE "\r\n\x00\xff"), HTTP_HEAD_DONE, 2, "GET / 1"},

    {TEXT(""), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("\r"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("\r\n"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("GET"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("GET / HTTP/1.1\r\n"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("GET / HTTP/1.1\r\n\r"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT(LINE "Host: a\r\n"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT(LINE "Host"), HTTP_HEAD_MORE, 0, NULL},

    /* The request line. */
    {TEXT("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_BAD, 20, NULL},
    {TEXT("\nGET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_BAD, 19, NULL},
    {TEXT("\rGET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_BAD, 18, NULL},
    {TEXT(" GET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_BAD, 19, NULL},
    {TEXT("\tGET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_BAD, 19, NULL},
    {TEXT("\0"), HTTP_HEAD_BAD, 1, NULL},
    {TEXT("\x16\x03\x01\x02"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("GET"
          "\0/ HTTP/1.1\r\n"),
        HTTP_HEAD_BAD, 13, NULL},
    {TEXT("GE\xc3T / HTTP/1.1\r\n"), HTTP_HEAD_BAD, 15, NULL},
    {TEXT("GE(T / HTTP/1.1\r\n"), HTTP_HEAD_BAD, 15, NULL},
    {TEXT("GET\t/ HTTP/1.1\r\n"), HTTP_HEAD_BAD, 13, NULL},
    {TEXT("GET\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("GET /\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("GET / \r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("GET  / HTTP/1.1\r\n"), HTTP_HEAD_BAD, 13, NULL},
    {TEXT("GET  HTTP/1.1\r\n"), HTTP_HEAD_BAD, 11, NULL},
    {TEXT("GET /  HTTP/1.1\r\n"), HTTP_HEAD_BAD, 11, NULL},
    {TEXT("GET /\tHTTP/1.1\r\n"), HTTP_HEAD_BAD, 11, NULL},
    {TEXT("GET /a b HTTP/1.1\r\n"), HTTP_HEAD_BAD, 12, NULL},
    {TEXT("GET /\x7f HTTP/1.1\r\n"), HTTP_HEAD_BAD, 12, NULL},
    {TEXT("GET /\xc3\xa9 HTTP/1.1\r\n"), HTTP_HEAD_BAD, 13, NULL},
    {TEXT("GET /\0 HTTP/1.1\r\n"), HTTP_HEAD_BAD, 12, NULL},
    {TEXT("GET /\rX HTTP/1.1\r\n"), HTTP_HEAD_BAD, 13, NULL},
    {TEXT("GET /\nHTTP/1.1\r\n"), HTTP_HEAD_BAD, 11, NULL},
    {TEXT("GET / http/1.1\r\n"), HTTP_HEAD_BAD, 10, NULL},
    {TEXT("GET / HTTp/1.1\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("GET / HTTPS/1.1\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("GET / HTTP 1.1\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT("GET / HTTP/\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("GET / HTTP/1\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("GET / HTTP/1.\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("GET / HTTP/.1\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("GET / HTTP/1,1\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("GET / HTTP/01.1\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT("GET / HTTP/11.1\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT("GET / HTTP/1.10\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("GET / HTTP/1.x\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("GET / HTTP/-1.1\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT("GET / HTTP/1.1 \r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("GET / HTTP/1.1\n\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("GET / HTTP/1.1\r\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("GET / HTTP/1.1\0\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("GET / HTTP/1.1\rHost: a\r\n\r\n"), HTTP_HEAD_BAD, 11, NULL},
    {TEXT("GET / HTTP/0.9\r\n\r\n"), HTTP_HEAD_BAD_VERSION, 5, NULL},
    {TEXT("GET / HTTP/2.0\r\n\r\n"), HTTP_HEAD_BAD_VERSION, 5, NULL},
    {TEXT("GET / HTTP/9.9\r\n\r\n"), HTTP_HEAD_BAD_VERSION, 5, NULL},
    {TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP_HEAD_BAD_VERSION, 11, NULL},
    {TEXT("GET / HTTP/2\r\n\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("GET / HTTP/2.x\r\n\r\n"), HTTP_HEAD_BAD, 5, NULL},

    /* Field lines, and what smuggling is made of. */
    {TEXT(LINE " Host: a\r\n\r\n"), HTTP_HEAD_BAD, 12, NULL},
    {TEXT(LINE "\tHost: a\r\n\r\n"), HTTP_HEAD_BAD, 12, NULL},
    {TEXT(LINE "Host: a\r\n b\r\n\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT(LINE "Host: a\r\n\tb\r\n\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT(LINE "Host: a\r\n \r\n\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT(LINE "Host : a\r\n\r\n"), HTTP_HEAD_BAD, 8, NULL},
    {TEXT(LINE "Host\t: a\r\n\r\n"), HTTP_HEAD_BAD, 8, NULL},
    {TEXT(LINE "Transfer-Encoding : chunked\r\n\r\n"), HTTP_HEAD_BAD, 14, NULL},
    {TEXT(LINE "Transfer-Encoding\x0b: chunked\r\n\r\n"), HTTP_HEAD_BAD, 14, NULL},
    {TEXT(LINE "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n"),
        HTTP_HEAD_BAD, 12, NULL},
    {TEXT(LINE "Transfer-Encoding: chunked\x0c\r\n\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT(LINE ": a\r\n\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT(LINE "Host\r\n\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT(LINE "Ho st: a\r\n\r\n"), HTTP_HEAD_BAD, 10, NULL},
    {TEXT(LINE "Ho\0st: a\r\n\r\n"), HTTP_HEAD_BAD, 10, NULL},
    {TEXT(LINE "Ho\xc3st: a\r\n\r\n"), HTTP_HEAD_BAD, 10, NULL},
    {TEXT(LINE "Ho\"st: a\r\n\r\n"), HTTP_HEAD_BAD, 10, NULL},
    {TEXT(LINE "Host: a\0b\r\n\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT(LINE "Host: a\x7f\r\n\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT(LINE "Host: a\x1b\r\n\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT(LINE "Host: a\n\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT(LINE "Host: a\nX: b\r\n\r\n"), HTTP_HEAD_BAD, 9, NULL},
    {TEXT(LINE "Host: a\rX: b\r\n\r\n"), HTTP_HEAD_BAD, 8, NULL},
    {TEXT(LINE "Host: a\r\r\n\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT(LINE "Host:\n\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT(LINE "Host\n: a\r\n\r\n"), HTTP_HEAD_BAD, 8, NULL},
    {TEXT(LINE "Host: a\r\n\n"), HTTP_HEAD_BAD, 1, NULL},
    {TEXT(LINE "\n"), HTTP_HEAD_BAD, 1, NULL},
    {TEXT(LINE "\rX"), HTTP_HEAD_BAD, 1, NULL},
    {TEXT(LINE "\r\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT(LINE "Host: a\r\nGET /2 HTTP/1.1\r\n\r\n"), HTTP_HEAD_BAD, 16, NULL},
    {TEXT(LINE "1:1\r\n2:2\r\n3:3\r\n4:4\r\n5:5\r\n6:6\r\n7:7\r\n8:8\r\n9:9\r\n\r\n"),
        HTTP_HEAD_FIELDS_FULL, 7, NULL},
    {TEXT(LINE "1:1\r\n2:2\r\n3:3\r\n4:4\r\n5:5\r\n6:6\r\n7:7\r\n8:8\r\n 9:9\r\n\r\n"),
        HTTP_HEAD_BAD, 8, NULL},
};

START_TEST(every_split)
{
    check_every_split(&heads[_i], false);
}
END_TEST

START_TEST(byte_by_byte)
{
    check_byte_by_byte(&heads[_i], false);
}
END_TEST

START_TEST(whole_with_growing_storage)
{
    check_growing_storage(&heads[_i], false);
}
END_TEST

START_TEST(the_end_stays)
{
    check_the_end_stays(&heads[_i], false);
}
END_TEST

static bool is_token_byte(int byte)
{
    return byte != 0 && strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                            byte) != NULL;
}

static enum http_head_status parse_around(const char *before, int byte, const char *after)
{
    return read_around(before, byte, after, false);
}

START_TEST(every_byte_in_every_place)
{
    enum http_head_status token = is_token_byte(_i) ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    bool visible = _i >= 0x21 && _i <= 0x7e;
    bool value = visible || _i >= 0x80 || _i == ' ' || _i == '\t';
    enum http_head_status other;

    ck_assert_int_eq((int)parse_around("G", _i, "T / HTTP/1.1\r\n\r\n"), (int)token);
    ck_assert_int_eq((int)parse_around("", _i, "ET / HTTP/1.1\r\n\r\n"), (int)token);
    other = visible ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("GET ", _i, " HTTP/1.1\r\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around("GET /", _i, "a HTTP/1.1\r\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around(LINE, _i, "a: b\r\n\r\n"), (int)token);
    other = _i == ':' ? HTTP_HEAD_DONE : token;
    ck_assert_int_eq((int)parse_around(LINE "a", _i, "b: c\r\n\r\n"), (int)other);
    other = value ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around(LINE "a:", _i, "b\r\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around(LINE "a:b", _i, "c\r\n\r\n"), (int)other);
    other = _i == '\r' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("GET / HTTP/1.1", _i, "\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around(LINE "a: b\r\n", _i, "\n"), (int)other);
    other = _i == '\n' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("GET / HTTP/1.1\r", _i, "\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around(LINE "a: b\r", _i, "\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around(LINE "\r", _i, ""), (int)other);
    other = _i >= '0' && _i <= '9' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("GET / HTTP/1.", _i, "\r\n\r\n"), (int)other);
    if (_i != '1' && other == HTTP_HEAD_DONE)
        other = HTTP_HEAD_BAD_VERSION;
    ck_assert_int_eq((int)parse_around("GET / HTTP/", _i, ".1\r\n\r\n"), (int)other);
}
END_TEST

START_TEST(storage_that_does_not_grow)
{
    static const char text[] = LINE "Name: value  \r\n\r\n";
    uint32_t least = sizeof("GET") + sizeof("/") + sizeof("Name") + sizeof("value");

    for (uint32_t size = 0; size < sizeof(text); size++) {
        bool done = check_fixed_storage(text, sizeof(text) - 1, size, false);

        ck_assert(!done || size >= least);
    }
}
END_TEST

START_TEST(no_room_for_fields)
{
    static const char without[] = LINE "\r\n";
    static const char with[] = LINE "a: b\r\n\r\n";
    char storage[64];
    struct http_head head;
    size_t used;

    http_head_init(&head, storage, sizeof(storage), NULL, 0);
    ck_assert_int_eq(
        (int)http_head_parse(&head, (const unsigned char *)without, sizeof(without) - 1, &used),
        HTTP_HEAD_DONE);
    http_head_init(&head, storage, sizeof(storage), NULL, 0);
    ck_assert_int_eq(
        (int)http_head_parse(&head, (const unsigned char *)with, sizeof(with) - 1, &used),
        HTTP_HEAD_FIELDS_FULL);
    ck_assert_uint_eq(used, sizeof(LINE) - 1);
}
END_TEST

START_TEST(when_it_has_started)
{
    static const char text[] = "\r\nG";
    struct reading reading;

    start_request(&reading, 64);
    ck_assert(!http_head_started(&reading.head));
    for (size_t i = 0; i < 2; i++) {
        feed(&reading, text + i, 1);
        ck_assert(!http_head_started(&reading.head));
    }
    feed(&reading, text + 2, 1);
    ck_assert(http_head_started(&reading.head));
    feed(&reading, TEXT("ET / HTTP/1.1\r\n\r\n"));
    ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
    ck_assert(http_head_started(&reading.head));
    http_head_init(&reading.head, reading.head.storage, 64, reading.fields, FIELDS);
    ck_assert(!http_head_started(&reading.head));
    feed(&reading, TEXT("POST /2 HTTP/1.0\r\na: b\r\n\r\n"));
    ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
    ck_assert_str_eq(http_head_text(&reading.head, reading.head.method), "POST");
    ck_assert_str_eq(http_head_text(&reading.head, reading.head.target), "/2");
    ck_assert_uint_eq(reading.head.version_minor, 0);
    ck_assert_uint_eq(reading.head.fields_count, 1);
    finish_reading(&reading);
}
END_TEST

START_TEST(finding_fields)
{
    static const char *const values[] = {"1", "3", "", "5"};
    struct reading reading;
    const struct http_head *head = &reading.head;
    uint32_t at = 0;

    start_request(&reading, 128);
    feed(&reading, TEXT(LINE "Cookie: 1\r\nCookie2: 2\r\nCOOKIE: 3\r\ncooki: 4\r\ncookie:\r\n"
                             "cOoKiE: 5\r\n\r\n"));
    ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
    for (int i = 0; i < COUNT(values); i++) {
        const struct http_field *field = http_head_find(head, "cookie", &at);

        ck_assert_ptr_nonnull(field);
        ck_assert_str_eq(http_head_text(head, field->value), values[i]);
        ck_assert(field == &head->fields[at - 1]);
    }
    ck_assert_ptr_null(http_head_find(head, "cookie", &at));
    ck_assert_ptr_null(http_head_find(head, "cookie", &at));
    at = UINT32_MAX;
    ck_assert_ptr_null(http_head_find(head, "cookie", &at));
    at = 0;
    ck_assert_ptr_null(http_head_find(head, "", &at));
    ck_assert_uint_eq(http_head_count(head, "Cookie"), 4);
    ck_assert_uint_eq(http_head_count(head, "cookie2"), 1);
    ck_assert_uint_eq(http_head_count(head, "Cooki"), 1);
    ck_assert_uint_eq(http_head_count(head, "cook"), 0);
    ck_assert_uint_eq(http_head_count(head, "cookie:"), 0);
    finish_reading(&reading);
}
END_TEST

START_TEST(spoilt_heads)
{
    static const char hostile[] = "\r\n\r\n \t:\0\x7f\x80/.1HTTP";
    struct random_sequence sequence = {20240615};

    for (int turn = 0; turn < 2000; turn++) {
        int number = (int)random_below(&sequence, COUNT(heads));

        check_spoilt(&heads[number], false, hostile, sizeof(hostile), &sequence);
    }
}
END_TEST

Suite *http_head_suite(void)
{
    Suite *suite = suite_create("HTTP head");
    TCase *tests = tcase_create("HTTP head");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_split, 0, COUNT(heads));
    tcase_add_loop_test(tests, byte_by_byte, 0, COUNT(heads));
    tcase_add_loop_test(tests, whole_with_growing_storage, 0, COUNT(heads));
    tcase_add_loop_test(tests, the_end_stays, 0, COUNT(heads));
    tcase_add_loop_test(tests, every_byte_in_every_place, 0, 256);
    tcase_add_test(tests, storage_that_does_not_grow);
    tcase_add_test(tests, no_room_for_fields);
    tcase_add_test(tests, when_it_has_started);
    tcase_add_test(tests, finding_fields);
    tcase_add_test(tests, spoilt_heads);
    suite_add_tcase(suite, tests);
    return suite;
}
