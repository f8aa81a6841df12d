#include "codec/http_date.h"

#include "suites.h"
#include "support/guard_page.h"

#include <stdint.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* 15 June 2024, 12:00:00 */
static const time_t present = 1718452800;

/* 31 December 9999, 23:59:59 */
static const time_t latest = 253402300799;

static const struct {
    time_t when;
    const char *text;
} dates[] = {
    {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
    {-86401, "Tue, 30 Dec 1969 23:59:59 GMT"},
    {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
    {951868799, "Tue, 29 Feb 2000 23:59:59 GMT"},
    {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
    {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
    {1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"},
    {2147483647, "Tue, 19 Jan 2038 03:14:07 GMT"},
    {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
    {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
    {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"},
    {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    {-30610224000, "Wed, 01 Jan 1000 00:00:00 GMT"},
};

START_TEST(both_ways)
{
    char *text = (char *)guard_page_space(HTTP_DATE_SIZE);
    time_t when = 77;

    ck_assert(http_date_format(dates[_i].when, text));
    ck_assert_str_eq(text, dates[_i].text);
    ck_assert(http_date_parse(text, present, &when));
    ck_assert(when == dates[_i].when);
    guard_page_free(text, HTTP_DATE_SIZE);
}
END_TEST

START_TEST(years_without_four_digits)
{
    static const int64_t outside[] = {
        253402300800, -30610224001, INT64_MAX, INT64_MIN, INT64_MAX / 2, INT64_MIN / 2};
    char text[HTTP_DATE_SIZE];

    for (int i = 0; i < COUNT(outside); i++) {
        if ((int64_t)(time_t)outside[i] == outside[i])
            ck_assert(!http_date_format((time_t)outside[i], text));
    }
}
END_TEST

/* The C library is the judge, which knows the same calendar; a step that is not a round number. */
START_TEST(as_the_library_does)
{
    for (int64_t when = -30610224000; when <= 253402300799; when += 86400 * 37 + 4321) {
        time_t moment = (time_t)when;
        time_t parsed;
        struct tm parts;
        char text[HTTP_DATE_SIZE];
        char expected[64];

        ck_assert(gmtime_r(&moment, &parts) != NULL);
        ck_assert_uint_eq(
            strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &parts), 29);
        ck_assert(http_date_format(moment, text));
        ck_assert_str_eq(text, expected);
        ck_assert(http_date_parse(text, present, &parsed));
        ck_assert(parsed == moment);
        ck_assert_uint_eq(strftime(expected, sizeof(expected), "%a %b %e %H:%M:%S %Y", &parts), 24);
        ck_assert(http_date_parse(expected, present, &parsed));
        ck_assert(parsed == moment);
    }
}
END_TEST

static const struct {
    const char *text;
    time_t when;
} other_forms[] = {
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Sun Nov 06 08:49:37 1994", 784111777},
    {"Wed Nov 16 08:49:37 1994", 784975777},
    {"Thu Jan  1 00:00:00 1970", 0},
    {"Wednesday, 01-Jan-75 00:00:00 GMT", 157766400},
    {"Saturday, 15-Jun-24 12:00:00 GMT", 1718452800},
    {"Saturday, 31-Dec-16 23:59:60 GMT", 1483228800},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
    {"Sat Dec 31 23:59:60 2016", 1483228800},
};

START_TEST(the_other_forms)
{
    size_t size = strlen(other_forms[_i].text) + 1;
    char *copy = (char *)guard_page_copy(other_forms[_i].text, size);
    time_t when = 77;

    ck_assert_msg(http_date_parse(copy, present, &when), "\"%s\"", copy);
    ck_assert_msg(when == other_forms[_i].when, "\"%s\": %lld", copy, (long long)when);
    guard_page_free(copy, size);
}
END_TEST

/* `now` and the date, both in the preferred form, and the date as RFC 850 has it. */
static const struct {
    const char *now;
    const char *text;
    const char *meant; /* NULL: no date */
} centuries[] = {
    {"Sat, 15 Jun 2024 12:00:00 GMT", "Friday, 15-Jun-74 12:00:00 GMT",
        "Fri, 15 Jun 2074 12:00:00 GMT"},
    {"Sat, 15 Jun 2024 12:00:00 GMT", "Saturday, 15-Jun-74 12:00:01 GMT",
        "Sat, 15 Jun 1974 12:00:01 GMT"},
    {"Sat, 15 Jun 2024 12:00:00 GMT", "Sunday, 16-Jun-74 12:00:00 GMT",
        "Sun, 16 Jun 1974 12:00:00 GMT"},
    {"Sat, 15 Jun 2024 12:00:00 GMT", "Saturday, 01-Jan-00 00:00:00 GMT",
        "Sat, 01 Jan 2000 00:00:00 GMT"},
    {"Sat, 15 Jun 2024 12:00:00 GMT", "Tuesday, 29-Feb-00 00:00:00 GMT",
        "Tue, 29 Feb 2000 00:00:00 GMT"},
    /* In 2070 that day is a Wednesday. */
    {"Sat, 15 Jun 2024 12:00:00 GMT", "Thursday, 01-Jan-70 00:00:00 GMT", NULL},
    {"Wed, 15 Jun 2061 12:00:00 GMT", "Monday, 29-Feb-00 00:00:00 GMT", NULL},
    {"Wed, 15 Jun 2061 12:00:00 GMT", "Monday, 01-Mar-00 00:00:00 GMT",
        "Mon, 01 Mar 2100 00:00:00 GMT"},
    {"Fri, 31 Dec 1999 00:00:00 GMT", "Saturday, 01-Jan-00 00:00:00 GMT",
        "Sat, 01 Jan 2000 00:00:00 GMT"},
    {"Fri, 31 Dec 1999 00:00:00 GMT", "Friday, 31-Dec-49 00:00:00 GMT",
        "Fri, 31 Dec 2049 00:00:00 GMT"},
    {"Fri, 31 Dec 1999 00:00:00 GMT", "Sunday, 01-Jan-50 00:00:00 GMT",
        "Sun, 01 Jan 1950 00:00:00 GMT"},
};

START_TEST(the_century)
{
    time_t now;
    time_t when;
    time_t meant;

    ck_assert(http_date_parse(centuries[_i].now, 0, &now));
    if (centuries[_i].meant == NULL) {
        ck_assert(!http_date_parse(centuries[_i].text, now, &when));
        return;
    }
    ck_assert(http_date_parse(centuries[_i].meant, 0, &meant));
    ck_assert(http_date_parse(centuries[_i].text, now, &when));
    ck_assert_msg(when == meant, "%lld, not %lld", (long long)when, (long long)meant);
}
END_TEST

static const char *const wrong[] = {
    "",
    " ",
    "0",
    "784111777",
    "S",
    "Sun",
    "Sun,",
    "Sun, ",
    "Sun, 06 Nov 1994",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 ",
    "Sun, 06 Nov 1994 08:49:37 GM",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMTx",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "sun, 06 Nov 1994 08:49:37 GMT",
    "SUN, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 November 1994 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "06 Nov 1994 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "Sun,  06 Nov 1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 006 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 199 08:49:37 GMT",
    "Sunday, 06-Nov-9 08:49:37 GMT",
    "Sun Nov  6 08:49:37 199",
    "Sun, 06 Nov 01994 08:49:37 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT",
    "Sun, 06 Nov +994 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT",
    "Sun, 06 Nov 1994 08:49:37.5 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 -8:49:37 GMT",
    "Sun, 06 Nov 1994  8:49:37 GMT",
    "Mon, 06 Nov 1994 08:49:37 GMT",
    "Monday, 06-Nov-94 08:49:37 GMT",
    "Mon Nov  6 08:49:37 1994",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Mon, 31 Oct 1994 08:49:99 GMT",
    "Thu, 31 Nov 1994 08:49:37 GMT",
    "Sun, 32 Dec 1994 08:49:37 GMT",
    "Wed, 29 Feb 2023 00:00:00 GMT",
    "Mon, 29 Feb 2100 00:00:00 GMT",
    "Thu, 29 Feb 1900 00:00:00 GMT",
    "Fri, 30 Feb 2024 00:00:00 GMT",
    "Sun, 06 Xyz 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov   6 08:49:37 1994",
    "Sun Nov  06 08:49:37 1994",
    "Sun Nov  0 08:49:37 1994",
    "Sun Nov  6 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov  6 08:49:37 1994\n",
    "Sun, 06 Nov 1994 08:49:37 GMT\n",
    "99999999999999999999999999999999999",
    "Sun, 99 Nov 9999 99:99:99 GMT",
    "\xff\xfe\xfd",
};

START_TEST(not_dates)
{
    size_t size = strlen(wrong[_i]) + 1;
    char *copy = (char *)guard_page_copy(wrong[_i], size);
    time_t when = 77;

    ck_assert_msg(!http_date_parse(copy, present, &when), "\"%s\"", copy);
    ck_assert_msg(when == 77, "\"%s\" was written", copy);
    guard_page_free(copy, size);
}
END_TEST

/* Every shorter piece of a date, and a date with any one byte replaced by one that is wrong. */
START_TEST(spoilt_dates)
{
    static const char *const good[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};

    for (int i = 0; i < COUNT(good); i++) {
        size_t length = strlen(good[i]);

        for (size_t at = 0; at < length; at++) {
            unsigned char *copy = guard_page_space(at + 1);
            unsigned char *spoilt = guard_page_copy(good[i], length + 1);
            time_t when;

            memcpy(copy, good[i], at);
            ck_assert_msg(!http_date_parse((const char *)copy, present, &when), "\"%s\"", copy);
            spoilt[at] = '/';
            ck_assert_msg(!http_date_parse((const char *)spoilt, present, &when), "\"%s\"", spoilt);
            guard_page_free(copy, at + 1);
            guard_page_free(spoilt, length + 1);
        }
    }
}
END_TEST

START_TEST(any_now)
{
    static const int64_t moments[] = {
        INT64_MAX, INT64_MIN, 0, 253402300799, -30610224000, 253402300800, -30610224001};
    time_t when;

    for (int i = 0; i < COUNT(moments); i++) {
        if ((int64_t)(time_t)moments[i] != moments[i])
            continue;
        ck_assert(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT", (time_t)moments[i], &when));
        ck_assert(when == 784111777);
    }

    /* In the year 9994 that day is a Sunday, too. */
    ck_assert(http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT", latest, &when));
    ck_assert(!http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT", latest + 1, &when));
    ck_assert(!http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT", (time_t)INT64_MAX, &when));
}
END_TEST

Suite *http_date_suite(void)
{
    Suite *suite = suite_create("HTTP date");
    TCase *tests = tcase_create("HTTP date");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, both_ways, 0, COUNT(dates));
    tcase_add_test(tests, years_without_four_digits);
    tcase_add_test(tests, as_the_library_does);
    tcase_add_loop_test(tests, the_other_forms, 0, COUNT(other_forms));
    tcase_add_loop_test(tests, the_century, 0, COUNT(centuries));
    tcase_add_loop_test(tests, not_dates, 0, COUNT(wrong));
    tcase_add_test(tests, spoilt_dates);
    tcase_add_test(tests, any_now);
    suite_add_tcase(suite, tests);
    return suite;
}
