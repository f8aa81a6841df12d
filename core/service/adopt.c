#include "service/adopt.h"

#include "platform/timer.h"
#include "platform/wake.h"
#include "service/calls.h"
#include "service/end.h"
#include "service/poll_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What the descriptor was is the other process's alone from now on. False with errno. */
static bool replace(struct libwebsocket *wsi, int fresh)
{
    bool good;
    int saved;

    if (fresh < 0)
        return false;
    good = dup3(fresh, wsi->transport.fd, O_CLOEXEC) >= 0;
    saved = errno;
    close(fresh);
    errno = saved;
    return good;
}

/* An answer to a name that the other process waits for will not come here: it is told at once. */
static bool replace_lookup(struct libwebsocket *wsi)
{
    if (!replace(wsi, wake_open()))
        return false;
    wake_signal(wsi->transport.fd);
    return true;
}

static bool replace_shared(struct libwebsocket_context *context)
{
    if (!replace(context->wake, wake_open()) || !replace(context->timer, timer_open()))
        return false;
    for (size_t fd = 0; fd < context->by_fd_size; fd++) {
        struct libwebsocket *wsi = context->by_fd[fd];

        if (wsi && wsi->state == CONNECTION_LOOKUP && !replace_lookup(wsi))
            return false;
    }
    return true;
}

static bool refuse(struct libwebsocket_context *context)
{
    if (!context->refusal_told)
        lwsl_err("the context is attached to a loop that this process shares with the one it was "
                 "forked from: attach it to one of its own before it is used\n");
    context->refusal_told = true;
    errno = EBUSY;
    return false;
}

/* The loop of the other process keeps what it has. A program that polls is told DEL: its array is
 * its own. */
static bool begin_anew(struct libwebsocket_context *context)
{
    bool refused;

    if (context->sink) {
        context->announcing = true;
        refused =
            context->sink(context, context->sink_user, LWS_CALLBACK_POLL_FORKED, -1, 0, 0) != 0;
        context->announcing = false;
        if (refused)
            return refuse(context);
    }
    for (size_t fd = 0; fd < context->by_fd_size; fd++) {
        struct libwebsocket *wsi = context->by_fd[fd];

        if (!wsi)
            continue;
        if (context->sink)
            poll_fd_disregard(wsi);
        else
            poll_fd_forget(wsi);
        connection_attend(wsi);
    }
    return true;
}

bool context_adopt(struct libwebsocket_context *context)
{
    /* Nor does a copy that is being freed become anybody's. */
    if (context->renounced || context->engine.ending) {
        errno = EPIPE;
        return false;
    }
    if (!begin_anew(context))
        return false;
    if (!replace_shared(context) || !process_lock_join(&context->lock)) {
        int error = errno;

        lwsl_err("cannot adopt a context: %s\n", strerror(error));
        errno = error;
        return false;
    }
    calls_after_fork(&context->calls);
    context->wake_signalled = false;
    context->timer_at = UINT64_MAX;
    context->deadlines_due = false;
    atomic_store_explicit(
        &context->process, fork_guard_process(&context->engine.guard), memory_order_release);
    /* What was asked for before the fork, and what was due, is looked at. */
    context_wake(context);
    return true;
}

bool context_is_owner(struct libwebsocket_context *context)
{
    return !context->renounced && context_is_local(context) &&
           process_lock_is_holder(&context->lock);
}

bool context_serves_here(struct libwebsocket_context *context)
{
    return context_is_owner(context) &&
           atomic_load_explicit(&context->serving_thread, memory_order_acquire) == thread_mark();
}

int lws_adopt(struct libwebsocket_context *context)
{
    if (!context || context->announcing) {
        errno = EINVAL;
        return -1;
    }
    if (context_is_local(context) && !context->renounced)
        return 0;
    if (!context_enter(context, CALL_PLAIN))
        return -1;
    (void)context_leave(context, CALL_PLAIN);
    return 0;
}

int lws_renounce(struct libwebsocket_context *context)
{
    if (!context || context->depth > 0 || context->engine.ending) {
        errno = EINVAL;
        return -1;
    }
    if (context->renounced)
        return 0;
    if (context_is_local(context)) {
        if (!context_enter(context, CALL_PLAIN))
            return -1;
        calls_finish(context);
        if (!context_leave(context, CALL_PLAIN))
            return 0;
        poll_fd_forget_all(context);
    } else {
        calls_after_fork(&context->calls);
        poll_fd_disregard_all(context);
    }
    calls_close(&context->calls);
    calls_drop(&context->calls);
    /* A signal handler that asks for WRITEABLE leaves alone what is freed now. */
    context->renounced = true;
    end_connections_silently(context);
    poll_fd_detach(context);
    process_lock_leave(&context->lock);
    return 0;
}
