/* Makes messages of what was read: one of each line, or binary ones as it comes. */
#ifndef CLIENT_MESSAGES_H
#define CLIENT_MESSAGES_H

#include <stdbool.h>

#include <libwebsockets.h>

/* A line that is longer leaves in fragments of this size. */
enum { MESSAGES_FRAGMENT = 1 << 20 };

struct messages {
    bool binary;
    bool begun;    /* fragments of the line have left already */
    size_t length; /* what has come of the line since */
    unsigned char
        space[LWS_SEND_BUFFER_PRE_PADDING + MESSAGES_FRAGMENT + LWS_SEND_BUFFER_POST_PADDING];
};

/*
 * Sends what is complete, and keeps the rest. The bytes lie between LWS_SEND_BUFFER_PRE_PADDING and
 * LWS_SEND_BUFFER_POST_PADDING bytes of space. Returns 0, or -1 where sending failed.
 */
int messages_send(
    struct messages *messages, struct libwebsocket *wsi, unsigned char *bytes, size_t length);

/* Sends a last line that has no newline. Returns 0, or -1 where that failed. */
int messages_finish(struct messages *messages, struct libwebsocket *wsi);

#endif
