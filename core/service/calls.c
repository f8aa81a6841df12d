#include "service/calls.h"

#include "platform/wake.h"
#include "service/adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_PER_CALL = 64 };

struct call {
    struct call *next;
    void (*function)(struct libwebsocket_context *context, void *argument);
    void *argument;
};

int calls_init(struct calls *calls)
{
    calls->end = &calls->first;
    return pthread_mutex_init(&calls->mutex, NULL);
}

/* The mutex is neither recursive nor error-checking, so that locking it cannot fail. */
static struct call *take(struct libwebsocket_context *context)
{
    struct calls *calls = &context->calls;
    struct call *call;

    (void)pthread_mutex_lock(&calls->mutex);
    call = calls->first;
    if (call) {
        calls->first = call->next;
        if (!calls->first)
            calls->end = &calls->first;
        else /* A service call inside its function goes on with the next. */
            atomic_store(&context->outside, true);
    }
    (void)pthread_mutex_unlock(&calls->mutex);
    return call;
}

static bool run_one(struct libwebsocket_context *context)
{
    struct call *call = take(context);

    if (!call)
        return false;
    call->function(context, call->argument);
    free(call);
    return true;
}

void calls_run(struct libwebsocket_context *context)
{
    for (int i = 0; i < CALLS_PER_CALL; i++)
        if (context->engine.ending || !run_one(context))
            return;
    atomic_store(&context->outside, true);
    context_wake(context);
}

void calls_close(struct calls *calls)
{
    (void)pthread_mutex_lock(&calls->mutex);
    calls->closed = true;
    (void)pthread_mutex_unlock(&calls->mutex);
}

void calls_finish(struct libwebsocket_context *context)
{
    calls_close(&context->calls);
    while (run_one(context))
        continue;
}

void calls_after_fork(struct calls *calls)
{
    (void)pthread_mutex_init(&calls->mutex, NULL);
    /* The one that is added at the moment of the fork may be on the list, but not its end yet. */
    calls->end = &calls->first;
    while (*calls->end)
        calls->end = &(*calls->end)->next;
}

void calls_drop(struct calls *calls)
{
    struct call *call;

    while ((call = calls->first)) {
        calls->first = call->next;
        free(call);
    }
}

void calls_free(struct calls *calls)
{
    /* Whoever was refused may still be about to let go of it. */
    (void)pthread_mutex_lock(&calls->mutex);
    (void)pthread_mutex_unlock(&calls->mutex);
    (void)pthread_mutex_destroy(&calls->mutex);
}

int lws_call_in_service(struct libwebsocket_context *context,
    void (*function)(struct libwebsocket_context *context, void *argument), void *argument)
{
    struct call *call;
    bool closed;

    if (!context || !function) {
        errno = EINVAL;
        return -1;
    }
    /* Its mutex may be held by a thread that this process does not have. */
    if (context->renounced || !context_is_local(context)) {
        errno = EPIPE;
        return -1;
    }
    call = malloc(sizeof(*call));
    if (!call) {
        errno = ENOMEM;
        return -1;
    }
    *call = (struct call){NULL, function, argument};
    (void)pthread_mutex_lock(&context->calls.mutex);
    closed = context->calls.closed;
    if (!closed) {
        *context->calls.end = call;
        context->calls.end = &call->next;
        /* Under the lock: the context may be gone as soon as it is released. */
        atomic_store(&context->outside, true);
        wake_signal(context->wake->transport.fd);
    }
    (void)pthread_mutex_unlock(&context->calls.mutex);
    if (closed) {
        free(call);
        errno = ECANCELED;
        return -1;
    }
    return 0;
}

static void do_nothing(struct libwebsocket_context *context, void *argument)
{
    (void)context;
    (void)argument;
}

void libwebsocket_cancel_service(struct libwebsocket_context *context)
{
    if (context && lws_call_in_service(context, do_nothing, NULL) < 0)
        lwsl_warn("libwebsocket_cancel_service: %s\n", strerror(errno));
}
