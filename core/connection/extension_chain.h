/* What was received passes through the active extensions, the last of them first. */
#ifndef LWSLOOP_CONNECTION_EXTENSION_CHAIN_H
#define LWSLOOP_CONNECTION_EXTENSION_CHAIN_H

#include "connection/extension.h"

/* Where a chain ends. */
struct chain_end {
    enum extension_chain chain;

    /* Memory that the last of them may put its result into. NULL: they use their own. */
    unsigned char *(*room)(struct libwebsocket *wsi, size_t *size);
    /* It was called. Not NULL where room is not. */
    void (*take_room_back)(struct libwebsocket *wsi);

    /* Takes the result, all of it; `ends` where that is the end of a message. */
    void (*put)(struct libwebsocket *wsi, unsigned char *bytes, size_t length, bool ends);

    /* The connection is failed: an extension has found a fault. */
    void (*fail)(struct libwebsocket *wsi, const struct lws_extension_payload *payload);
};

/* Gives bytes to a chain in which nothing is left over. It may not be able to put out at once all
 * that becomes of them. */
void extension_chain_push(struct libwebsocket *wsi, const struct chain_end *end,
    unsigned char *bytes, size_t length, bool ends);

/* Goes on with what was left over. */
void extension_chain_resume(struct libwebsocket *wsi, const struct chain_end *end);

/* Whether what comes out of a chain is of any use. */
bool extension_chain_is_used(const struct libwebsocket *wsi, enum extension_chain chain);

/* Whether something is left over. */
bool extension_chain_pending(const struct libwebsocket *wsi, enum extension_chain chain);

/* Keeps bytes that cannot be used now. False where memory is short, and the connection is over. */
bool extension_chain_keep(struct libwebsocket *wsi, enum extension_chain chain,
    const unsigned char *bytes, size_t length);

/* Forgets all that is left over. */
void extension_chain_drop(struct libwebsocket *wsi, enum extension_chain chain);

#endif
