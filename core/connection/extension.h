/*
 * Extensions: those of a context, and those that are active on a connection, in the order in which
 * they were agreed.
 */
#ifndef LWSLOOP_CONNECTION_EXTENSION_H
#define LWSLOOP_CONNECTION_EXTENSION_H

#include "base/list.h"
#include "base/text.h"
#include "connection/connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EXTENSIONS_MAX = 32,
    EXTENSION_NAME_MAX = 64,
    EXTENSION_PARAMETERS_MAX = 512, /* bytes of those of one offer or answer */
    EXTENSION_ALTERNATIVES_MAX = 4, /* of one extension, in a client's offer */
    UNPACKED_PER_CALL = 131072      /* bytes that extensions make of input in one service call */
};

/* An extension of a context. */
struct extension {
    struct libwebsocket_extension element; /* a copy, whose private data is the context's own */
    bool is_internal;
    bool begun; /* it was told that the context is being made */
};

/* What was received goes through two chains of extensions: the stream of bytes, and then the
 * payload of the messages in it. */
enum extension_chain { CHAIN_STREAM, CHAIN_PAYLOAD, CHAINS };

/* Bytes that have been through a chain and could not be used yet. */
struct leftover {
    unsigned char *bytes; /* NULL where there are none */
    size_t length;
};

/* An extension that is active on a connection. */
struct active_extension {
    struct extension *extension;
    void *session;
    unsigned char reserved_bits;
    bool has_more[CHAINS]; /* it asked to be called again */
    bool has_ended;        /* what it was given of the message at hand includes the end */
    bool begun_receiving;  /* it was called for the message at hand */
    bool begun_sending;    /* the same for the one that is being written */
};

struct extension_set {
    struct libwebsocket *wsi;
    struct list_node ticking; /* among those that are told the seconds */
    struct leftover leftover[CHAINS];
    bool sends_binary;       /* the message that is being written is binary */
    bool sends_uncompressed; /* and is to be left as it is */
    bool packing;            /* one of them is working on a message that is being written */
    bool sending;            /* the same for the stream */
    bool flushed;            /* they have been asked for what they kept back */
    bool asked;              /* one of them did not want the end, and nothing has happened since */
    bool unpacking;          /* the message at hand goes through the chain */
    uint64_t unpacked;       /* bytes of it so far */
    size_t known;            /* bytes that are known to follow the piece that is being delivered */
    size_t spent;            /* bytes that were made of input in this service call */
    struct partial *lent;    /* what an extension may put its result into while it is called */
    size_t count;
    struct active_extension list[];
};

static inline struct extension_set *extension_set_of(const struct libwebsocket *wsi)
{
    return wsi->extended ? wsi->rarely->extensions : NULL;
}

/* Calls one that is active. */
int extension_call(struct libwebsocket *wsi, const struct active_extension *active,
    enum libwebsocket_extension_callback_reasons reason, void *in, size_t length);

/* Calls all of a context's about something. Returns whether one of them said a number above 0. */
bool extension_call_all(struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, void *in, size_t length);

/* Calls those that are active and the program's own, until one says a number above 0. */
bool extension_call_active(
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason);

/* Fails the connection with what an extension has said about a payload. */
void extension_fail(struct libwebsocket *wsi, const struct lws_extension_payload *payload);

/* One of them has failed at what was to be sent, and the connection is over. Returns false, with
 * errno. */
bool extension_cannot_send(struct libwebsocket *wsi);

/* From here on they work on what the connection sends and receives. */
void extension_establish(struct libwebsocket *wsi);

/* Ends and frees those that are active. */
void extension_release(struct libwebsocket *wsi);

/* The union of the reserved bits that messages may have. */
unsigned char extension_reserved_bits(const struct libwebsocket *wsi);

/* So many bytes were made of input: pauses the connection when it has had its share. */
void extension_spend(struct libwebsocket *wsi, size_t length);

/* Tells the seconds, and has the next one told. */
void extension_tick(struct engine *engine);

/* Tells them of their context's beginning, and its end. False where one does not want it. */
bool extension_begin_context(struct engine *engine, bool listens, struct text *error);
void extension_end_context(struct engine *engine);

#endif
