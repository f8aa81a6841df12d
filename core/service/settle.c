#include "service/settle.h"

#include "connection/client.h"
#include "connection/drain.h"
#include "connection/extension.h"
#include "connection/lifecycle.h"
#include "connection/receive.h"
#include "platform/timer.h"
#include "service/broadcast.h"
#include "service/calls.h"
#include "service/connector.h"
#include "service/listener.h"
#include "service/poll_fd.h"
#include "service/writable_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void settle_close(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    poll_fd_forget(wsi);
    if (wsi->established) {
        (void)extension_call_all(wsi, LWS_EXT_CALLBACK_DESTROY_ANY_WSI_CLOSING, NULL, 0);
        (void)connection_callback(wsi, LWS_CALLBACK_CLOSED, NULL, 0);
    } else if (wsi->is_client) {
        connector_abandon(context, wsi);
        /* What else ends a connection without a word is a want of memory. */
        if (!wsi->client->failed)
            client_fail(wsi, "out of memory");
        (void)connection_callback(wsi, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, wsi->client->failure,
            strlen(wsi->client->failure));
    } else if (wsi->http_called) {
        wsi->http_called = false;
        (void)connection_callback(wsi, LWS_CALLBACK_CLOSED_HTTP, NULL, 0);
    }
    /* A client may never have got as far as a socket. */
    if (wsi->transport.fd >= 0)
        lwsl_info("connection %d: closed\n", wsi->transport.fd);
    connection_say_farewell(wsi);
    context_unfile(context, wsi);
    connection_release(wsi);
    wsi->closed = true;
    context->connections--;
    listeners_have_room(context);
    /* Where it is still among those with work to do, it goes to its grave from there. */
    queue_push(&context->graves, &wsi->work);
}

/* Sends for it and goes on with it. False where it was closed. */
static bool look_after(struct libwebsocket_context *context, struct libwebsocket *wsi, bool quietly)
{
    if (wsi->closed)
        return false;
    if (!connection_is_internal(wsi))
        connection_settle(wsi);
    if (wsi->state != CONNECTION_DEAD || quietly)
        return true;
    if (wsi->callbacks > 0) {
        /* It is closed when the last callback has returned; no loop shall spin on it until then. */
        poll_fd_forget(wsi);
        return false;
    }
    settle_close(context, wsi);
    return false;
}

/*
 * Goes round until nothing changes any more: closing one connection calls the program, which may
 * write to others. Those that live stay on the queue, to be announced.
 */
static void look_after_all(struct libwebsocket_context *context, bool quietly)
{
    bool again;

    do {
        struct queue_link *link;

        again = false;
        queue_splice(&context->settle_round, &context->engine.attention);
        while ((link = queue_pop(&context->settle_round))) {
            struct libwebsocket *wsi = queue_entry(link, struct libwebsocket, attention);
            bool changed = wsi->changed;

            wsi->changed = false;
            again = again || changed;
            if (!changed || look_after(context, wsi, quietly))
                queue_push(&context->engine.attention, &wsi->attention);
        }
    } while (again);
}

/* The host does not watch it. Without a listener or a helper of the engine's a context goes on. */
static void refused(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    if (wsi->state == CONNECTION_LOOKUP || wsi->state == CONNECTION_ATTEMPT)
        connector_refused(context, wsi);
    else if (connection_is_connecting(wsi))
        client_fail(wsi, "the loop cannot watch its descriptor");
    else if (!connection_is_internal(wsi))
        connection_die(wsi);
}

/* Tells the host of all that stayed on the queue. The dead wait there for a call that may close. */
static void announce_all(struct libwebsocket_context *context)
{
    struct queue round;
    struct queue_link *link;

    queue_init(&round);
    queue_splice(&round, &context->engine.attention);
    while ((link = queue_pop(&round))) {
        struct libwebsocket *wsi = queue_entry(link, struct libwebsocket, attention);

        /* Where the context ends, the next that is said of any of them is DEL. */
        if (wsi->closed || context->engine.ending)
            continue;
        if (wsi->state == CONNECTION_DEAD)
            connection_attend(wsi);
        else if (wsi->transport.fd >= 0 && !poll_fd_announce(wsi))
            refused(context, wsi);
    }
}

