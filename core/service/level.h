/* What the engine has to know of the level that a program was compiled for. */
#ifndef LWSLOOP_SERVICE_LEVEL_H
#define LWSLOOP_SERVICE_LEVEL_H

#include "connection/engine.h"

#include <stddef.h>

/* The level of the headers that the engine itself is compiled with. */
enum { LEVEL_NEWEST = LWS_LEVEL_OF_CONTEXT };

/* Where a level has the members of struct libwebsocket_protocols behind the first three. */
struct protocol_layout {
    size_t size;
    size_t rx_buffer_size; /* 0 where there is no such member */
    size_t owning_server;
    size_t protocol_index;
};

const struct protocol_layout *level_layout(int level);

/* A program's element. The first three members are in the same place at every level. */
static inline void *layout_element(
    const struct protocol_layout *layout, void *elements, size_t index)
{
    return (unsigned char *)elements + index * layout->size;
}

size_t layout_rx_buffer_size(const struct protocol_layout *layout, const void *element);
void layout_own(const struct protocol_layout *layout, void *element,
    struct libwebsocket_context *context, int index);

/* Where it is the context's: nobody owns it any more. */
void layout_disown(const struct protocol_layout *layout, void *element,
    const struct libwebsocket_context *context);

/* The engine's protocol of a program's element, given in the layout of a level; NULL where it has
 * no owner. Reads memory only: this may be another thread, or a signal handler. */
struct protocol *level_protocol(const void *element, int level);

/* What else is different for programs of a level. After the limits have been set. */
void level_rules(struct engine *engine, int level);

/* What calls back programs of a level; NULL where nothing stands between. */
older_callback *level_callback(int level);

/*
 * Makes a context for a program of a level. info is in the newest form, but its protocols are the
 * program's array in the layout of the level.
 */
struct libwebsocket_context *context_create(
    struct lws_context_creation_info *info, const struct lws_context_extras *extras, int level);

/* The public functions about all connections of a protocol, once it has been found; NULL: there is
 * no such protocol. */
int writable_all_ask(struct protocol *protocol);
void rx_flow_allow_all(struct protocol *protocol);
int broadcast_to(struct protocol *protocol, unsigned char *bytes, size_t length);

#endif
