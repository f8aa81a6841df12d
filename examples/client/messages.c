#include "messages.h"

#include <string.h>

static int send_line(struct messages *messages, struct libwebsocket *wsi, bool complete)
{
    int what = messages->begun ? LWS_WRITE_CONTINUATION : LWS_WRITE_TEXT;
    size_t length = messages->length;

    messages->begun = !complete;
    messages->length = 0;
    if (!complete)
        what |= LWS_WRITE_NO_FIN;
    return libwebsocket_write(wsi, messages->space + LWS_SEND_BUFFER_PRE_PADDING, length,
               (enum libwebsocket_write_protocol)what) < 0
               ? -1
               : 0;
}

int messages_send(
    struct messages *messages, struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    if (messages->binary)
        return libwebsocket_write(wsi, bytes, length, LWS_WRITE_BINARY) < 0 ? -1 : 0;

    while (length > 0) {
        const unsigned char *newline = memchr(bytes, '\n', length);
        size_t part = newline ? (size_t)(newline - bytes) : length;
        size_t room = MESSAGES_FRAGMENT - messages->length;
        bool complete = newline && part <= room;

        if (part > room)
            part = room;
        memcpy(messages->space + LWS_SEND_BUFFER_PRE_PADDING + messages->length, bytes, part);
        messages->length += part;
        if ((complete || part == room) && send_line(messages, wsi, complete) != 0)
            return -1;
        if (complete)
            part++;
        bytes += part;
        length -= part;
    }
    return 0;
}

int messages_finish(struct messages *messages, struct libwebsocket *wsi)
{
    return messages->length > 0 || messages->begun ? send_line(messages, wsi, true) : 0;
}
