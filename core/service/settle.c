#include "service/settle.h"

#include "connection/lifecycle.h"
#include "platform/timer.h"
#include "service/calls.h"
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
        (void)connection_callback(wsi, LWS_CALLBACK_CLOSED, NULL, 0);
    } else if (wsi->http_called) {
        wsi->http_called = false;
        (void)connection_callback(wsi, LWS_CALLBACK_CLOSED_HTTP, NULL, 0);
    }
    lwsl_info("connection %d: closed\n", wsi->transport.fd);
    context_unfile(context, wsi);
    connection_release(wsi);
    context->connections--;
    listeners_have_room(context);
    /* Where it is still among those with work to do, it goes to its grave from there. */
    queue_push(&context->graves, &wsi->work);
}

/* Looks after one connection. False where it must wait for a call that may call back. */
static bool look_after(struct libwebsocket_context *context, struct libwebsocket *wsi, bool quietly)
{
    if (wsi->transport.fd < 0)
        return true;
    if (!connection_is_internal(wsi))
        connection_settle(wsi);
    if (wsi->state != CONNECTION_DEAD && !poll_fd_announce(wsi))
        connection_die(wsi);
    if (wsi->state != CONNECTION_DEAD)
        return true;
    if (quietly)
        return false;
    /* The callback that is inside of it attends to it again as it returns. */
    if (wsi->callbacks == 0)
        settle_close(context, wsi);
    return true;
}

static void look_after_all(struct libwebsocket_context *context, bool quietly)
{
    struct queue later;
    struct queue_link *link;

    queue_init(&later);
    while ((link = queue_pop(&context->engine.attention))) {
        struct libwebsocket *wsi = queue_entry(link, struct libwebsocket, attention);

        if (!look_after(context, wsi, quietly)) {
            /* It attended to itself as it died, and must not be met again in this round. */
            queue_push(&later, &wsi->attention);
        }
    }
    queue_splice(&context->engine.attention, &later);
}

/* A round of what connections have left to do; each is met at most once. */
static void work(struct libwebsocket_context *context)
{
    struct queue batch;
    struct queue_link *link;

    queue_init(&batch);
    queue_splice(&batch, &context->engine.work);
    for (int i = 0; i < WORK_PER_CALL && (link = queue_pop(&batch)); i++) {
        struct libwebsocket *wsi = queue_entry(link, struct libwebsocket, work);

        if (wsi->transport.fd < 0)
            queue_push(&context->graves, &wsi->work);
        else
            connection_work(wsi);
    }
    queue_splice(&batch, &context->engine.work);
    queue_splice(&context->engine.work, &batch);
}

bool settle_deadlines(struct libwebsocket_context *context, uint64_t upto)
{
    for (int i = 0; i < WORK_PER_CALL; i++) {
        struct deadline *deadline = deadline_wheel_take(&context->engine.wheel, upto);

        if (!deadline)
            return true;
        if (deadline == &context->listeners_resume)
            listeners_try_again(context);
        else
            connection_late(list_entry(deadline, struct libwebsocket, deadline));
    }
    return false;
}

void settle_service(struct libwebsocket_context *context)
{
    if (!context->engine.ending) {
        if (atomic_exchange(&context->outside, false)) {
            calls_run(context);
            writable_all_expand(context);
        }
        look_after_all(context, false);
        work(context);
    }
    look_after_all(context, false);
}

void settle_endings(struct libwebsocket_context *context)
{
    look_after_all(context, false);
}

void settle_quietly(struct libwebsocket_context *context)
{
    look_after_all(context, true);
}

void settle_graves(struct libwebsocket_context *context)
{
    struct queue_link *link;

    while ((link = queue_pop(&context->graves)))
        free(queue_entry(link, struct libwebsocket, work));
}

static void move_timer(struct libwebsocket_context *context)
{
    uint64_t next = deadline_wheel_next(&context->engine.wheel);
    bool moved;

    /* Those that are due already are judged in the next round, without the timer. */
    if (context->deadlines_due || !context->timer)
        return;
    if (next == context->timer_at || (next > context->timer_at && next != UINT64_MAX))
        return;
    moved = next == UINT64_MAX ? timer_disarm(context->timer->transport.fd)
                               : timer_arm(context->timer->transport.fd, next);
    if (moved)
        context->timer_at = next;
    else
        lwsl_err("cannot set the timer: %s\n", strerror(errno));
}

void settle_wake_ups(struct libwebsocket_context *context)
{
    move_timer(context);
    if (context->deadlines_due || !queue_empty(&context->engine.work) ||
        !queue_empty(&context->engine.attention))
        context_wake(context);
}
