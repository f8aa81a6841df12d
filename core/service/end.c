/* Destroying a context. */
#include "service/end.h"

#include "codec/close_payload.h"
#include "connection/extension.h"
#include "connection/lifecycle.h"
#include "service/adopt.h"
#include "service/calls.h"
#include "service/connector.h"
#include "service/level.h"
#include "service/poll_fd.h"
#include "service/settle.h"

#include <stdlib.h>

static const char going[] = "the context is being destroyed";

static void end_connections(struct libwebsocket_context *context)
{
    for (size_t fd = 0; fd < context->by_fd_size; fd++) {
        struct libwebsocket *wsi = context->by_fd[fd];

        if (!wsi || connection_is_internal(wsi))
            continue;
        connection_close_at_once(wsi, CLOSE_GOING_AWAY, going);
        settle_close(context, wsi);
    }
    while (!list_empty(&context->engine.connecting)) {
        struct libwebsocket *wsi =
            list_entry(context->engine.connecting.next, struct libwebsocket, protocol_node);

        connection_close_at_once(wsi, CLOSE_GOING_AWAY, going);
        settle_close(context, wsi);
    }
}

static void end_protocols(struct libwebsocket_context *context)
{
    for (size_t i = 0; i < context->protocols_begun; i++)
        (void)engine_callback(
            &context->engine, &context->engine.protocols[i], LWS_CALLBACK_PROTOCOL_DESTROY, NULL);
}

/* A socket that the program opened is its own again where it never got the context. */
static void give_back_adopted(struct libwebsocket_context *context)
{
    size_t first = context->listener_count - context->adopted_count;

    for (size_t i = first; i < context->listener_count; i++) {
        context_unfile(context, context->listeners[i]);
        context->listeners[i]->transport.fd = -1;
        connection_release(context->listeners[i]);
        free(context->listeners[i]);
    }
}

static void disown_protocols(struct libwebsocket_context *context)
{
    const struct protocol_layout *layout = level_layout(context->engine.level);

    for (size_t i = 0; i < context->engine.protocol_count; i++)
        layout_disown(layout, context->engine.protocols[i].element, context);
}

static void bury(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    connection_release(wsi);
    wsi->closed = true;
    queue_push(&context->graves, &wsi->work);
}

static void release_connecting(struct libwebsocket_context *context)
{
    while (!list_empty(&context->engine.connecting)) {
        struct libwebsocket *wsi =
            list_entry(context->engine.connecting.next, struct libwebsocket, protocol_node);

        connector_abandon(context, wsi);
        bury(context, wsi);
    }
}

void end_connections_silently(struct libwebsocket_context *context)
{
    poll_fd_disregard_all(context);
    release_connecting(context);
    for (size_t fd = 0; fd < context->by_fd_size; fd++) {
        struct libwebsocket *wsi = context->by_fd[fd];

        if (!wsi)
            continue;
        context->by_fd[fd] = NULL;
        bury(context, wsi);
    }
    /* Extensions were called, which put their connections on these queues. */
    queue_splice(&context->graves, &context->work_round);
    queue_splice(&context->graves, &context->engine.work);
    queue_init(&context->settle_round);
    queue_init(&context->engine.attention);
    settle_graves(context);
    /* The receiving end was closed with what stood for it. */
    if (context->broadcasts)
        context->channel.receiver = -1;
    context->wake = NULL;
    context->timer = NULL;
    context->broadcasts = NULL;
    context->listener_count = 0;
    context->adopted_count = 0;
    context->connections = 0;
}

/* Or the one that is left of those that did. */
static bool is_last_to_serve(struct libwebsocket_context *context)
{
    return context_is_owner(context) ||
           (process_lock_can_be_asked(&context->lock) && !process_lock_is_alive(&context->lock));
}

void end_silently(struct libwebsocket_context *context)
{
    /* An extension may still be called, and ask for what is going on already. */
    context->engine.ending = true;
    /* A signal handler that asks for WRITEABLE finds no context from here on. */
    disown_protocols(context);
    if (!context->created)
        give_back_adopted(context);
    end_connections_silently(context);
    /* A copy's: what is closed, a loop can forget without taking it from the other process. */
    poll_fd_detach(context);
    if (context->unix_path && is_last_to_serve(context))
        listen_unix_remove(context->unix_path, &context->unix_name);
    free(context->unix_path);
    calls_free(&context->calls);
    resolver_release(context->resolver);
    proxy_address_free(&context->proxy);
    extension_end_context(&context->engine);
    engine_tls_free(&context->engine.tls);
    free(context->engine.protocols);
    free(context->engine.receive_buffer);
    free(context->by_fd);
    broadcast_channel_close(&context->channel);
    process_lock_close(&context->lock);
    fork_guard_close(&context->engine.guard);
    free(context);
}

/* A copy that this process never served, or has given up: nobody is told of anything. */
static void end_copy(struct libwebsocket_context *context)
{
    context->engine.ending = true;
    if (!context->renounced)
        calls_after_fork(&context->calls);
    calls_drop(&context->calls);
    end_silently(context);
}

void context_end(struct libwebsocket_context *context)
{
    if (context->renounced || !context_is_local(context)) {
        end_copy(context);
        return;
    }
    /* Whatever the program calls from here on is a call inside this one. */
    context->depth++;
    context->engine.ending = true;
    /* Another thread may have served it: broadcasts are refused here, and not left to that one. */
    if (context_is_owner(context))
        atomic_store_explicit(&context->serving_thread, thread_mark(), memory_order_release);
    calls_finish(context);
    /* Connections that another process has taken over go on there. */
    if (context_is_owner(context))
        end_connections(context);
    settle_endings(context);
    poll_fd_forget_all(context);
    poll_fd_detach(context);
    end_protocols(context);
    /* Nothing but the closed is left among those with work to do. */
    if (context_is_owner(context))
        queue_splice(&context->graves, &context->engine.work);
    settle_graves(context);
    end_silently(context);
}

void libwebsocket_context_destroy(struct libwebsocket_context *context)
{
    if (!context || context->engine.ending)
        return;
    if (context->depth > 0) {
        context->destroy_asked = true;
        context->engine.ending = true;
        return;
    }
    context_end(context);
}
