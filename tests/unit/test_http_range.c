#include "codec/http_range.h"

#include "suites.h"
#include "support/guard_page.h"

#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const struct {
    const char *value;
    uint64_t size;
    enum http_range_status status;
    uint64_t first;
    uint64_t last;
} ranges[] = {
    {"bytes=0-0", 1, HTTP_RANGE_PARTIAL, 0, 0},
    {"bytes=0-499", 10000, HTTP_RANGE_PARTIAL, 0, 499},
    {"bytes=500-999", 10000, HTTP_RANGE_PARTIAL, 500, 999},
    {"bytes=9500-", 10000, HTTP_RANGE_PARTIAL, 9500, 9999},
    {"bytes=0-", 10000, HTTP_RANGE_PARTIAL, 0, 9999},
    {"bytes=-500", 10000, HTTP_RANGE_PARTIAL, 9500, 9999},
    {"bytes=-1", 10000, HTTP_RANGE_PARTIAL, 9999, 9999},
    {"bytes=-10000", 10000, HTTP_RANGE_PARTIAL, 0, 9999},
    {"bytes=-10001", 10000, HTTP_RANGE_PARTIAL, 0, 9999},
    {"bytes=9999-9999", 10000, HTTP_RANGE_PARTIAL, 9999, 9999},
    {"bytes=9999-10000", 10000, HTTP_RANGE_PARTIAL, 9999, 9999},
    {"bytes=5-5", 10, HTTP_RANGE_PARTIAL, 5, 5},
    {"bytes=0000000000000000000000000000005-007", 10, HTTP_RANGE_PARTIAL, 5, 7},
    {"BYTES=1-2", 10, HTTP_RANGE_PARTIAL, 1, 2},
    {"Bytes=1-2", 10, HTTP_RANGE_PARTIAL, 1, 2},
    {"bytes=,1-2", 10, HTTP_RANGE_PARTIAL, 1, 2},
    {"bytes=1-2,", 10, HTTP_RANGE_PARTIAL, 1, 2},
    {"bytes=1-2 , ,", 10, HTTP_RANGE_PARTIAL, 1, 2},

    /* Numbers at and over what fits. */
    {"bytes=0-18446744073709551615", 10, HTTP_RANGE_PARTIAL, 0, 9},
    {"bytes=0-18446744073709551616", 10, HTTP_RANGE_PARTIAL, 0, 9},
    {"bytes=0-99999999999999999999999999999999999999", 10, HTTP_RANGE_PARTIAL, 0, 9},
    {"bytes=-18446744073709551615", 10, HTTP_RANGE_PARTIAL, 0, 9},
    {"bytes=-18446744073709551616", 10, HTTP_RANGE_PARTIAL, 0, 9},
    {"bytes=-36893488147419103232", 10, HTTP_RANGE_PARTIAL, 0, 9},
    {"bytes=18446744073709551614-", UINT64_MAX, HTTP_RANGE_PARTIAL, UINT64_MAX - 1, UINT64_MAX - 1},
    {"bytes=18446744073709551615-", UINT64_MAX, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=18446744073709551616-", UINT64_MAX, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=18446744073709551616-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=18446744073709551621-18446744073709551623", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=99999999999999999999-99999999999999999999", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=99999999999999999999-88888888888888888888", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=99999999999999999999-5", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=100000000000000000000-99999999999999999999", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=0-184467440737095516150", UINT64_MAX, HTTP_RANGE_PARTIAL, 0, UINT64_MAX - 1},

    {"bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=10-20", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-000", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-0", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=0-0", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-5", 0, HTTP_RANGE_IGNORE, 0, 0},

    {"", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"=", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"=1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=,", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes= ", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=-", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=--1", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=2-1", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=20-10", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=10-9", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1--2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-2-", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-2-3", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=-1-", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1 -2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1- 2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=- 2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes= 1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes =1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {" bytes=1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes:1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes 1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"byte=1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytess=1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"lines=1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes==1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1=2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=+1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-+2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=0x1-0x2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=a-b", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-b", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-2b", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=-2b", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1.0-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=\"1-2\"", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-\xb2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-2,4-5", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-2, 1-2", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=0-,0-,0-,0-,0-", 10, HTTP_RANGE_IGNORE, 0, 0},
    {"bytes=1-2,x", 10, HTTP_RANGE_IGNORE, 0, 0},
};

START_TEST(one_range)
{
    size_t size = strlen(ranges[_i].value) + 1;
    char *copy = (char *)guard_page_copy(ranges[_i].value, size);
    uint64_t first = 77;
    uint64_t last = 77;
    enum http_range_status status = http_range_parse(copy, ranges[_i].size, &first, &last);

    ck_assert_msg(status == ranges[_i].status, "\"%s\" of %llu: status %d", copy,
        (unsigned long long)ranges[_i].size, (int)status);
    if (status == HTTP_RANGE_PARTIAL) {
        ck_assert_msg(first == ranges[_i].first && last == ranges[_i].last, "\"%s\": %llu to %llu",
            copy, (unsigned long long)first, (unsigned long long)last);
    }
    guard_page_free(copy, size);
}
END_TEST

/* Whatever the size, a partial answer lies inside it. */
START_TEST(always_inside)
{
    static const uint64_t sizes[] = {0, 1, 2, 499, 500, 9999, UINT64_MAX - 1, UINT64_MAX};

    for (int i = 0; i < COUNT(ranges); i++) {
        for (int j = 0; j < COUNT(sizes); j++) {
            uint64_t first;
            uint64_t last;

            if (http_range_parse(ranges[i].value, sizes[j], &first, &last) == HTTP_RANGE_PARTIAL)
                ck_assert(first <= last && last < sizes[j]);
        }
    }
}
END_TEST

Suite *http_range_suite(void)
{
    Suite *suite = suite_create("HTTP range");
    TCase *tests = tcase_create("HTTP range");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, one_range, 0, COUNT(ranges));
    tcase_add_test(tests, always_inside);
    suite_add_tcase(suite, tests);
    return suite;
}
