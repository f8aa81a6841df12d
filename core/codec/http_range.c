#include "codec/http_range.h"

#include "codec/token_list.h"

#include <stdbool.h>
#include <string.h>

/* Digits without the zeros in front; the value is UINT64_MAX where it is more than fits. */
struct position {
    const char *digits;
    size_t length;
    uint64_t value;
};

static const char unit[] = "bytes";

/* Returns what is behind the digits, or NULL if there are none. */
static const char *take_position(const char *text, const char *end, struct position *position)
{
    const char *at = text;

    position->value = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (position->value > (UINT64_MAX - digit) / 10)
            position->value = UINT64_MAX;
        else
            position->value = position->value * 10 + digit;
    }
    if (at == text)
        return NULL;
    while (text < at && *text == '0')
        text++;
    position->digits = text;
    position->length = (size_t)(at - text);
    return at;
}

/* By the digits, since two numbers that are too large have the same value. */
static bool is_less(const struct position *a, const struct position *b)
{
    if (a->length != b->length)
        return a->length < b->length;
    return memcmp(a->digits, b->digits, a->length) < 0;
}

static enum http_range_status suffix_range(
    const char *at, const char *end, uint64_t size, uint64_t *first, uint64_t *last)
{
    struct position suffix;

    if (take_position(at, end, &suffix) != end)
        return HTTP_RANGE_IGNORE;
    if (suffix.value == 0)
        return HTTP_RANGE_UNSATISFIABLE;
    /* Satisfiable, and yet no Content-Range can express it. */
    if (size == 0)
        return HTTP_RANGE_IGNORE;
    *first = suffix.value < size ? size - suffix.value : 0;
    *last = size - 1;
    return HTTP_RANGE_PARTIAL;
}

static enum http_range_status one_range(
    const char *at, const char *end, uint64_t size, uint64_t *first, uint64_t *last)
{
    struct position from;
    struct position to = {.value = UINT64_MAX};

    if (*at == '-')
        return suffix_range(at + 1, end, size, first, last);
    at = take_position(at, end, &from);
    if (at == NULL || at == end || *at != '-')
        return HTTP_RANGE_IGNORE;
    at++;
    if (at != end && (take_position(at, end, &to) != end || is_less(&to, &from)))
        return HTTP_RANGE_IGNORE;
    if (from.value >= size)
        return HTTP_RANGE_UNSATISFIABLE;
    *first = from.value;
    *last = to.value < size ? to.value : size - 1;
    return HTTP_RANGE_PARTIAL;
}

enum http_range_status http_range_parse(
    const char *value, uint64_t size, uint64_t *first, uint64_t *last)
{
    const char *set = strchr(value, '=');
    const char *range;
    const char *another;
    size_t length;
    size_t another_length;

    *first = 0;
    *last = 0;
    if (set == NULL || !token_equal(value, (size_t)(set - value), unit))
        return HTTP_RANGE_IGNORE;
    set++;
    if (*set == ' ' || *set == '\t' || !token_list_next(&set, &range, &length))
        return HTTP_RANGE_IGNORE;
    if (token_list_next(&set, &another, &another_length))
        return HTTP_RANGE_IGNORE;
    return one_range(range, range + length, size, first, last);
}
