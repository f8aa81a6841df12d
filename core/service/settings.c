#include "service/settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_PIECE_SIZE = 4096,
    MOST_PIECE_SIZE = 1 << 30,
    MOST_PROTOCOLS = 1024,
    DEFAULT_UNPACKED_SIZE = 64 << 20,
    LEAST_HEAD_SIZE = 256,
    MOST_HEAD_SIZE = 1 << 24,
    MOST_HEADER_FIELDS = 1 << 16
};

static size_t or_default(size_t value, size_t otherwise)
{
    return value ? value : otherwise;
}

static unsigned int or_default_ms(unsigned int value, unsigned int otherwise)
{
    return value ? value : otherwise;
}

bool settings_limits(
    struct limits *limits, const struct lws_context_extras *extras, struct text *error)
{
    const uint64_t most_message = INT64_MAX;
    size_t head = or_default(extras->max_head_size, 8192);
    size_t fields = or_default(extras->max_header_fields, 100);

    if (head < LEAST_HEAD_SIZE || head > MOST_HEAD_SIZE || fields > MOST_HEADER_FIELDS) {
        text_add(error, "max_head_size or max_header_fields out of range");
        return false;
    }
    limits->connections = or_default(extras->max_connections, 65536);
    limits->backlog = or_default(extras->max_backlog, 1 << 20);
    limits->message = extras->max_message_size && extras->max_message_size < most_message
                          ? extras->max_message_size
                          : most_message;
    limits->unpacked = extras->max_message_size ? limits->message : DEFAULT_UNPACKED_SIZE;
    if (extras->max_unpacked_size)
        limits->unpacked =
            extras->max_unpacked_size < most_message ? extras->max_unpacked_size : most_message;
    limits->head = (uint32_t)head;
    limits->header_fields = (uint32_t)fields;
    limits->body = extras->max_body_size ? extras->max_body_size : 1 << 20;
    limits->request_timeout = or_default_ms(extras->request_timeout_ms, 10000);
    limits->http_idle_timeout = or_default_ms(extras->http_idle_timeout_ms, 15000);
    limits->http_stall_timeout = or_default_ms(extras->http_stall_timeout_ms, 30000);
    limits->close_timeout = or_default_ms(extras->close_timeout_ms, 5000);
    limits->ping_interval = extras->ping_interval_ms;
    limits->ping_timeout = or_default_ms(extras->ping_timeout_ms, extras->ping_interval_ms);
    limits->resolve_timeout = or_default_ms(extras->resolve_timeout_ms, 10000);
    limits->connect_timeout = or_default_ms(extras->connect_timeout_ms, 20000);
    limits->proxy_timeout = or_default_ms(extras->proxy_timeout_ms, 10000);
    limits->tls_timeout = or_default_ms(extras->tls_timeout_ms, 10000);
    limits->handshake_timeout = or_default_ms(extras->handshake_timeout_ms, 10000);
    return true;
}

bool settings_extras(
    struct lws_context_extras *known, const struct lws_context_extras *given, struct text *error)
{
    const unsigned char *bytes = (const unsigned char *)given;

    memset(known, 0, sizeof(*known));
    if (!given)
        return true;
    if (given->struct_size < sizeof(given->struct_size)) {
        text_add(error, "the extras' struct_size is not set");
        return false;
    }
    memcpy(known, given, given->struct_size < sizeof(*known) ? given->struct_size : sizeof(*known));
    for (size_t at = sizeof(*known); at < given->struct_size; at++) {
        if (bytes[at]) {
            text_add(error, "the extras ask for something that this version does not have");
            return false;
        }
    }
    return true;
}

/* The first three members are in the same place at every level. */
static const struct libwebsocket_protocols *element_of(
    const struct protocol_layout *layout, void *elements, size_t index)
{
    return layout_element(layout, elements, index);
}

struct protocol *settings_protocols(void *elements, int level, size_t *count, struct text *error)
{
    const struct protocol_layout *layout = level_layout(level);
    struct protocol *protocols;
    size_t number = 0;

    while (elements && number < MOST_PROTOCOLS && element_of(layout, elements, number)->callback)
        number++;
    if (number == 0 || number == MOST_PROTOCOLS) {
        text_add(error, "no protocols, or an array without an end");
        return NULL;
    }
    protocols = calloc(number, sizeof(*protocols));
    if (!protocols) {
        text_add(error, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < number; i++) {
        const struct libwebsocket_protocols *element = element_of(layout, elements, i);
        size_t piece_size = layout_rx_buffer_size(layout, element);

        if (piece_size > MOST_PIECE_SIZE) {
            text_add(error, "rx_buffer_size of protocol %zu is more than 2^30", i);
            free(protocols);
            return NULL;
        }
        protocols[i].name = element->name;
        protocols[i].callback = element->callback;
        protocols[i].older = level_callback(level);
        protocols[i].session_size = element->per_session_data_size;
        protocols[i].piece_size = or_default(piece_size, DEFAULT_PIECE_SIZE);
        protocols[i].element = layout_element(layout, elements, i);
        list_init(&protocols[i].connections);
        atomic_init(&protocols[i].writable_all, false);
    }
    *count = number;
    return protocols;
}
