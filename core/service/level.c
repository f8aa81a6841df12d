#include "service/level.h"

#include "service/context.h"

#include <string.h>

/* Callbacks differ in their arguments, but not in size. */
typedef void(any_callback)(void);

struct protocols_20101218 {
    const char *name;
    any_callback *callback;
    size_t per_session_data_size;
    struct libwebsocket_context *owning_server;
    int broadcast_socket_port;
    int broadcast_socket_user_fd;
    int protocol_index;
};

struct protocols_20130131 {
    const char *name;
    any_callback *callback;
    size_t per_session_data_size;
    struct libwebsocket_context *owning_server;
    int protocol_index;
};

struct protocols_20130206 {
    const char *name;
    any_callback *callback;
    size_t per_session_data_size;
    size_t rx_buffer_size;
    struct libwebsocket_context *owning_server;
    int protocol_index;
};

struct protocols_20131017 {
    const char *name;
    any_callback *callback;
    size_t per_session_data_size;
    size_t rx_buffer_size;
    int no_buffer_all_partial_tx;
    struct libwebsocket_context *owning_server;
    int protocol_index;
};

_Static_assert(sizeof(struct protocols_20130206) == sizeof(struct libwebsocket_protocols) &&
                   offsetof(struct protocols_20130206, protocol_index) ==
                       offsetof(struct libwebsocket_protocols, protocol_index),
    "the header the engine is compiled with has the layout of 2013-02-06");

#define LAYOUT(date, rx)                                                                           \
    {                                                                                              \
        sizeof(struct protocols_##date), rx, offsetof(struct protocols_##date, owning_server),     \
            offsetof(struct protocols_##date, protocol_index)                                      \
    }

/* The newest first. */
static const struct {
    int since;
    struct protocol_layout layout;
} layouts[] = {
    {20131017, LAYOUT(20131017, offsetof(struct protocols_20131017, rx_buffer_size))},
    {20130206, LAYOUT(20130206, offsetof(struct protocols_20130206, rx_buffer_size))},
    {20130131, LAYOUT(20130131, 0)},
    {20101218, LAYOUT(20101218, 0)},
};

const struct protocol_layout *level_layout(int level)
{
    size_t i = 0;

    while (i + 1 < sizeof(layouts) / sizeof(layouts[0]) && layouts[i].since > level)
        i++;
    return &layouts[i].layout;
}

size_t layout_rx_buffer_size(const struct protocol_layout *layout, const void *element)
{
    size_t size = 0;

    if (layout->rx_buffer_size)
        memcpy(&size, (const unsigned char *)element + layout->rx_buffer_size, sizeof(size));
    return size;
}

static struct libwebsocket_context *owner_of(
    const struct protocol_layout *layout, const void *element)
{
    struct libwebsocket_context *owner;

    memcpy(&owner, (const unsigned char *)element + layout->owning_server, sizeof(owner));
    return owner;
}

void layout_own(const struct protocol_layout *layout, void *element,
    struct libwebsocket_context *context, int index)
{
    memcpy((unsigned char *)element + layout->owning_server, &context, sizeof(context));
    memcpy((unsigned char *)element + layout->protocol_index, &index, sizeof(index));
}

void layout_disown(
    const struct protocol_layout *layout, void *element, const struct libwebsocket_context *context)
{
    struct libwebsocket_context *nobody = NULL;

    if (owner_of(layout, element) == context)
        memcpy((unsigned char *)element + layout->owning_server, &nobody, sizeof(nobody));
}

struct protocol *level_protocol(const void *element, int level)
{
    const struct protocol_layout *layout = level_layout(level);
    struct libwebsocket_context *context = element ? owner_of(layout, element) : NULL;
    int index;

    if (!context)
        return NULL;
    memcpy(&index, (const unsigned char *)element + layout->protocol_index, sizeof(index));
    if (index < 0 || (size_t)index >= context->engine.protocol_count ||
        context->engine.protocols[index].element != element)
        return NULL;
    return &context->engine.protocols[index];
}

void level_rules(struct engine *engine, int level)
{
    engine->level = level;
    engine->keeps_file_path = level >= 20130115 && level < 20130214;
    engine->serves_unasked = level >= 20130131;
    engine->extensions_know_payload = level >= 20130109;
    engine->extensions_know_additions = level >= 20130209;
    /* The callback cannot close what it does not answer, or answers by itself. */
    engine->limits.http_left_timeout = level < 20130115 ? engine->limits.http_idle_timeout : 0;
}
