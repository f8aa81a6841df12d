/*
 * What the connections of a context that use permessage-deflate share: its settings, and what they
 * compress and decompress with where nothing is remembered from one message to the next.
 */
#ifndef LWSLOOP_CONNECTION_DEFLATE_POOL_H
#define LWSLOOP_CONNECTION_DEFLATE_POOL_H

#include "codec/deflate_parameters.h"
#include "codec/deflate_stream.h"
#include "codec/inflate_stream.h"

#include <stddef.h>

struct deflate_settings {
    int level;
    int memory_level;
    size_t threshold;                    /* bytes of a message below which it is not compressed */
    struct deflate_parameters as_server; /* what is wanted */
    struct deflate_parameters as_client;
};

/* One of each kind at most waits for its next use. */
struct deflate_pool {
    struct deflate_settings settings;
    struct deflate_stream *senders[DEFLATE_WINDOW_MAX + 1]; /* by their window bits */
    struct inflate_stream *receiver;
};

/* One that has nothing to remember; NULL where memory is short. To be given back, or freed. */
struct deflate_stream *deflate_pool_take_sender(struct deflate_pool *pool, int window_bits);
struct inflate_stream *deflate_pool_take_receiver(struct deflate_pool *pool, int window_bits);

/* NULL is harmless. */
void deflate_pool_return_sender(
    struct deflate_pool *pool, int window_bits, struct deflate_stream *sender);
void deflate_pool_return_receiver(struct deflate_pool *pool, struct inflate_stream *receiver);

void deflate_pool_free(struct deflate_pool *pool);

#endif
