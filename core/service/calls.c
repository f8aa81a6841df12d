#include "service/calls.h"

#include "platform/wake.h"

#include <errno.h>
#include <stdlib.h>

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
static struct call *take(struct calls *calls)
{
    struct call *call;

    (void)pthread_mutex_lock(&calls->mutex);
    call = calls->first;
    if (call) {
        calls->first = call->next;
        if (!calls->first)
            calls->end = &calls->first;
    }
    (void)pthread_mutex_unlock(&calls->mutex);
    return call;
}

static bool run_one(struct libwebsocket_context *context)
{
    struct call *call = take(&context->calls);

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

void calls_finish(struct libwebsocket_context *context)
{
    (void)pthread_mutex_lock(&context->calls.mutex);
    context->calls.closed = true;
    (void)pthread_mutex_unlock(&context->calls.mutex);
    while (run_one(context))
        continue;
}

void calls_free(struct calls *calls)
{
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
