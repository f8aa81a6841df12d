#include "service/writable_all.h"

#include "platform/wake.h"

static struct protocol *find(const struct libwebsocket_protocols *element)
{
    struct libwebsocket_context *context = element ? element->owning_server : NULL;

    if (!context || element->protocol_index < 0 ||
        (size_t)element->protocol_index >= context->engine.protocol_count)
        return NULL;
    return &context->engine.protocols[element->protocol_index];
}

int libwebsocket_callback_on_writable_all_protocol(const struct libwebsocket_protocols *protocol)
{
    struct protocol *found = find(protocol);

    if (!found)
        return -1;
    /* Nothing but atomics and a write: this may be another thread, or a signal handler. */
    if (!atomic_exchange(&found->writable_all, true)) {
        atomic_store(&protocol->owning_server->outside, true);
        wake_signal(protocol->owning_server->wake->transport.fd);
    }
    return 0;
}

void writable_all_expand(struct libwebsocket_context *context)
{
    for (size_t i = 0; i < context->engine.protocol_count; i++) {
        struct protocol *protocol = &context->engine.protocols[i];

        if (!atomic_exchange(&protocol->writable_all, false))
            continue;
        for (struct list_node *node = protocol->connections.next; node != &protocol->connections;
             node = node->next) {
            struct libwebsocket *wsi = list_entry(node, struct libwebsocket, protocol_node);

            if (wsi->state != CONNECTION_OPEN || wsi->broken)
                continue;
            wsi->wants_writable = true;
            queue_push(&context->engine.work, &wsi->work);
        }
    }
}

void libwebsocket_rx_flow_allow_all_protocol(const struct libwebsocket_protocols *protocol)
{
    struct protocol *found = find(protocol);
    struct libwebsocket_context *context = found ? protocol->owning_server : NULL;

    if (!found)
        return;
    context_enter(context, CALL_PLAIN);
    for (struct list_node *node = found->connections.next; node != &found->connections;
         node = node->next) {
        struct libwebsocket *wsi = list_entry(node, struct libwebsocket, protocol_node);

        if (wsi->flow_stopped) {
            wsi->flow_stopped = false;
            connection_attend(wsi);
        }
    }
    (void)context_leave(context, CALL_PLAIN);
}
