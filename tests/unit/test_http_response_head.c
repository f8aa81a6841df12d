#include "codec/http_head.h"

#include "http_head_reading.h"
#include "suites.h"
#include "support/guard_page.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define LINE "HTTP/1.1 200 OK\r\n"

static const struct http_head_case heads[] = {
    {TEXT(LINE "\r\n"), HTTP_HEAD_DONE, 0, "1 200 200 OK"},
    {TEXT("HTTP/1.0 200 OK\r\n\r\n"), HTTP_HEAD_DONE, 0, "0 200 200 OK"},
    {TEXT("HTTP/1.9 200 OK\r\n\r\n"), HTTP_HEAD_DONE, 0, "9 200 200 OK"},
    {TEXT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        HTTP_HEAD_DONE, 0, "1 101 101 Switching Protocols|Upgrade=websocket|Connection=Upgrade"},
    {TEXT("HTTP/1.1 100 Continue\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 100 100 Continue"},
    {TEXT("HTTP/1.1 599 x\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 599 599 x"},
    {TEXT("HTTP/1.1 500 x\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 500 500 x"},
    {TEXT("HTTP/1.1 199 x\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 199 199 x"},
    {TEXT("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"),
        HTTP_HEAD_DONE, 0, "1 407 407 Proxy Authentication Required|Proxy-Authenticate=Basic"},

    /* No reason, with and without the space before it. */
    {TEXT("HTTP/1.1 101 \r\n\r\n"), HTTP_HEAD_DONE, 0, "1 101 101"},
    {TEXT("HTTP/1.1 101\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 101 101"},
    {TEXT("HTTP/1.1 101 \r\nA: b\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 101 101|A=b"},
    {TEXT("HTTP/1.1 101\r\nA: b\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 101 101|A=b"},

    /* A reason is any text. */
    {TEXT("HTTP/1.1 200 0\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 200 200 0"},
    {TEXT("HTTP/1.1 200 a\tb  c:d;\"\\ \r\n\r\n"), HTTP_HEAD_DONE, 0, "1 200 200 a\tb  c:d;\"\\ "},
    {TEXT("HTTP/1.1 200  OK\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 200 200  OK"},
    {TEXT("HTTP/1.1 200  \r\n\r\n"), HTTP_HEAD_DONE, 0, "1 200 200  "},
    {TEXT("HTTP/1.1 200 \t\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 200 200 \t"},
    {TEXT("HTTP/1.1 404 Pas trouv\xc3\xa9\xff\x80~!\r\n\r\n"), HTTP_HEAD_DONE, 0,
        "1 404 404 Pas trouv\xc3\xa9\xff\x80~!"},
    {TEXT("HTTP/1.1 200 HTTP/1.1 200 OK\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 200 200 HTTP/1.1 200 OK"},

    /* Fields are those of a request. */
    {TEXT(LINE "A: \t  a b\tc \t \r\na:\r\n\r\n"), HTTP_HEAD_DONE, 0, "1 200 200 OK|A=a b\tc|a="},
    {TEXT(LINE "1: 1\r\n2: 2\r\n3: 3\r\n4: 4\r\n5: 5\r\n6: 6\r\n7: 7\r\n8: 8\r\n\r\n"),
        HTTP_HEAD_DONE, 0, "1 200 200 OK|1=1|2=2|3=3|4=4|5=5|6=6|7=7|8=8"},

    /* What follows the head is left alone. */
    {TEXT(LINE "\r\n\r\n"), HTTP_HEAD_DONE, 2, "1 200 200 OK"},
    {TEXT("HTTP/1.1 101\r\n\r\n\x81\x01x"), HTTP_HEAD_DONE, 3, "1 101 101"},
    {TEXT("HTTP/1.1 100 Continue\r\n\r\n" LINE "\r\n"), HTTP_HEAD_DONE, 19, "1 100 100 Continue"},
    {TEXT(LINE "\r\n\x00\xff"), HTTP_HEAD_DONE, 2, "1 200 200 OK"},

    {TEXT(""), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("H"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("HTTP/1.1"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("HTTP/1.1 2"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("HTTP/1.1 200"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("HTTP/1.1 200 "), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("HTTP/1.1 200 OK"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT("HTTP/1.1 200 OK\r"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT(LINE), HTTP_HEAD_MORE, 0, NULL},
    {TEXT(LINE "\r"), HTTP_HEAD_MORE, 0, NULL},
    {TEXT(LINE "A: b\r\n"), HTTP_HEAD_MORE, 0, NULL},

    /* Before the status line. */
    {TEXT("\r\nHTTP/1.1 200 OK\r\n\r\n"), HTTP_HEAD_BAD, 21, NULL},
    {TEXT("\nHTTP/1.1 200 OK\r\n"), HTTP_HEAD_BAD, 18, NULL},
    {TEXT(" HTTP/1.1 200 OK\r\n"), HTTP_HEAD_BAD, 18, NULL},
    {TEXT("\0"), HTTP_HEAD_BAD, 1, NULL},
    {TEXT("\x15\x03\x01\x02"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("GET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_BAD, 18, NULL},
    {TEXT("HEAD / HTTP/1.1\r\n\r\n"), HTTP_HEAD_BAD, 18, NULL},
    {TEXT("ICY 200 OK\r\n\r\n"), HTTP_HEAD_BAD, 14, NULL},
    {TEXT("200 OK\r\n\r\n"), HTTP_HEAD_BAD, 10, NULL},
    {TEXT("<html>"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT("SSH-2.0-OpenSSH\r\n"), HTTP_HEAD_BAD, 17, NULL},

    /* The version. */
    {TEXT("http/1.1 200 OK\r\n"), HTTP_HEAD_BAD, 17, NULL},
    {TEXT("HTTp/1.1 200 OK\r\n"), HTTP_HEAD_BAD, 14, NULL},
    {TEXT("HTTPS/1.1 200 OK\r\n"), HTTP_HEAD_BAD, 14, NULL},
    {TEXT("HTTP 200 OK\r\n"), HTTP_HEAD_BAD, 9, NULL},
    {TEXT("HTTP/ 1.1 200 OK\r\n"), HTTP_HEAD_BAD, 13, NULL},
    {TEXT("HTTP/.1 200 OK\r\n"), HTTP_HEAD_BAD, 11, NULL},
    {TEXT("HTTP/1 200 OK\r\n"), HTTP_HEAD_BAD, 9, NULL},
    {TEXT("HTTP/1. 200 OK\r\n"), HTTP_HEAD_BAD, 9, NULL},
    {TEXT("HTTP/1,1 200 OK\r\n"), HTTP_HEAD_BAD, 11, NULL},
    {TEXT("HTTP/01.1 200 OK\r\n"), HTTP_HEAD_BAD, 12, NULL},
    {TEXT("HTTP/11.1 200 OK\r\n"), HTTP_HEAD_BAD, 12, NULL},
    {TEXT("HTTP/1.10 200 OK\r\n"), HTTP_HEAD_BAD, 10, NULL},
    {TEXT("HTTP/1.1\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("HTTP/1.1\n"), HTTP_HEAD_BAD, 1, NULL},
    {TEXT("HTTP/0.9 200 OK\r\n"), HTTP_HEAD_BAD_VERSION, 10, NULL},
    {TEXT("HTTP/2.0 200 OK\r\n"), HTTP_HEAD_BAD_VERSION, 10, NULL},
    {TEXT("HTTP/9.9 200 OK\r\n"), HTTP_HEAD_BAD_VERSION, 10, NULL},
    {TEXT("HTTP/2.x 200 OK\r\n"), HTTP_HEAD_BAD, 10, NULL},
    {TEXT("HTTP/2 200\r\n"), HTTP_HEAD_BAD, 6, NULL},

    /* The status code. */
    {TEXT("HTTP/1.1\t200 OK\r\n"), HTTP_HEAD_BAD, 9, NULL},
    {TEXT("HTTP/1.1  200 OK\r\n"), HTTP_HEAD_BAD, 9, NULL},
    {TEXT("HTTP/1.1200 OK\r\n"), HTTP_HEAD_BAD, 8, NULL},
    {TEXT("HTTP/1.1 \r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("HTTP/1.1 OK\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("HTTP/1.1 000 x\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("HTTP/1.1 099 x\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("HTTP/1.1 0200 x\r\n"), HTTP_HEAD_BAD, 8, NULL},
    {TEXT("HTTP/1.1 600 x\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("HTTP/1.1 999 x\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("HTTP/1.1 +20 x\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("HTTP/1.1 -20 x\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("HTTP/1.1 2\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("HTTP/1.1 2 OK\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT("HTTP/1.1 20\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("HTTP/1.1 20 OK\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT("HTTP/1.1 20x OK\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT("HTTP/1.1 2.0 OK\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("HTTP/1.1 2000 OK\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT("HTTP/1.1 200OK\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("HTTP/1.1 200\tOK\r\n"), HTTP_HEAD_BAD, 5, NULL},
    {TEXT("HTTP/1.1 200.1 OK\r\n"), HTTP_HEAD_BAD, 7, NULL},
    {TEXT("HTTP/1.1 200\0 OK\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT("HTTP/1.1 200\n\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("HTTP/1.1 200\r\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("HTTP/1.1 200\rA: b\r\n"), HTTP_HEAD_BAD, 6, NULL},

    /* The reason. */
    {TEXT("HTTP/1.1 200 \n\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("HTTP/1.1 200 OK\n\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("HTTP/1.1 200 OK\nA: b\r\n\r\n"), HTTP_HEAD_BAD, 9, NULL},
    {TEXT("HTTP/1.1 200 OK\rA: b\r\n\r\n"), HTTP_HEAD_BAD, 8, NULL},
    {TEXT("HTTP/1.1 200 OK\r\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("HTTP/1.1 200 \r\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT("HTTP/1.1 200 O\0K\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("HTTP/1.1 200 \0\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT("HTTP/1.1 200 \x1b[2J\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT("HTTP/1.1 200 O\x7fK\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT("HTTP/1.1 200 O\x08K\r\n"), HTTP_HEAD_BAD, 4, NULL},

    /* Field lines. */
    {TEXT(LINE " A: a\r\n\r\n"), HTTP_HEAD_BAD, 9, NULL},
    {TEXT(LINE "A: a\r\n b\r\n\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT(LINE "A : a\r\n\r\n"), HTTP_HEAD_BAD, 8, NULL},
    {TEXT(LINE "A\r\n\r\n"), HTTP_HEAD_BAD, 4, NULL},
    {TEXT(LINE "A: a\0b\r\n\r\n"), HTTP_HEAD_BAD, 6, NULL},
    {TEXT(LINE "A: a\n\r\n"), HTTP_HEAD_BAD, 3, NULL},
    {TEXT(LINE "\n"), HTTP_HEAD_BAD, 1, NULL},
    {TEXT(LINE "\r\r\n"), HTTP_HEAD_BAD, 2, NULL},
    {TEXT(LINE "HTTP/1.1 200 OK\r\n\r\n"), HTTP_HEAD_BAD, 15, NULL},
    {TEXT(LINE "1:1\r\n2:2\r\n3:3\r\n4:4\r\n5:5\r\n6:6\r\n7:7\r\n8:8\r\n9:9\r\n\r\n"),
        HTTP_HEAD_FIELDS_FULL, 7, NULL},
};

START_TEST(every_split)
{
    check_every_split(&heads[_i], true);
}
END_TEST

START_TEST(byte_by_byte)
{
    check_byte_by_byte(&heads[_i], true);
}
END_TEST

START_TEST(whole_with_growing_storage)
{
    check_growing_storage(&heads[_i], true);
}
END_TEST

START_TEST(the_end_stays)
{
    check_the_end_stays(&heads[_i], true);
}
END_TEST

static void check_status(int status, const char *reason, const char *told)
{
    char line[64];
    char expected[64];
    struct reading reading;

    snprintf(line, sizeof(line), "HTTP/1.1 %03d%s\r\n\r\n", status, reason);
    snprintf(expected, sizeof(expected), "%03d%s", status, told);
    start_response(&reading, (uint32_t)strlen(line));
    feed(&reading, line, strlen(line));
    if (status < 100 || status > 599) {
        ck_assert_int_eq((int)reading.status, HTTP_HEAD_BAD);
    } else {
        ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
        ck_assert_int_eq(reading.head.status, status);
        ck_assert_str_eq(http_head_text(&reading.head, reading.head.reason), expected);
    }
    finish_reading(&reading);
}

/* Of all numbers of three digits, those from 100 to 599. */
START_TEST(every_status)
{
    for (int status = 0; status <= 999; status++) {
        check_status(status, " Reason", " Reason");
        check_status(status, " ", "");
        check_status(status, "", "");
    }
}
END_TEST

static enum http_head_status parse_around(const char *before, int byte, const char *after)
{
    return read_around(before, byte, after, true);
}

START_TEST(every_byte_in_every_place)
{
    bool digit = _i >= '0' && _i <= '9';
    bool text = (_i >= 0x20 && _i <= 0x7e) || _i >= 0x80 || _i == '\t';
    enum http_head_status other;

    other = _i == 'H' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("", _i, "TTP/1.1 200 OK\r\n\r\n"), (int)other);
    other = _i == '/' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("HTTP", _i, "1.1 200 OK\r\n\r\n"), (int)other);
    other = _i == ' ' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("HTTP/1.1", _i, "200 OK\r\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around("HTTP/1.1 200", _i, "OK\r\n\r\n"), (int)other);
    other = _i >= '1' && _i <= '5' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("HTTP/1.1 ", _i, "00 OK\r\n\r\n"), (int)other);
    other = digit ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("HTTP/1.", _i, " 200 OK\r\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around("HTTP/1.1 2", _i, "0 OK\r\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around("HTTP/1.1 20", _i, " OK\r\n\r\n"), (int)other);
    if (digit && _i != '1')
        other = HTTP_HEAD_BAD_VERSION;
    ck_assert_int_eq((int)parse_around("HTTP/", _i, ".1 200 OK\r\n\r\n"), (int)other);
    other = text ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("HTTP/1.1 200 ", _i, "K\r\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around("HTTP/1.1 200 O", _i, "K\r\n\r\n"), (int)other);
    other = _i == '\r' || _i == ' ' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq(
        (int)parse_around("HTTP/1.1 200", _i, _i == ' ' ? "\r\n\r\n" : "\n\r\n"), (int)other);
    other = _i == '\r' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("HTTP/1.1 200 OK", _i, "\n\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around("HTTP/1.1 200 ", _i, "\n\r\n"), (int)other);
    other = _i == '\n' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    ck_assert_int_eq((int)parse_around("HTTP/1.1 200 OK\r", _i, "\r\n"), (int)other);
    ck_assert_int_eq((int)parse_around("HTTP/1.1 200\r", _i, "\r\n"), (int)other);
}
END_TEST

/* It is DONE from exactly the room that its strings take: the space before no reason costs none. */
START_TEST(storage_that_does_not_grow)
{
    static const struct {
        const char *text;
        uint32_t least;
    } tight[] = {
        {"HTTP/1.1 101\r\n\r\n", sizeof("101")},
        {"HTTP/1.1 101 \r\n\r\n", sizeof("101")},
        {"HTTP/1.1 101 A\r\n\r\n", sizeof("101 A")},
        {"HTTP/1.1 101 A b\r\nc: d\r\n\r\n", sizeof("101 A b") + sizeof("c") + sizeof("d")},
        {"HTTP/1.1 101 \r\nc: d\r\n\r\n", sizeof("101") + sizeof("c") + sizeof("d")},
    };

    for (int i = 0; i < COUNT(tight); i++) {
        size_t length = strlen(tight[i].text);

        for (uint32_t size = 0; size <= (uint32_t)length; size++) {
            bool done = check_fixed_storage(tight[i].text, length, size, true);

            ck_assert_msg(done == (size >= tight[i].least), "\"%s\" in %u", tight[i].text,
                (unsigned int)size);
        }
    }
}
END_TEST

/* What has been read goes along when the storage moves in the middle of a status and a reason. */
START_TEST(moved_at_every_size)
{
    static const char text[] = "HTTP/1.1 418 I am a teapot\r\nName: value\r\n\r\n";

    for (uint32_t size = 0; size < sizeof(text); size++) {
        struct http_field fields[1];
        struct http_head head;
        char *small = (char *)guard_page_space(size);
        char *large = (char *)guard_page_space(sizeof(text));
        size_t taken;
        size_t used = 0;
        enum http_head_status status;

        http_head_init_response(&head, small, size, fields, 1);
        status = http_head_parse(&head, (const unsigned char *)text, sizeof(text) - 1, &taken);
        if (status == HTTP_HEAD_STORAGE_FULL) {
            ck_assert_uint_ge(taken, strlen("HTTP/1.1 "));
            ck_assert_uint_eq(head.storage_used, size);
            if (size != 0)
                memcpy(large, small, size);
            guard_page_free(small, size);
            small = NULL;
            http_head_move(&head, large, sizeof(text));
            status = http_head_parse(
                &head, (const unsigned char *)text + taken, sizeof(text) - 1 - taken, &used);
        }
        ck_assert_int_eq((int)status, HTTP_HEAD_DONE);
        ck_assert_uint_eq(taken + used, sizeof(text) - 1);
        ck_assert_uint_eq(head.status, 418);
        ck_assert_str_eq(http_head_text(&head, head.reason), "418 I am a teapot");
        ck_assert_uint_eq(head.fields_count, 1);
        ck_assert_str_eq(http_head_text(&head, fields[0].name), "Name");
        ck_assert_str_eq(http_head_text(&head, fields[0].value), "value");
        if (small != NULL)
            guard_page_free(small, size);
        guard_page_free(large, sizeof(text));
    }
}
END_TEST

START_TEST(when_it_has_started)
{
    struct reading reading;

    start_response(&reading, 64);
    ck_assert(!http_head_started(&reading.head));
    feed(&reading, "", 0);
    ck_assert(!http_head_started(&reading.head));
    for (const char *at = LINE; *at != '\0'; at++) {
        feed(&reading, at, 1);
        ck_assert(http_head_started(&reading.head));
        ck_assert(!http_head_in_target(&reading.head));
    }
    feed(&reading, TEXT("\r\n"));
    ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
    ck_assert(http_head_started(&reading.head));
    finish_reading(&reading);
}
END_TEST

/* An interim response and the one behind it, and then a request, with the same parser. */
START_TEST(made_ready_anew)
{
    struct reading reading;

    start_response(&reading, 128);
    feed(&reading, TEXT("HTTP/1.0 103 Early Hints\r\nLink: a\r\n\r\n"));
    ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
    ck_assert_uint_eq(reading.head.status, 103);
    http_head_init_response(&reading.head, reading.head.storage, 128, reading.fields, FIELDS);
    ck_assert(!http_head_started(&reading.head));
    ck_assert_uint_eq(reading.head.status, 0);
    feed(&reading, TEXT("HTTP/1.1 101\r\n\r\n"));
    ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
    ck_assert_uint_eq(reading.head.status, 101);
    ck_assert_uint_eq(reading.head.version_minor, 1);
    ck_assert_uint_eq(reading.head.fields_count, 0);
    ck_assert_str_eq(http_head_text(&reading.head, reading.head.reason), "101");
    http_head_init(&reading.head, reading.head.storage, 128, reading.fields, FIELDS);
    ck_assert(!http_head_started(&reading.head));
    feed(&reading, TEXT("HTTP / HTTP/1.1\r\n\r\n"));
    ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
    ck_assert_uint_eq(reading.head.status, 0);
    ck_assert_str_eq(http_head_text(&reading.head, reading.head.method), "HTTP");
    finish_reading(&reading);
}
END_TEST

START_TEST(spoilt_heads)
{
    static const char hostile[] = "\r\n\r\n \t:\0\x7f\x80/.1HTTP0256";
    struct random_sequence sequence = {20240616};

    for (int turn = 0; turn < 2000; turn++) {
        int number = (int)random_below(&sequence, COUNT(heads));

        check_spoilt(&heads[number], true, hostile, sizeof(hostile), &sequence);
    }
}
END_TEST

Suite *http_response_head_suite(void)
{
    Suite *suite = suite_create("HTTP response head");
    TCase *tests = tcase_create("HTTP response head");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_split, 0, COUNT(heads));
    tcase_add_loop_test(tests, byte_by_byte, 0, COUNT(heads));
    tcase_add_loop_test(tests, whole_with_growing_storage, 0, COUNT(heads));
    tcase_add_loop_test(tests, the_end_stays, 0, COUNT(heads));
    tcase_add_test(tests, every_status);
    tcase_add_loop_test(tests, every_byte_in_every_place, 0, 256);
    tcase_add_test(tests, storage_that_does_not_grow);
    tcase_add_test(tests, moved_at_every_size);
    tcase_add_test(tests, when_it_has_started);
    tcase_add_test(tests, made_ready_anew);
    tcase_add_test(tests, spoilt_heads);
    suite_add_tcase(suite, tests);
    return suite;
}
