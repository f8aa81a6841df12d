#include "service/context.h"

#include "platform/clock.h"
#include "platform/socket.h"
#include "platform/wake.h"
#include "service/adopt.h"
#include "service/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const void *thread_mark(void)
{
    static _Thread_local char mark;

    return &mark;
}

/* A claim costs nothing where nothing has changed. */
static void take_over(struct libwebsocket_context *context)
{
    const void *thread = thread_mark();

    process_lock_claim(&context->lock);
    if (atomic_load_explicit(&context->serving_thread, memory_order_relaxed) != thread)
        atomic_store_explicit(&context->serving_thread, thread, memory_order_release);
}

bool context_enter(struct libwebsocket_context *context, enum call_kind kind)
{
    if ((context->renounced || !context_is_local(context)) && !context_adopt(context))
        return false;
    if (context->depth++ == 0 || kind == CALL_SERVICE)
        context->engine.now = clock_now();
    if (kind != CALL_SERVICE)
        return true;
    take_over(context);
    if (context->service_depth++ > 0)
        settle_quietly(context);
    context->engine.gathering = true;
    return true;
}

/* In a process that was forked inside a callback: what the other one has begun, it ends. */
static bool leave_to_other(struct libwebsocket_context *context, enum call_kind kind)
{
    if (kind == CALL_SERVICE)
        context->service_depth--;
    context->engine.gathering = context->service_depth > 0;
    if (--context->depth > 0 || !context->destroy_asked)
        return true;
    context_end(context);
    return false;
}

bool context_leave(struct libwebsocket_context *context, enum call_kind kind)
{
    if (!context_is_local(context))
        return leave_to_other(context, kind);
    if (kind == CALL_SERVICE) {
        settle_service(context);
        context->service_depth--;
        context->engine.gathering = context->service_depth > 0;
    } else if (context->depth == 1 && kind == CALL_ENDING) {
        settle_endings(context);
    } else if (context->depth == 1) {
        settle_quietly(context);
    }
    if (--context->depth > 0) {
        /* The program may wait next, and what is left has to end that. */
        if (kind == CALL_SERVICE && !context->engine.ending)
            settle_wake_ups(context);
        return true;
    }
    if (context->destroy_asked) {
        context_end(context);
        return false;
    }
    settle_graves(context);
    settle_wake_ups(context);
    return true;
}

bool context_file(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    size_t index = (size_t)wsi->transport.fd;

    if (index >= context->by_fd_size) {
        size_t size = context->by_fd_size ? context->by_fd_size : 64;
        struct libwebsocket **larger;

        while (size <= index)
            size *= 2;
        larger = reallocarray(context->by_fd, size, sizeof(struct libwebsocket *));
        if (!larger)
            return false;
        memset(larger + context->by_fd_size, 0,
            (size - context->by_fd_size) * sizeof(struct libwebsocket *));
        context->by_fd = larger;
        context->by_fd_size = size;
    }
    context->by_fd[index] = wsi;
    return true;
}

void context_unfile(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    if (context_find(context, wsi->transport.fd) == wsi)
        context->by_fd[wsi->transport.fd] = NULL;
}

void context_keep_alive(const struct libwebsocket_context *context, int fd)
{
    if (context->ka_time > 0 &&
        !socket_keepalive(fd, context->ka_time, context->ka_probes, context->ka_interval) &&
        errno != EOPNOTSUPP && errno != ENOPROTOOPT)
        lwsl_notice("connection %d: no keepalive: %s\n", fd, strerror(errno));
}

void context_wake(struct libwebsocket_context *context)
{
    if (context->wake_signalled || !context->wake)
        return;
    context->wake_signalled = true;
    wake_signal(context->wake->transport.fd);
}
