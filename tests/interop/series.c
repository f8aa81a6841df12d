#include "series.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEBIBYTE ((size_t)1024 * 1024)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const size_t whole_sizes[] = {0, 1, 2, 124, 125, 126, 127, 128, 4095, 4096, 4097, 16383,
    16384, 16385, 65535, 65536, 65537, 300000, MEBIBYTE};

static const struct {
    size_t size;
    size_t piece;
} fragmented[] = {
    {0, 1},
    {1, 1},
    {2, 1},
    {125, 7},
    {300, 1},
    {4097, 4096},
    {65536, 1000},
    {MEBIBYTE, 65536},
    {MEBIBYTE, 400000},
};

#define FLOOD 1000u

struct message {
    size_t size;
    size_t piece; /* 0: whole */
    bool binary;
    bool waits; /* until all before it have come back */
};

static unsigned int message_count(void)
{
    return (unsigned int)(2 * COUNT(whole_sizes) + 2 * COUNT(fragmented)) + FLOOD;
}

static struct message message(unsigned int number)
{
    struct message message = {.waits = true, .binary = number % 2 == 1};
    unsigned int pair = number / 2;

    if (pair < COUNT(whole_sizes)) {
        message.size = whole_sizes[pair];
        return message;
    }
    pair -= (unsigned int)COUNT(whole_sizes);
    if (pair < COUNT(fragmented)) {
        message.size = fragmented[pair].size;
        message.piece = fragmented[pair].piece;
        return message;
    }
    message.waits = pair == COUNT(fragmented) && !message.binary;
    message.size = number % 700;
    return message;
}

/* Text is made of characters of one to four bytes, which fragments cut anywhere. */
static unsigned char byte_at(unsigned int number, const struct message *message, size_t offset)
{
    static const unsigned char pattern[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
    const size_t length = sizeof(pattern) - 1;

    if (message->binary)
        return (unsigned char)(offset * 31 + (offset >> 8) + number);
    if (offset >= message->size - message->size % length)
        return (unsigned char)('A' + number % 26);
    return pattern[offset % length];
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

bool series_start(struct series *series)
{
    *series = (struct series){.scratch = NULL};
    series->scratch = malloc(LWS_SEND_BUFFER_PRE_PADDING + MEBIBYTE + LWS_SEND_BUFFER_POST_PADDING);
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
        payload[i] = byte_at(series->sending, message, series->sent + i);
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

enum series_result series_send(struct series *series, struct libwebsocket *wsi)
{
    while (series->sending < message_count()) {
        struct message next = message(series->sending);

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
    }
    if (series->sending < message_count() && libwebsocket_callback_on_writable(NULL, wsi) < 0)
        return fail(series, "no WRITEABLE to be had");
    return SERIES_GOES_ON;
}

enum series_result series_receive(
    struct series *series, struct libwebsocket *wsi, const unsigned char *in, size_t len)
{
    const unsigned int number = series->receiving;
    struct message expected;

    if (number >= message_count())
        return fail(series, "a message that was not sent");
    expected = message(number);
    if ((lws_frame_is_binary(wsi) != 0) != expected.binary)
        return fail(series, "message %u came back with the other type", number);
    if (len > expected.size - series->received)
        return fail(
            series, "message %u came back longer than its %zu bytes", number, expected.size);
    for (size_t i = 0; i < len; i++) {
        if (in[i] != byte_at(number, &expected, series->received + i))
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
    return series->receiving == message_count() ? SERIES_DONE : series_send(series, wsi);
}
