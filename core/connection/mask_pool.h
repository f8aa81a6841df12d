/* Masking keys for what clients send: from a cryptographic generator, each used once. */
#ifndef LWSLOOP_CONNECTION_MASK_POOL_H
#define LWSLOOP_CONNECTION_MASK_POOL_H

#include <stdbool.h>
#include <stddef.h>

enum { MASK_POOL_SIZE = 1024 };

/* All zero is an empty pool. */
struct mask_pool {
    unsigned char bytes[MASK_POOL_SIZE];
    size_t left; /* of them, at the end, not yet used */
};

/* False where the generator fails. */
bool mask_pool_take(struct mask_pool *pool, unsigned char mask[4]);

#endif
