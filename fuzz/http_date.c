/* Dates: eight bytes of present time, then a text; and those bytes as a time to be written. */
#include "codec/http_date.h"

#include "fuzz.h"

/* The system's own calendar. */
static void check_format(time_t when)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[HTTP_DATE_SIZE];
    char expected[128];
    struct tm parts;
    time_t again = 0;
    bool has_form =
        gmtime_r(&when, &parts) && parts.tm_year >= 1000 - 1900 && parts.tm_year <= 9999 - 1900;

    /* Years below 1000 have four digits as well, if zeros are counted: both are the codec's. */
    if (!http_date_format(when, text)) {
        REQUIRE(!has_form);
        return;
    }
    REQUIRE(strlen(text) == HTTP_DATE_SIZE - 1);
    snprintf(expected, sizeof(expected), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
        parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
        parts.tm_sec);
    REQUIRE(strcmp(text, expected) == 0);
    REQUIRE(http_date_parse(text, 0, &again) && again == when);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t number = fuzz_take_number(&data, &size);
    time_t now = (time_t)number;
    char *text = fuzz_text(data, size);
    time_t when;

    check_format(now);
    check_format((time_t)(number & 0xffffffffff));
    if (http_date_parse(text, now, &when)) {
        char preferred[HTTP_DATE_SIZE];

        check_format(when);
        /* The preferred form of a date is what it was written in, but for leap seconds. */
        if (strlen(text) == HTTP_DATE_SIZE - 1 && text[3] == ',' &&
            http_date_format(when, preferred))
            REQUIRE(strcmp(text, preferred) == 0 || strstr(text, ":60 GMT"));
        /* Years of two digits are at most fifty ahead. */
        if (strchr(text, '-'))
            REQUIRE(when - now <= 51 * (time_t)31622400);
    }
    free(text);
    return 0;
}
