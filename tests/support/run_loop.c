#include "run_loop.h"

#include <lws_event.h>
#include <lws_poll.h>
#include <lws_uv.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop_here(struct libwebsocket_context *context, void *argument)
{
    struct run_loop *loop = argument;

    loop->stopped = true;
    libwebsocket_context_destroy(context);
}

bool run_loop_stop(struct run_loop *loop)
{
    return lws_call_in_service(loop->context, stop_here, loop) == 0;
}

static void destroy(struct run_loop *loop)
{
    if (!loop->stopped)
        libwebsocket_context_destroy(loop->context);
}

static bool run_poll(struct run_loop *loop)
{
    bool good = lws_poll_attach(loop->context) == 0;

    while (good && !loop->stopped)
        good = libwebsocket_service(loop->context, -1) == 0;
    destroy(loop);
    return good;
}

static bool run_uv(struct run_loop *loop)
{
    uv_loop_t uv;
    bool good;

    if (uv_loop_init(&uv) < 0) {
        destroy(loop);
        return false;
    }
    good = lws_uv_attach(loop->context, &uv) == 0;
    if (good)
        good = uv_run(&uv, UV_RUN_DEFAULT) == 0 && loop->stopped;
    destroy(loop);
    uv_run(&uv, UV_RUN_NOWAIT);
    if (uv_loop_close(&uv) < 0) {
        fprintf(stderr, "the uv loop cannot be closed\n");
        good = false;
    }
    return good;
}

static bool run_event(struct run_loop *loop)
{
    struct event_base *base = event_base_new();
    bool good;

    if (!base) {
        destroy(loop);
        return false;
    }
    good = lws_event_attach(loop->context, base) == 0;
    if (good)
        good = event_base_dispatch(base) >= 0 && loop->stopped;
    destroy(loop);
    event_base_free(base);
    return good;
}

bool run_loop(struct run_loop *loop)
{
    bool good;

    if (strcmp(loop->name, "poll") == 0) {
        good = run_poll(loop);
    } else if (strcmp(loop->name, "uv") == 0) {
        good = run_uv(loop);
    } else if (strcmp(loop->name, "event") == 0) {
        good = run_event(loop);
    } else {
        fprintf(stderr, "there is no loop \"%s\"\n", loop->name);
        destroy(loop);
        return false;
    }
    if (!good)
        fprintf(stderr, "the %s loop failed\n", loop->name);
    return good;
}

int run_loop_listen(const char *address, int backlog, int *port)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t length = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1 ||
        bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, backlog) < 0 ||
        getsockname(fd, (struct sockaddr *)&name, &length) < 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(name.sin_port);
    return fd;
}
