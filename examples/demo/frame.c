#include "frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

void frame_clear(struct frame *frame)
{
    frame->length = 0;
    frame->failed = false;
}

void frame_free(struct frame *frame)
{
    free(frame->memory);
    memset(frame, 0, sizeof(*frame));
}

static bool make_room(struct frame *frame, size_t more)
{
    if (frame->failed)
        return false;
    if (more <= frame->size - frame->length)
        return true;
    size_t size = 2 * (frame->length + more);
    unsigned char *memory =
        realloc(frame->memory, LWS_SEND_BUFFER_PRE_PADDING + size + LWS_SEND_BUFFER_POST_PADDING);
    if (!memory) {
        frame->failed = true;
        return false;
    }
    frame->memory = memory;
    frame->size = size;
    return true;
}

static void add_bytes(struct frame *frame, const char *bytes, size_t length)
{
    if (!make_room(frame, length))
        return;
    memcpy(frame->memory + LWS_SEND_BUFFER_PRE_PADDING + frame->length, bytes, length);
    frame->length += length;
}

void frame_add(struct frame *frame, const char *json)
{
    add_bytes(frame, json, strlen(json));
}

void frame_add_number(struct frame *frame, long long number)
{
    char digits[32];
    int length = snprintf(digits, sizeof(digits), "%lld", number);
    if (length > 0)
        add_bytes(frame, digits, (size_t)length);
}

void frame_add_string(struct frame *frame, const char *text)
{
    add_bytes(frame, "\"", 1);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            char escape[2] = {'\\', (char)byte};
            add_bytes(frame, escape, sizeof(escape));
        } else if (byte < 0x20) {
            char escape[8];
            int length = snprintf(escape, sizeof(escape), "\\u%04x", byte);
            if (length > 0)
                add_bytes(frame, escape, (size_t)length);
        } else {
            add_bytes(frame, text, 1);
        }
    }
    add_bytes(frame, "\"", 1);
}

int frame_send(struct frame *frame, struct libwebsocket *wsi)
{
    if (frame->failed || frame->length == 0)
        return -1;
    int sent = libwebsocket_write(
        wsi, frame->memory + LWS_SEND_BUFFER_PRE_PADDING, frame->length, LWS_WRITE_TEXT);
    return sent < 0 ? -1 : 0;
}
