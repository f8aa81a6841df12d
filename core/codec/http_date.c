#include "codec/http_date.h"

#include <stdint.h>
#include <string.h>

struct civil {
    int64_t year;
    int month; /* from 0 */
    int day;   /* from 1 */
    int hour;
    int minute;
    int second;
};

enum { MONTHS = 12, WEEKDAYS = 7, DAY_SECONDS = 86400, ERA_YEARS = 400, ERA_DAYS = 146097 };

static const char *const short_weekdays[WEEKDAYS] = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_weekdays[WEEKDAYS] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[MONTHS] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The first and the last second of the years with four digits. */
static const int64_t earliest = INT64_C(-30610224000);
static const int64_t latest = INT64_C(253402300799);

static int64_t divide_down(int64_t a, int64_t b)
{
    int64_t quotient = a / b;

    return a % b < 0 ? quotient - 1 : quotient;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int64_t year, int month)
{
    static const int days[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 1 && is_leap(year) ? 29 : days[month];
}

/* Days since the first of January of the year 0. */
static int64_t days_before_year(int64_t year)
{
    int64_t past = year - 1;

    return year * 365 + divide_down(past, 4) - divide_down(past, 100) + divide_down(past, 400) + 1;
}

static int64_t days_of(const struct civil *date)
{
    int64_t days = days_before_year(date->year) - days_before_year(1970) + date->day - 1;

    for (int month = 0; month < date->month; month++)
        days += days_in_month(date->year, month);
    return days;
}

static int64_t seconds_of(const struct civil *date)
{
    return days_of(date) * DAY_SECONDS + date->hour * 3600 + date->minute * 60 + date->second;
}

static int weekday_of(int64_t days)
{
    /* The first of January 1970 was a Thursday. */
    return (int)(days + 4 - divide_down(days + 4, WEEKDAYS) * WEEKDAYS);
}

static struct civil civil_of(int64_t seconds)
{
    struct civil date;
    int64_t days = divide_down(seconds, DAY_SECONDS);
    int rest = (int)(seconds - days * DAY_SECONDS);

    date.hour = rest / 3600;
    date.minute = rest / 60 % 60;
    date.second = rest % 60;

    days += days_before_year(1970);
    date.year = divide_down(days, ERA_DAYS) * ERA_YEARS;
    date.year += (days - days_before_year(date.year)) / 366;
    while (days_before_year(date.year + 1) <= days)
        date.year++;
    days -= days_before_year(date.year);
    date.month = 0;
    while (days >= days_in_month(date.year, date.month))
        days -= days_in_month(date.year, date.month++);
    date.day = (int)days + 1;
    return date;
}

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);

    memcpy(at, text, length);
    return at + length;
}

static char *put_number(char *at, int64_t number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + digits;
}

bool http_date_format(time_t when, char text[HTTP_DATE_SIZE])
{
    int64_t seconds = (int64_t)when;
    struct civil date;
    char *at = text;

    if (seconds < earliest || seconds > latest)
        return false;
    date = civil_of(seconds);
    at = put_text(at, short_weekdays[weekday_of(divide_down(seconds, DAY_SECONDS))]);
    at = put_text(at, ", ");
    at = put_number(at, date.day, 2);
    at = put_text(at, " ");
    at = put_text(at, months[date.month]);
    at = put_text(at, " ");
    at = put_number(at, date.year, 4);
    at = put_text(at, " ");
    at = put_number(at, date.hour, 2);
    at = put_text(at, ":");
    at = put_number(at, date.minute, 2);
    at = put_text(at, ":");
    at = put_number(at, date.second, 2);
    at = put_text(at, " GMT");
    *at = '\0';
    return true;
}

static bool take_text(const char **at, const char *text)
{
    size_t length = strlen(text);

    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_name(const char **at, const char *const *names, int count, int *index)
{
    for (*index = 0; *index < count; (*index)++) {
        if (take_text(at, names[*index]))
            return true;
    }
    return false;
}

static bool take_number(const char **at, int digits, int *number)
{
    *number = 0;
    for (; digits > 0; digits--, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool take_year(const char **at, int digits, struct civil *date)
{
    int year;

    if (!take_number(at, digits, &year))
        return false;
    date->year = year;
    return true;
}

static bool take_time(const char **at, struct civil *date)
{
    return take_number(at, 2, &date->hour) && take_text(at, ":") &&
           take_number(at, 2, &date->minute) && take_text(at, ":") &&
           take_number(at, 2, &date->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool parse_preferred(const char *at, struct civil *date, int *weekday)
{
    return take_name(&at, short_weekdays, WEEKDAYS, weekday) && take_text(&at, ", ") &&
           take_number(&at, 2, &date->day) && take_text(&at, " ") &&
           take_name(&at, months, MONTHS, &date->month) && take_text(&at, " ") &&
           take_year(&at, 4, date) && take_text(&at, " ") && take_time(&at, date) &&
           take_text(&at, " GMT") && *at == '\0';
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool parse_rfc850(const char *at, struct civil *date, int *weekday)
{
    return take_name(&at, long_weekdays, WEEKDAYS, weekday) && take_text(&at, ", ") &&
           take_number(&at, 2, &date->day) && take_text(&at, "-") &&
           take_name(&at, months, MONTHS, &date->month) && take_text(&at, "-") &&
           take_year(&at, 2, date) && take_text(&at, " ") && take_time(&at, date) &&
           take_text(&at, " GMT") && *at == '\0';
}

/* Sun Nov  6 08:49:37 1994 */
static bool parse_asctime(const char *at, struct civil *date, int *weekday)
{
    return take_name(&at, short_weekdays, WEEKDAYS, weekday) && take_text(&at, " ") &&
           take_name(&at, months, MONTHS, &date->month) && take_text(&at, " ") &&
           take_number(&at, take_text(&at, " ") ? 1 : 2, &date->day) && take_text(&at, " ") &&
           take_time(&at, date) && take_text(&at, " ") && take_year(&at, 4, date) && *at == '\0';
}

/* Of the years that end in these digits, the last one not more than 50 years ahead of now. */
static bool choose_century(struct civil *date, int64_t now)
{
    struct civil limit;

    if (now < earliest || now > latest)
        return false;
    limit = civil_of(now);
    limit.year += 50;
    date->year += limit.year / 100 * 100;
    if (seconds_of(date) > seconds_of(&limit))
        date->year -= 100;
    return true;
}

bool http_date_parse(const char *text, time_t now, time_t *when)
{
    struct civil date;
    int weekday;
    int64_t seconds;

    if (parse_rfc850(text, &date, &weekday)) {
        if (!choose_century(&date, (int64_t)now))
            return false;
    } else if (!parse_preferred(text, &date, &weekday) && !parse_asctime(text, &date, &weekday)) {
        return false;
    }
    if (date.day < 1 || date.day > days_in_month(date.year, date.month))
        return false;
    /* The sixtieth second is a leap second. */
    if (date.hour > 23 || date.minute > 59 || date.second > 60)
        return false;
    if (weekday_of(days_of(&date)) != weekday)
        return false;
    seconds = seconds_of(&date);
    if ((int64_t)(time_t)seconds != seconds)
        return false;
    *when = (time_t)seconds;
    return true;
}
