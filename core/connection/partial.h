/* The piece of a message that is being put together, where it does not come all at once. */
#ifndef LWSLOOP_CONNECTION_PARTIAL_H
#define LWSLOOP_CONNECTION_PARTIAL_H

#include "libwebsockets.h"

#include <stddef.h>

struct partial {
    size_t used;
    size_t size;
    unsigned char bytes[]; /* with the padding around the size */
};

/* With room for so much; what an earlier one holds is moved there. NULL where memory is short, and
 * the earlier one is as it was. */
struct partial *partial_create(struct partial *earlier, size_t size);

static inline unsigned char *partial_payload(struct partial *partial)
{
    return partial->bytes + LWS_SEND_BUFFER_PRE_PADDING;
}

static inline unsigned char *partial_end(struct partial *partial)
{
    return partial_payload(partial) + partial->used;
}

#endif
