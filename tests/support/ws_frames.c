/* The frames of ws_client.h. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ws_bytes.h"
#include "ws_deflate.h"

/* Ends the test, and names the place where it called. */
#define FAIL(...) ws_fail_at(file, line, __VA_ARGS__)

size_t ws_build_frame(unsigned char *out, unsigned int first, const unsigned char mask[4],
    unsigned int length_bytes, uint64_t claimed, const void *payload, size_t length)
{
    size_t used = 0;

    if (length_bytes == 0)
        length_bytes = claimed < 126 ? 1 : claimed < 65536 ? 2 : 8;
    out[used++] = (unsigned char)first;
    out[used] = mask == NULL ? 0 : 0x80;
    if (length_bytes == 1)
        out[used] |= (unsigned char)(claimed & 0x7f);
    else
        out[used] |= length_bytes == 2 ? 126 : 127;
    used++;
    for (unsigned int i = length_bytes; length_bytes > 1 && i > 0; i--)
        out[used++] = (unsigned char)(claimed >> (8 * (i - 1)));
    if (mask != NULL) {
        memcpy(out + used, mask, 4);
        used += 4;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = ((const unsigned char *)payload)[i];

        out[used++] = mask == NULL ? byte : (unsigned char)(byte ^ mask[i % 4]);
    }
    return used;
}

static size_t put_as_it_is(
    struct ws_client *client, unsigned char *out, unsigned int first, const void *p, size_t length)
{
    unsigned char mask[4];

    if (client->serves)
        return ws_build_frame(out, first, NULL, 0, length, p, length);
    client->mask = client->mask * 1664525u + 1013904223u;
    memcpy(mask, &client->mask, sizeof mask);
    return ws_build_frame(out, first, mask, 0, length, p, length);
}

/* Whether a frame is part of a message that is to be compressed; follows what is being sent. */
static bool is_to_be_packed(struct ws_client *client, unsigned int first)
{
    unsigned int opcode = first & ~(unsigned int)WS_FIN;
    bool packed = client->sends == WS_PACKED_MESSAGE;

    if (client->deflate == NULL || opcode > WS_BINARY)
        return false;
    if (opcode == WS_CONTINUATION) {
        if ((first & WS_FIN) != 0)
            client->sends = WS_NO_MESSAGE;
        return packed;
    }
    /* The wrong place for it. */
    if (client->sends != WS_NO_MESSAGE)
        return false;
    if ((first & WS_FIN) == 0)
        client->sends = WS_PACKED_MESSAGE;
    return true;
}

/* NULL where the frame goes as it is; freed by the caller. */
static unsigned char *pack(struct ws_client *client, unsigned int *first, const void *payload,
    size_t length, size_t *packed)
{
    if (!is_to_be_packed(client, *first))
        return NULL;
    if ((*first & ~(unsigned int)WS_FIN) != WS_CONTINUATION)
        *first |= WS_RSV1;
    return ws_deflate_pack(client->deflate, payload, length, (*first & WS_FIN) != 0, packed);
}

size_t ws_put_frame(
    struct ws_client *client, unsigned char *out, unsigned int first, const void *p, size_t length)
{
    unsigned int packed_first = first;
    size_t packed_length = 0;
    unsigned char *packed = pack(client, &packed_first, p, length, &packed_length);
    size_t header = client->serves ? 2 : 6;
    size_t used;

    if (packed == NULL)
        return put_as_it_is(client, out, first, p, length);
    header += packed_length < 126 ? 0 : packed_length < 65536 ? 2 : 8;
    if (header + packed_length <= WS_HEADER_MOST + length) {
        used = put_as_it_is(client, out, packed_first, packed, packed_length);
    } else {
        ck_assert_msg((first & WS_FIN) != 0 && first != (WS_FIN | WS_CONTINUATION),
            "a fragment grows to %zu bytes", packed_length);
        ws_deflate_forget(client->deflate);
        used = put_as_it_is(client, out, first, p, length);
    }
    free(packed);
    return used;
}

void ws_send_frame_at(struct ws_client *client, unsigned int first, const void *payload,
    size_t length, const char *file, int line)
{
    size_t packed_length = length;
    unsigned char *packed = pack(client, &first, payload, length, &packed_length);
    unsigned char *out = malloc(WS_HEADER_MOST + packed_length);

    ck_assert_ptr_nonnull(out);
    ws_send_at(client, out,
        put_as_it_is(client, out, first, packed == NULL ? payload : packed, packed_length), file,
        line);
    free(out);
    free(packed);
}

void ws_send_close_at(
    struct ws_client *client, int code, const char *reason, const char *file, int line)
{
    unsigned char payload[256];
    size_t length = reason == NULL ? 0 : strlen(reason);

    ck_assert_uint_le(length, 200);
    payload[0] = (unsigned char)(code >> 8);
    payload[1] = (unsigned char)code;
    if (length > 0)
        memcpy(payload + 2, reason, length);
    ws_send_frame_at(client, WS_FIN | WS_CLOSE, payload, 2 + length, file, line);
}

static void receive_as_it_is(
    struct ws_client *client, struct ws_frame *frame, const char *file, int line)
{
    size_t header = 2;
    uint64_t length;

