#include "codec/request_target.h"

#include "codec/hexadecimal.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The byte that an escape stands for; -1 if it is none. */
static int escaped_byte(const char *at, const char *end)
{
    int high;
    int low;

    if (end - at < 3 || *at != '%')
        return -1;
    high = hexadecimal_value(at[1]);
    low = hexadecimal_value(at[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Unreserved characters and sub-delimiters of RFC 3986. */
static bool is_name_byte(char byte)
{
    if (is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
        return true;
    return byte != '\0' && strchr("-._~!$&'()*+,;=", byte) != NULL;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at;
}

static bool is_ipv4(const char *at, const char *end)
{
    for (int octets = 1;; octets++) {
        const char *start = at;
        int value = 0;

        at = skip_digits(at, end);
        if (at == start || at - start > 3 || (*start == '0' && at - start > 1))
            return false;
        for (const char *digit = start; digit < at; digit++)
            value = value * 10 + (*digit - '0');
        if (value > 255)
            return false;
        if (octets == 4)
            return at == end;
        if (at == end || *at != '.')
            return false;
        at++;
    }
}

static bool is_ipv6(const char *at, const char *end)
{
    int groups = 0;
    bool compressed = false;

    if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
        compressed = true;
        at += 2;
    }
    while (at < end) {
        const char *start = at;

        while (at < end && hexadecimal_value(*at) >= 0)
            at++;
        if (at < end && *at == '.') {
            if (!is_ipv4(start, end))
                return false;
            groups += 2;
            break;
        }
        if (at == start || at - start > 4 || ++groups > 8)
            return false;
        if (at == end)
            break;
        if (*at++ != ':' || at == end)
            return false;
        if (*at == ':') {
            if (compressed)
                return false;
            compressed = true;
            at++;
        }
    }
    return compressed ? groups <= 7 : groups == 8;
}

/* An address of a version yet to come (RFC 3986 section 3.2.2). */
static bool is_ip_future(const char *at, const char *end)
{
    const char *start;

    if (at == end || (*at != 'v' && *at != 'V'))
        return false;
    start = ++at;
    while (at < end && hexadecimal_value(*at) >= 0)
        at++;
    if (at == start || at == end || *at != '.')
        return false;
    start = ++at;
    while (at < end && (is_name_byte(*at) || *at == ':'))
        at++;
    return at != start && at == end;
}

/* The end of the uri-host that starts here; NULL if it is not one. */
static const char *host_end(const char *at, const char *end)
{
    if (at < end && *at == '[') {
        const char *close = memchr(at, ']', (size_t)(end - at));

        if (close == NULL || (!is_ipv6(at + 1, close) && !is_ip_future(at + 1, close)))
            return NULL;
        return close + 1;
    }
    while (at < end && *at != ':') {
        if (is_name_byte(*at))
            at++;
        else if (escaped_byte(at, end) >= 0)
            at += 3;
        else
            return NULL;
    }
    return at;
}

static bool is_port(const char *at, const char *end)
{
    return at == end || (*at == ':' && skip_digits(at + 1, end) == end);
}

bool host_is_valid(const char *host)
{
    const char *end = host + strlen(host);
    const char *port = host_end(host, end);

    return port != NULL && is_port(port, end);
}

/* Where the path of an absolute form starts, NULL if it is not one of http or https. */
static const char *skip_authority(const char *target)
{
    const char *end;
    const char *port;

    if (strncasecmp(target, "http://", 7) == 0)
        target += 7;
    else if (strncasecmp(target, "https://", 8) == 0)
        target += 8;
    else
        return NULL;
    end = target + strcspn(target, "/?");
    port = host_end(target, end);
    if (port == NULL || port == target || !is_port(port, end))
        return NULL;
    return end;
}

static bool is_target_text(const char *at)
{
    for (; *at != '\0'; at++) {
        /* A fragment is never sent; a server that took it as a name would differ from a proxy. */
        if (*at <= 0x20 || *at >= 0x7f || *at == '#')
            return false;
    }
    return true;
}

/* Decodes up to `end` into `path`, with a NUL behind. An escaped question mark is copied. */
static enum request_target_status decode_path(
    const char *at, const char *end, char *path, size_t size, size_t *length)
{
    size_t used = 0;

    if (at == end) {
        if (size < 2)
            return REQUEST_TARGET_LONG;
        path[used++] = '/';
    }
    while (at < end) {
        char byte = *at;
        size_t taken = 1;

        if (byte == '%') {
            int value = escaped_byte(at, end);

            if (value <= 0)
                return REQUEST_TARGET_BAD;
            if (value != '?') {
                byte = (char)value;
                taken = 3;
            }
        }
        if (used + 1 >= size)
            return REQUEST_TARGET_LONG;
        path[used++] = byte;
        at += taken;
    }
    *length = used;
    return REQUEST_TARGET_GOOD;
}

/* In place, on a path that starts with a slash; returns the new length, which is not 0. */
static size_t remove_dot_segments(char *path, size_t length)
{
    size_t from = 0;
    size_t to = 0;

    while (from < length) {
        const char *segment = path + from + 1;
        const char *slash = memchr(segment, '/', length - from - 1);
        size_t segment_length = slash != NULL ? (size_t)(slash - segment) : length - from - 1;
        bool same = segment_length == 1 && segment[0] == '.';
        bool parent = segment_length == 2 && segment[0] == '.' && segment[1] == '.';

        if (parent) {
            while (to > 0 && path[--to] != '/')
                ;
        }
        if (!same && !parent) {
            memmove(path + to, path + from, segment_length + 1);
            to += segment_length + 1;
        } else if (slash == NULL) {
            path[to++] = '/';
        }
        from += segment_length + 1;
    }
    return to;
}

enum request_target_status request_target_decode(const char *target, char *path, size_t size)
{
    enum request_target_status status;
    const char *query;
    size_t query_length;
    size_t length;

    if (!is_target_text(target))
        return REQUEST_TARGET_BAD;
    if (*target != '/') {
        target = skip_authority(target);
        if (target == NULL)
            return REQUEST_TARGET_BAD;
    }
    query = target + strcspn(target, "?");
    query_length = strlen(query);
    status = decode_path(target, query, path, size, &length);
    if (status != REQUEST_TARGET_GOOD)
        return status;
    length = remove_dot_segments(path, length);
    if (query_length >= size - length)
        return REQUEST_TARGET_LONG;
    memcpy(path + length, query, query_length + 1);
    return REQUEST_TARGET_GOOD;
}
