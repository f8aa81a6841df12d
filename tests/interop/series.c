#include "series.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEBIBYTE ((size_t)1024 * 1024)
#define MOST_PINGS 5u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct shape {
    size_t size;
    size_t piece; /* 0: whole */
};

/* Each shape is sent as text and as binary; then there is the flood. */
struct series_plan {
    const char *name;
    const struct shape *shapes;
    size_t count;
    unsigned int flood;
    size_t largest;
    bool records; /* and random bytes, and pings */
};

static const struct shape plain_shapes[] = {{0, 0}, {1, 0}, {2, 0}, {124, 0}, {125, 0}, {126, 0},
    {127, 0}, {128, 0}, {4095, 0}, {4096, 0}, {4097, 0}, {16383, 0}, {16384, 0}, {16385, 0},
    {65535, 0}, {65536, 0}, {65537, 0}, {300000, 0}, {MEBIBYTE, 0}, {0, 1}, {1, 1}, {2, 1},
    {125, 7}, {300, 1}, {4097, 4096}, {65536, 1000}, {MEBIBYTE, 65536}, {MEBIBYTE, 400000}};

static const struct shape packed_shapes[] = {{1, 0}, {2, 0}, {255, 0}, {256, 0}, {257, 0},
    {3000, 0}, {16384, 0}, {65537, 0}, {300000, 0}, {0, 1}, {2, 1}, {300, 1}, {5000, 300},
    {65536, 1000}, {100000, 40000}};

static const struct shape large_shapes[] = {{16 * MEBIBYTE, 0}, {4 * MEBIBYTE, 300000}};

static const struct series_plan plans[] = {
    {"plain", plain_shapes, COUNT(plain_shapes), 1000, MEBIBYTE, false},
    {"packed", packed_shapes, COUNT(packed_shapes), 300, 300000, true},
    {"large", large_shapes, COUNT(large_shapes), 10, 16 * MEBIBYTE, true},
};

struct message {
    size_t size;
    size_t piece;
    bool binary;
    bool waits; /* until all before it have come back */
};

static unsigned int message_count(const struct series_plan *plan)
{
    return (unsigned int)(2 * plan->count) + plan->flood;
}

static struct message message(const struct series_plan *plan, unsigned int number)
{
    struct message message = {.waits = true, .binary = number % 2 == 1};
    unsigned int pair = number / 2;

    if (pair < plan->count) {
        message.size = plan->shapes[pair].size;
        message.piece = plan->shapes[pair].piece;
        return message;
    }
    message.waits = pair == plan->count && !message.binary;
    message.size = number % 700;
    return message;
}

/* Different for each, and without an order that a compressor could see. */
static uint32_t scattered(unsigned int number, size_t index)
{
    uint32_t value = (uint32_t)index * 0x9e3779b1u + number * 0x85ebca6bu + 1;

    value = (value ^ (value >> 16)) * 0x7feb352du;
    value = (value ^ (value >> 15)) * 0x846ca68bu;
    return value ^ (value >> 16);
}

/*
 * Text is made of a pattern that is repeated, with characters of one to four bytes, which fragments
 * cut anywhere. Where it is records, each '#' is another digit.
 */
