#include "connection/mask_pool.h"

#include <openssl/rand.h>
#include <string.h>

bool mask_pool_take(struct mask_pool *pool, uint32_t process, unsigned char mask[4])
{
    unsigned char *next;

    if (pool->left < 4 || pool->process != process) {
        if (RAND_bytes(pool->bytes, sizeof(pool->bytes)) != 1)
            return false;
        pool->left = sizeof(pool->bytes);
        pool->process = process;
    }
    next = pool->bytes + sizeof(pool->bytes) - pool->left;
    memcpy(mask, next, 4);
    /* What has been sent is no secret, but what is left of it here is of no use either. */
    memset(next, 0, 4);
    pool->left -= 4;
    return true;
}
