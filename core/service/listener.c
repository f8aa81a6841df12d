#include "service/listener.h"

#include "connection/drain.h"
#include "connection/starting.h"
#include "platform/socket.h"
#include "transport/tls.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ACCEPTS_PER_CALL = 64, PAUSE_MS = 1000 };

static void set_paused(struct libwebsocket_context *context, bool paused)
{
    context->listeners_paused = paused;
    for (size_t i = 0; i < context->listener_count; i++) {
        context->listeners[i]->flow_stopped = paused || context->listeners[i]->broken;
        connection_attend(context->listeners[i]);
    }
}

void listeners_have_room(struct libwebsocket_context *context)
{
    if (!context->listeners_paused || context->engine.ending)
        return;
    deadline_cancel(&context->engine.wheel, &context->listeners_resume);
    set_paused(context, false);
}

void listeners_try_again(struct libwebsocket_context *context)
{
    if (context->connections < context->engine.limits.connections)
        set_paused(context, false);
}

static void pause_for_want_of(struct libwebsocket_context *context, const char *what)
{
    lwsl_warn("accepting no more connections for now: %s\n", what);
    deadline_set(
        &context->engine.wheel, &context->listeners_resume, context->engine.now + PAUSE_MS);
    set_paused(context, true);
}

/* Makes a connection of a socket, unless the program or memory are against it. */
static void admit(struct libwebsocket_context *context, struct libwebsocket *listener, int fd)
{
    struct protocol *first = &context->engine.protocols[0];
    struct libwebsocket *wsi = NULL;

    socket_no_delay(fd);
    context_keep_alive(context, fd);
    if (connection_callback_as(listener, first, LWS_CALLBACK_FILTER_NETWORK_CONNECTION, NULL,
            (void *)(intptr_t)fd, 0)) {
        lwsl_notice("connection %d: the program does not want it\n", fd);
        close(fd);
        return;
    }
    if (!context->engine.ending)
        wsi = connection_create(&context->engine, fd);
    if (!wsi || !context_file(context, wsi)) {
        if (!context->engine.ending)
            lwsl_err("connection %d: out of memory\n", fd);
        free(wsi);
        close(fd);
        return;
    }
    context->connections++;
    lwsl_info("connection %d: accepted\n", fd);
    connection_attend(wsi);
    if (!listener->is_secure) {
        connection_set_due(wsi, context->engine.limits.request_timeout);
    } else if (transport_tls_server(
                   &wsi->transport, context->engine.tls.server, context->engine.tls.allow_plain)) {
        starting_begin(wsi);
    } else {
        lwsl_err("connection %d: out of memory for TLS\n", fd);
        connection_die(wsi);
    }
}

void listener_serve(
    struct libwebsocket_context *context, struct libwebsocket *listener, short events)
{
    if (listener->flow_stopped && (events & (POLLHUP | POLLERR | POLLNVAL))) {
        listener->hung_up = true;
        connection_attend(listener);
    }
    for (int i = 0; i < ACCEPTS_PER_CALL && !context->engine.ending; i++) {
        int fd;

        if (listener->flow_stopped)
            return;
        if (context->connections >= context->engine.limits.connections) {
            _lws_log(context->limit_told ? LLL_INFO : LLL_WARN,
                "accepting no more connections for now: there are %zu\n", context->connections);
            context->limit_told = true;
            set_paused(context, true);
            return;
        }
        fd = socket_accept(listener->transport.fd);
        if (fd >= 0) {
            admit(context, listener, fd);
            continue;
        }
        switch (errno) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            pause_for_want_of(context, strerror(errno));
            return;
        case EINVAL:
        case EBADF:
        case ENOTSOCK:
        case EOPNOTSUPP:
            /* It will never accept again, and would be ready for ever. */
            lwsl_err(
                "descriptor %d listens no more: %s\n", listener->transport.fd, strerror(errno));
            listener->broken = true;
            listener->flow_stopped = true;
            listener->hung_up = true;
            connection_attend(listener);
            return;
        default:
            /* None waits, or the one that did went away (accept(2) lists the ways). */
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                return;
            break;
        }
    }
}
