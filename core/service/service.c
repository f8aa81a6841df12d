#include "connection/lifecycle.h"
#include "platform/timer.h"
#include "platform/wake.h"
#include "service/broadcast.h"
#include "service/connector.h"
#include "service/context.h"
#include "service/listener.h"
#include "service/settle.h"

/*
 * Deadlines are judged when the timer fires a second time, at once after the first: by then the
 * host has served everything that was ready together with it. Not so inside a callback of that same
 * round, where some of it is still to be served: the time is noted once more.
 */
static void serve_timer(struct libwebsocket_context *context)
{
    bool judge = context->deadlines_due && context->depth <= context->deadlines_depth;

    timer_clear(context->timer->transport.fd);
    context->timer_at = UINT64_MAX;
    /* A service call inside a callback that comes of it has the timer to itself. */
    context->deadlines_due = false;
    if (judge && !settle_deadlines(context, context->deadlines_upto)) {
        context->deadlines_due = true;
    } else if (!judge && deadline_wheel_next(&context->engine.wheel) <= context->engine.now) {
        context->deadlines_due = true;
        context->deadlines_upto = context->engine.now;
        context->deadlines_depth = context->depth;
    }
    if (context->deadlines_due)
        settle_timer(context, context->engine.now);
}

static void serve_wake(struct libwebsocket_context *context)
{
    wake_clear(context->wake->transport.fd);
    context->wake_signalled = false;
}

static void serve(struct libwebsocket_context *context, struct libwebsocket *wsi, short events)
{
    switch ((enum connection_state)wsi->state) {
    case CONNECTION_LISTENER:
        listener_serve(context, wsi, events);
        break;
    case CONNECTION_WAKE:
        serve_wake(context);
        break;
    case CONNECTION_TIMER:
        serve_timer(context);
        break;
    case CONNECTION_BROADCASTS:
        broadcast_serve(context, wsi);
        break;
    case CONNECTION_LOOKUP:
    case CONNECTION_ATTEMPT:
        connector_serve(context, wsi);
        break;
    default:
        connection_ready(wsi, events);
        break;
    }
}

int libwebsocket_service_fd(struct libwebsocket_context *context, struct pollfd *pollfd)
{
    struct libwebsocket *wsi = NULL;
    short events = 0;

    if (!context) {
        lwsl_warn("libwebsocket_service_fd: no context\n");
        return -1;
    }
    if (pollfd) {
        wsi = context_find(context, pollfd->fd);
        if (!wsi)
            return 0;
        events = pollfd->revents;
        pollfd->revents = 0;
        if (!events)
            return 0;
    }
    if (!context_enter(context, CALL_SERVICE))
        return -1;
    if (context->engine.ending)
        ; /* only what belongs to closing is done any more */
    else if (wsi)
        serve(context, wsi, events);
    else if (context->depth == 1)
        (void)settle_deadlines(context, context->engine.now);
    (void)context_leave(context, CALL_SERVICE);
    return 0;
}

void *libwebsocket_context_user(struct libwebsocket_context *context)
{
    return context ? context->user : NULL;
}

const char *libwebsocket_canonical_hostname(struct libwebsocket_context *context)
{
    return context ? context->host_name : NULL;
}
