/* Destroying a context. */
#include "service/end.h"

#include "connection/extension.h"
#include "connection/lifecycle.h"
#include "service/calls.h"
#include "service/poll_fd.h"
#include "service/settle.h"

#include <stdlib.h>

static void end_connections(struct libwebsocket_context *context)
{
    for (size_t fd = 0; fd < context->by_fd_size; fd++) {
        struct libwebsocket *wsi = context->by_fd[fd];

        if (!wsi || connection_is_internal(wsi))
            continue;
        connection_close_at_once(wsi);
        settle_close(context, wsi);
    }
    while (!list_empty(&context->engine.connecting)) {
        struct libwebsocket *wsi =
            list_entry(context->engine.connecting.next, struct libwebsocket, protocol_node);

        connection_close_at_once(wsi);
        settle_close(context, wsi);
    }
}

static void forget_internal(struct libwebsocket_context *context)
{
    for (size_t fd = 0; fd < context->by_fd_size; fd++)
        if (context->by_fd[fd])
            poll_fd_forget(context->by_fd[fd]);
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
    for (size_t i = 0; i < context->engine.protocol_count; i++) {
        /* The array is the program's, and not const: the API writes to it. */
        struct libwebsocket_protocols *element =
            (struct libwebsocket_protocols *)(size_t)context->engine.protocols[i].element;

        if (element->owning_server == context)
            element->owning_server = NULL;
    }
}

void end_silently(struct libwebsocket_context *context)
{
    /* An extension may still be called, and ask for what is going on already. */
    context->engine.ending = true;
    if (!context->created)
        give_back_adopted(context);
    for (size_t fd = 0; fd < context->by_fd_size; fd++) {
        struct libwebsocket *wsi = context->by_fd[fd];

        if (wsi) {
            connection_release(wsi);
            free(wsi);
        }
    }
    if (context->unix_path) {
        listen_unix_remove(context->unix_path, &context->unix_name);
        free(context->unix_path);
    }
    disown_protocols(context);
    calls_free(&context->calls);
    resolver_release(context->resolver);
    proxy_address_free(&context->proxy);
    extension_end_context(&context->engine);
    engine_tls_free(&context->engine.tls);
    free(context->engine.protocols);
    free(context->engine.receive_buffer);
    free(context->by_fd);
    free(context);
}

void context_end(struct libwebsocket_context *context)
{
    /* Whatever the program calls from here on is a call inside this one. */
    context->depth++;
    context->engine.ending = true;
    calls_finish(context);
    end_connections(context);
    settle_endings(context);
    forget_internal(context);
    poll_fd_detach(context);
    end_protocols(context);
    /* Nothing but the closed is left among those with work to do. */
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
