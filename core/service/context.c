#include "service/context.h"

#include "platform/clock.h"
#include "platform/socket.h"
#include "platform/wake.h"
#include "service/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void context_enter(struct libwebsocket_context *context, enum call_kind kind)
{
    if (context->depth++ == 0 || kind == CALL_SERVICE)
        context->engine.now = clock_now();
    if (kind != CALL_SERVICE)
        return;
    if (context->service_depth++ > 0)
        settle_quietly(context);
    context->engine.gathering = true;
}

bool context_leave(struct libwebsocket_context *context, enum call_kind kind)
{
    if (kind == CALL_SERVICE) {
        settle_service(context);
        context->service_depth--;
        context->engine.gathering = context->service_depth > 0;
    } else if (context->depth == 1 && kind == CALL_ENDING) {
        settle_endings(context);
    } else if (context->depth == 1) {
        settle_quietly(context);
    }
    if (--context->depth > 0)
        return true;
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
