/* Masking keys for what clients send: from a cryptographic generator, each used once. */
#ifndef LWSLOOP_CONNECTION_MASK_POOL_H
#define LWSLOOP_CONNECTION_MASK_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MASK_POOL_SIZE = 1024 };

/* All zero is an empty pool. */
struct mask_pool {
    unsigned char bytes[MASK_POOL_SIZE];
    uint32_t process; /* whose they are */
    size_t left;      /* of them, at the end, not yet used */
};

/* For the process with this number: what is left from another is thrown away. False where the
 * generator fails. */
bool mask_pool_take(struct mask_pool *pool, uint32_t process, unsigned char mask[4]);

#endif
