#include "service/writable_all.h"

#include "platform/wake.h"
#include "service/adopt.h"
#include "service/level.h"

int writable_all_ask(struct protocol *protocol)
{
    struct libwebsocket_context *context = protocol ? protocol->engine->context : NULL;

    if (!context || context->renounced)
        return -1;
    /* Nothing but atomics and a write: this may be another thread, or a signal handler. */
    if (!atomic_exchange(&protocol->writable_all, true)) {
        atomic_store(&context->outside, true);
        /* What another process waits for is not ours to make ready; adopting looks at it anyway. */
        if (context_is_local(context))
            wake_signal(context->wake->transport.fd);
    }
    return 0;
}

int libwebsocket_callback_on_writable_all_protocol(const struct libwebsocket_protocols *protocol)
{
    return writable_all_ask(level_protocol(protocol, LEVEL_NEWEST));
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
            /* What extensions have to say they are asked in its turn: they may end any other. */
            if (wsi->stream_extended)
                wsi->asked_for_all = true;
            else
                wsi->wants_writable = true;
            queue_push(&context->engine.work, &wsi->work);
        }
    }
}

void rx_flow_allow_all(struct protocol *protocol)
{
    struct libwebsocket_context *context = protocol ? protocol->engine->context : NULL;

    if (!context || !context_enter(context, CALL_PLAIN))
        return;
    for (struct list_node *node = protocol->connections.next; node != &protocol->connections;
         node = node->next) {
        struct libwebsocket *wsi = list_entry(node, struct libwebsocket, protocol_node);

        if (wsi->flow_stopped) {
            wsi->flow_stopped = false;
            connection_attend(wsi);
        }
    }
    (void)context_leave(context, CALL_PLAIN);
}

void libwebsocket_rx_flow_allow_all_protocol(const struct libwebsocket_protocols *protocol)
{
    rx_flow_allow_all(level_protocol(protocol, LEVEL_NEWEST));
}