static unsigned char text_at(
    const struct series_plan *plan, unsigned int number, size_t size, size_t offset)
{
    static const char record[] = "{\"id\":####,\"name\":\"Zo\xc3\xab \xf0\x9f\x98\x80\",\"price\":"
                                 "\"\xe2\x82\xac ##.##\",\"sold\":false},\n";
    static const char characters[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
    const char *pattern = plan->records ? record : characters;
    const size_t length = (plan->records ? sizeof(record) : sizeof(characters)) - 1;
    char byte = pattern[offset % length];

    if (offset >= size - size % length)
        return (unsigned char)('A' + number % 26);
    return (unsigned char)(byte == '#' ? '0' + (int)(scattered(number, offset) % 10) : byte);
}

static unsigned char byte_at(const struct series_plan *plan, unsigned int number,
    const struct message *message, size_t offset)
{
    if (!message->binary)
        return text_at(plan, number, message->size, offset);
    if (plan->records)
        return (unsigned char)scattered(number, offset);
    return (unsigned char)(offset * 31 + (offset >> 8) + number);
}

__attribute__((format(printf, 2, 3))) static enum series_result fail(
    struct series *series, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(series->fault, sizeof(series->fault), format, arguments);
    va_end(arguments);
    return SERIES_FAILED;
}

bool series_start(struct series *series, const char *name)
{
    *series = (struct series){.scratch = NULL};
    for (size_t i = 0; i < COUNT(plans); i++) {
        if (strcmp(name, plans[i].name) == 0)
            series->plan = &plans[i];
    }
    if (!series->plan)
        return false;
    series->scratch =
        malloc(LWS_SEND_BUFFER_PRE_PADDING + series->plan->largest + LWS_SEND_BUFFER_POST_PADDING);
    return series->scratch;
}

void series_end(struct series *series)
{
    free(series->scratch);
    series->scratch = NULL;
}

/* Sends the next fragment of a message, or all of it. False where it cannot be sent. */
static bool send_fragment(
    struct series *series, struct libwebsocket *wsi, const struct message *message)
{
    unsigned char *payload = series->scratch + LWS_SEND_BUFFER_PRE_PADDING;
    enum libwebsocket_write_protocol kind = message->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    size_t length = message->size - series->sent;
    bool final = true;

    if (message->piece > 0) {
        if (length > message->piece)
            length = message->piece;
        if (series->fragment % 3 == 2)
            length = 0;
        final = series->fragment > 0 && series->sent + length == message->size;
    }
    if (series->fragment > 0)
        kind = LWS_WRITE_CONTINUATION;
    if (!final)
        kind |= LWS_WRITE_NO_FIN;
    for (size_t i = 0; i < length; i++)
        payload[i] = byte_at(series->plan, series->sending, message, series->sent + i);
    if (libwebsocket_write(wsi, payload, length, kind) != (int)length)
        return false;
    series->sent += length;
    series->fragment++;
    if (final) {
        series->sending++;
        series->sent = 0;
        series->fragment = 0;
    }
    return true;
}

/* Now and then a ping with its number, between messages and inside them: never many at a time,
   which servers take for an attack. */
static bool send_ping(struct series *series, struct libwebsocket *wsi)
{
    const int length = (int)sizeof(series->pings);
    unsigned char *payload = series->scratch + LWS_SEND_BUFFER_PRE_PADDING;

    if (!series->plan->records || (series->sending + series->fragment) % 4 != 1 ||
        series->pings - series->pongs >= MOST_PINGS || lws_send_pipe_choked(wsi))
        return true;
    memcpy(payload, &series->pings, sizeof(series->pings));
    series->pings++;
    return libwebsocket_write(wsi, payload, sizeof(series->pings), LWS_WRITE_PING) == length;
}

enum series_result series_pong(struct series *series, const void *in, size_t len)
{
    if (series->pongs == series->pings || len != sizeof(series->pongs) ||
        memcmp(in, &series->pongs, len) != 0)
        return fail(series, "pong %u of %u is another one", series->pongs, series->pings);
    series->pongs++;
    return SERIES_GOES_ON;
}

enum series_result series_send(struct series *series, struct libwebsocket *wsi)
{
    while (series->sending < message_count(series->plan)) {
        struct message next = message(series->plan, series->sending);

        if (next.waits && series->sending > series->receiving)
            return SERIES_GOES_ON;
        if (lws_send_pipe_choked(wsi))
            break;
        if (!send_fragment(series, wsi, &next)) {
            if (errno == EAGAIN)
                break;
            return fail(
                series, "message %u could not be sent: %s", series->sending, strerror(errno));
        }
        if (!send_ping(series, wsi))
            return fail(series, "a ping could not be sent: %s", strerror(errno));
    }
    if (series->sending < message_count(series->plan) &&
        libwebsocket_callback_on_writable(NULL, wsi) < 0)
        return fail(series, "no WRITEABLE to be had");
    return SERIES_GOES_ON;
}

enum series_result series_receive(
    struct series *series, struct libwebsocket *wsi, const unsigned char *in, size_t len)
{
    const unsigned int number = series->receiving;
    struct message expected;

    if (number >= message_count(series->plan))
        return fail(series, "a message that was not sent");
    expected = message(series->plan, number);
    if ((lws_frame_is_binary(wsi) != 0) != expected.binary)
        return fail(series, "message %u came back with the other type", number);
    if (len > expected.size - series->received)
        return fail(
            series, "message %u came back longer than its %zu bytes", number, expected.size);
    for (size_t i = 0; i < len; i++) {
        if (in[i] != byte_at(series->plan, number, &expected, series->received + i))
            return fail(series, "message %u of %zu bytes differs at %zu", number, expected.size,
                series->received + i);
    }
    series->received += len;
    if (!libwebsocket_is_final_fragment(wsi) || libwebsockets_remaining_packet_payload(wsi) > 0)
        return SERIES_GOES_ON;
    if (series->received < expected.size)
        return fail(series, "message %u came back with %zu of %zu bytes", number, series->received,
            expected.size);
    series->received = 0;
    series->receiving++;
    if (series->receiving < message_count(series->plan))
        return series_send(series, wsi);
    if (series->pongs < series->pings || (series->plan->records && series->pings == 0))
        return fail(series, "%u pongs for %u pings", series->pongs, series->pings);
    return SERIES_DONE;
}