    ws_need(client, header, "frame", file, line);
    frame->first = client->buffer[0];
    frame->masked = (client->buffer[1] & 0x80) != 0;
    if (frame->masked != client->serves)
        FAIL(frame->masked ? "the server masked a frame" : "the client did not mask a frame");
    length = client->buffer[1] & 0x7f;
    if (length >= 126) {
        unsigned int bytes = length == 126 ? 2 : 8;

        header += bytes;
        ws_need(client, header, "frame's header", file, line);
        length = 0;
        for (unsigned int i = 0; i < bytes; i++)
            length = length << 8 | client->buffer[2 + i];
        if (length < (bytes == 2 ? 126u : 65536u))
            FAIL("a length of %zu stands in %u bytes", (size_t)length, bytes);
    }
    if (length > (uint64_t)1 << 30)
        FAIL("a frame of %zu bytes begins", (size_t)length);
    header += frame->masked ? 4 : 0;
    ws_need(client, header + (size_t)length, "frame's payload", file, line);
    memcpy(frame->mask, client->buffer + header - 4, frame->masked ? 4 : 0);
    frame->length = (size_t)length;
    frame->payload = malloc(frame->length + 1);
    ck_assert_ptr_nonnull(frame->payload);
    memcpy(frame->payload, client->buffer + header, frame->length);
    for (size_t i = 0; frame->masked && i < frame->length; i++)
        frame->payload[i] ^= frame->mask[i % 4];
    frame->payload[frame->length] = '\0';
    ws_take(client, header + frame->length);
}

/* Adds the frames that an extension has made of the same fragment. */
static void unpack_fragment(
    struct ws_client *client, struct ws_frame *frame, const char *file, int line)
{
    struct ws_frame part = *frame;
    unsigned char *result = NULL;
    size_t length = 0;

    for (;;) {
        bool ends = (part.first & WS_FIN) != 0;
        const char *fault =
            ws_deflate_unpack(client->deflate, part.payload, part.length, ends, &result, &length);

        if (fault != NULL)
            FAIL("%zu compressed bytes came that are not: %s", part.length, fault);
        ws_frame_free(&part);
        client->receives_packed = !ends;
        if (ends)
            frame->first |= WS_FIN;
        if (ends || part.length == 0 || ws_deflate_is_flushed(client->deflate))
            break;
        receive_as_it_is(client, &part, file, line);
        if ((part.first & ~(unsigned int)WS_FIN) != WS_CONTINUATION)
            FAIL("a frame beginning with %#x came inside a compressed fragment", part.first);
    }
    result = realloc(result, length + 1);
    ck_assert_ptr_nonnull(result);
    result[length] = '\0';
    frame->payload = result;
    frame->length = length;
}

void ws_receive_frame_at(
    struct ws_client *client, struct ws_frame *frame, const char *file, int line)
{
    unsigned int opcode;

    receive_as_it_is(client, frame, file, line);
    if (client->deflate == NULL)
        return;
    opcode = frame->first & ~(unsigned int)WS_FIN;
    if (opcode == (WS_RSV1 | WS_TEXT) || opcode == (WS_RSV1 | WS_BINARY))
        frame->first = (unsigned char)(frame->first & ~WS_RSV1);
    else if (opcode != WS_CONTINUATION || !client->receives_packed)
        return;
    unpack_fragment(client, frame, file, line);
}

void ws_frame_free(struct ws_frame *frame)
{
    free(frame->payload);
    frame->payload = NULL;
}

void ws_expect_frame_at(struct ws_client *client, unsigned int first, const void *payload,
    size_t length, const char *file, int line)
{
    struct ws_frame frame;

    ws_receive_frame_at(client, &frame, file, line);
    if (frame.first != first)
        FAIL("a frame beginning with %#x came, not %#x: %zu bytes, %.40s", frame.first, first,
            frame.length, frame.length > 2 ? (const char *)frame.payload + 2 : "");
    if (frame.length != length)
        FAIL("a frame of %zu bytes came, not %zu", frame.length, length);
    for (size_t i = 0; i < length; i++) {
        if (frame.payload[i] != ((const unsigned char *)payload)[i])
            FAIL("byte %zu of %zu of the payload is wrong", i, length);
    }
    ws_frame_free(&frame);
}

void ws_expect_close_at(
    struct ws_client *client, int code, const char *reason, const char *file, int line)
{
    struct ws_frame frame;
    int found;

    ws_receive_frame_at(client, &frame, file, line);
    if (frame.first != (WS_FIN | WS_CLOSE))
        FAIL("a frame beginning with %#x came (%zu bytes), not a close frame with %d", frame.first,
            frame.length, code);
    if (frame.length == 1 || frame.length > 125)
        FAIL("a close frame of %zu bytes came", frame.length);
    found = frame.length == 0 ? 0 : frame.payload[0] << 8 | frame.payload[1];
    if (found != code)
        FAIL("the close code is %d (%s), not %d", found,
            frame.length > 2 ? (const char *)frame.payload + 2 : "", code);
    if (reason != NULL &&
        strcmp(frame.length > 2 ? (const char *)frame.payload + 2 : "", reason) != 0)
        FAIL("the close reason is \"%s\", not \"%s\"", (const char *)frame.payload + 2, reason);
    ws_frame_free(&frame);
}