static bool is_large(const struct libwebsocket *wsi)
{
    return wsi->state == CONNECTION_HTTP_RESPONSE || (wsi->extended && receive_keeps(wsi));
}

/* A round of what connections have left to do; each is met at most once. */
static void work(struct libwebsocket_context *context)
{
    struct queue_link *link;

    queue_splice(&context->work_round, &context->engine.work);
    for (int done = 0; done < WORK_PER_CALL && !context->engine.ending &&
                       (link = queue_pop(&context->work_round));) {
        struct libwebsocket *wsi = queue_entry(link, struct libwebsocket, work);

        done += is_large(wsi) ? WORK_OF_A_LARGE_ONE : 1;
        if (wsi->closed)
            queue_push(&context->graves, &wsi->work);
        else
            connection_work(wsi);
    }
    queue_splice(&context->work_round, &context->engine.work);
    queue_splice(&context->engine.work, &context->work_round);
}

static void late(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    if (wsi->state == CONNECTION_ATTEMPT || wsi->state == CONNECTION_LOOKUP)
        connector_delay_over(context, wsi);
    else if (wsi->state == CONNECTION_BROADCASTS)
        broadcast_resume(wsi);
    else
        connection_late(wsi);
}

bool settle_deadlines(struct libwebsocket_context *context, uint64_t upto)
{
    for (int i = 0; i < WORK_PER_CALL && !context->engine.ending; i++) {
        struct deadline *deadline = deadline_wheel_take(&context->engine.wheel, upto);

        if (!deadline)
            return true;
        if (deadline == &context->listeners_resume)
            listeners_try_again(context);
        else if (deadline == &context->engine.tick)
            extension_tick(&context->engine);
        else
            late(context, list_entry(deadline, struct libwebsocket, deadline));
    }
    return false;
}

void settle_service(struct libwebsocket_context *context)
{
    if (!context->engine.ending) {
        if (atomic_load(&context->outside) && atomic_exchange(&context->outside, false)) {
            /* First, because a function may wait for what it brings. */
            writable_all_expand(context);
            calls_run(context);
        }
        look_after_all(context, false);
        work(context);
    }
    settle_endings(context);
}

void settle_endings(struct libwebsocket_context *context)
{
    do {
        look_after_all(context, false);
        announce_all(context);
        /* What is left are those that the host refused to watch. */
    } while (!queue_empty(&context->engine.attention));
}

void settle_quietly(struct libwebsocket_context *context)
{
    look_after_all(context, true);
    announce_all(context);
}

void settle_graves(struct libwebsocket_context *context)
{
    struct queue_link *link;

    while ((link = queue_pop(&context->graves)))
        free(queue_entry(link, struct libwebsocket, work));
}

void settle_timer(struct libwebsocket_context *context, uint64_t at)
{
    int fd = context->timer->transport.fd;

    if (at == UINT64_MAX ? timer_disarm(fd) : timer_arm(fd, at))
        context->timer_at = at;
    else
        lwsl_err("cannot set the timer: %s\n", strerror(errno));
}

static void move_timer(struct libwebsocket_context *context)
{
    uint64_t next = deadline_wheel_next(&context->engine.wheel);

    /* Where some are due, it is set for their round already. */
    if (context->deadlines_due)
        return;
    /* A deadline that was put off is not worth a system call: the timer just comes too early. */
    if (next < context->timer_at || (next == UINT64_MAX && context->timer_at != UINT64_MAX))
        settle_timer(context, next);
}

void settle_wake_ups(struct libwebsocket_context *context)
{
    move_timer(context);
    if (!queue_empty(&context->engine.work) || !queue_empty(&context->engine.attention))
        context_wake(context);
}
