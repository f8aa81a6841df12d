/*
 * What all connections of a context share: limits, deadlines, the receive buffer, and the queues by
 * which a connection asks the service layer for its attention.
 */
#ifndef LWSLOOP_CONNECTION_ENGINE_H
#define LWSLOOP_CONNECTION_ENGINE_H

#include "base/deadline_wheel.h"
#include "base/list.h"
#include "base/queue.h"
#include "connection/deflate_pool.h"
#include "connection/engine_tls.h"
#include "connection/mask_pool.h"
#include "libwebsockets.h"
#include "platform/fork_guard.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECEIVE_SIZE = 65536, /* the most that is read from a connection in one service call */
    FILE_PIECE = 262144,  /* the most of a file that is sent in one service call */
    GATHER_MAX = 65536,   /* gathered bytes above which they are not kept for the end of the call */

    /* Connections that are resumed or become WRITEABLE in one service call, and how many of them
     * one counts for that may send a piece of a file, or have extensions make more of what came. */
    WORK_PER_CALL = 256,
    WORK_OF_A_LARGE_ONE = 16
};

struct protocol;

/* Stands between the engine and a program that was written for an older level. */
typedef int(older_callback)(const struct protocol *protocol, struct libwebsocket_context *context,
    struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *user, void *in,
    size_t length);

/* A protocol as the engine keeps it, whatever the layout of the program's own. */
struct protocol {
    struct engine *engine;
    const char *name;
    callback_function *callback;
    older_callback *older; /* NULL where the callback is of the newest level */
    size_t session_size;
    size_t piece_size;
    void *element;                /* the program's, in the layout of its level */
    struct list_node connections; /* the established ones */
    struct list_cursor *cursors;  /* going along these */
    atomic_bool writable_all;     /* asked for, perhaps from another thread */
};

struct limits {
    size_t connections;
    size_t backlog;
    uint64_t message;
    uint64_t unpacked; /* the same, as extensions make it */
    uint32_t head;
    uint32_t header_fields;
    uint64_t body;
    unsigned int request_timeout;
    unsigned int http_idle_timeout;
    unsigned int http_stall_timeout;
    unsigned int http_left_timeout; /* of a request that the program leaves as it is; 0 for none */
    unsigned int close_timeout;
    unsigned int ping_interval;
    unsigned int ping_timeout;
    unsigned int resolve_timeout;
    unsigned int connect_timeout;
    unsigned int proxy_timeout;
    unsigned int tls_timeout;
    unsigned int handshake_timeout;
};

struct extension;

struct engine {
    struct libwebsocket_context *context; /* only handed on to callbacks */
    int level;                            /* of the program that made the context */
    bool keeps_file_path;                 /* it is told which file has been sent */
    bool serves_unasked;                  /* clients that ask for no protocol get the first */
    bool extensions_know_payload;         /* PAYLOAD_TX and PAYLOAD_RX are of its time */
    bool extensions_know_additions;       /* OFFER comes, and one may refuse to begin */
    struct protocol *protocols;
    size_t protocol_count;
    struct limits limits;
    struct engine_tls tls;
    struct fork_guard guard;
    struct mask_pool masks;
    struct extension *extensions;
    size_t extension_count;
    bool extensions_listen;   /* they were told that the context is a server's */
    struct list_node ticking; /* what is told the seconds */
    struct list_node ticked;  /* and has been told the present one */
    struct deadline tick;
    struct deflate_pool deflate;
    struct list_node connecting; /* clients that have no socket yet */
    uint64_t now;                /* as of the call's beginning, or the last callback's end */
    struct deadline_wheel wheel;
    struct queue attention;        /* something about them changed; looked at as the call returns */
    struct queue work;             /* have more to do than fitted in one call, or want WRITEABLE */
    unsigned char *receive_buffer; /* NULL while a call that is further out uses it */
    bool gathering;                /* inside service: what is written leaves at its end */
    bool ending;                   /* the context is being destroyed: nothing new is begun */
    bool defeat_masks;             /* clients mask with zeros */
};

/* The one way to call the program. */
static inline int protocol_call(const struct protocol *protocol,
    struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t length)
{
    if (protocol->older)
        return protocol->older(protocol, context, wsi, reason, user, in, length);
    return protocol->callback(context, wsi, reason, user, in, length);
}

/* RECEIVE_SIZE bytes with the padding that callbacks are promised around them; NULL if memory is
 * short. To be given back, in any order. */
unsigned char *engine_take_buffer(struct engine *engine);
void engine_return_buffer(struct engine *engine, unsigned char *buffer);

/* Calls a protocol about no connection in particular. */
int engine_callback(struct engine *engine, struct protocol *protocol,
    enum libwebsocket_callback_reasons reason, void *user);

#endif
