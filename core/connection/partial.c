#include "connection/partial.h"

#include <stdlib.h>

struct partial *partial_create(struct partial *earlier, size_t size)
{
    struct partial *partial = realloc(earlier,
        sizeof(*partial) + size + LWS_SEND_BUFFER_PRE_PADDING + LWS_SEND_BUFFER_POST_PADDING);

    if (!partial)
        return NULL;
    if (!earlier)
        partial->used = 0;
    partial->size = size;
    return partial;
}
