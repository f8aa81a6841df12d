#include "host.h"

#include <lws_event.h>
#include <lws_poll.h>
#include <lws_uv.h>

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "../support/run_loop.h"

enum { POLLED_MOST = 64 };

struct host host;

static struct pollfd polled[POLLED_MOST];
static nfds_t polled_count;
static uv_loop_t uv;
static struct event_base *base;

static struct pollfd *find_polled(int fd)
{
    for (nfds_t i = 0; i < polled_count; i++)
        if (polled[i].fd == fd)
            return &polled[i];
    return NULL;
}

int host_polled(void)
{
    return (int)polled_count;
}

/* ADD comes for what is not there, and everything else for what is. */
static void keep_array(enum libwebsocket_callback_reasons reason, int fd, short events)
{
    struct pollfd *pollfd = find_polled(fd);

    if (!pollfd != (reason == LWS_CALLBACK_ADD_POLL_FD))
        host.mistold++;
    if (reason == LWS_CALLBACK_ADD_POLL_FD && polled_count < POLLED_MOST)
        polled[polled_count++] = (struct pollfd){.fd = fd, .events = events};
    else if (reason == LWS_CALLBACK_DEL_POLL_FD && pollfd)
        *pollfd = polled[--polled_count];
    else if (reason == LWS_CALLBACK_SET_MODE_POLL_FD && pollfd)
        pollfd->events |= events;
    else if (reason == LWS_CALLBACK_CLEAR_MODE_POLL_FD && pollfd)
        pollfd->events &= (short)~events;
}

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    switch ((int)reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        keep_array(reason, (int)(intptr_t)in, (short)len);
        break;
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        host.newest = wsi;
        break;
    case LWS_CALLBACK_CLOSED:
        if (host.newest == wsi)
            host.newest = NULL;
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        host.failed++;
        break;
    case LWS_CALLBACK_PROTOCOL_DESTROY:
        host.destroyed++;
        break;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_BROADCAST:
        if (libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT) != (int)len)
            return -1;
        if (host.forks) {
            host.forks = false;
            host.is_child = fork() == 0;
        }
        break;
    default:
        break;
    }
    return 0;
}

struct libwebsocket_protocols host_protocols[] = {
    {.name = "first", .callback = callback},
    {.name = "news", .callback = callback},
    {.name = NULL},
};

bool host_attach(void)
{
    switch (host.loop) {
    case HOST_POLL:
        return lws_poll_attach(host.context) == 0;
    case HOST_UV:
        return uv_loop_init(&uv) == 0 && lws_uv_attach(host.context, &uv) == 0;
    case HOST_EVENT:
        base = event_base_new();
        return base && lws_event_attach(host.context, base) == 0;
    default:
        return lws_set_poll_fd_callback(host.context, NULL, NULL) == 0;
    }
}

bool host_open(enum host_loop loop, const struct lws_context_extras *extras,
    const char *certificate, const char *key)
{
    struct lws_context_creation_info info = {.protocols = host_protocols,
        .extensions = host.extensions,
        .ssl_cert_filepath = certificate,
        .ssl_private_key_filepath = key,
        .gid = -1,
        .uid = -1};
    struct lws_context_extras more = extras ? *extras : (struct lws_context_extras){0};
    int fd = run_loop_listen("127.0.0.1", 64, &host.port);

    if (fd < 0)
        return false;
    more.struct_size = sizeof(more);
    more.listen_fds = &fd;
    more.listen_fd_count = 1;
    host.loop = loop;
    host.context = lws_create_context(&info, &more);
    return host.context != NULL;
}

/* A copy, because callbacks move what is in the array. */
static void turn_own(int timeout_ms)
{
    struct pollfd ready[POLLED_MOST];
    nfds_t count = polled_count;

    memcpy(ready, polled, sizeof(ready));
    if (poll(ready, count, timeout_ms) <= 0)
        return;
    for (nfds_t i = 0; i < count; i++)
        if (ready[i].revents)
            (void)libwebsocket_service_fd(host.context, &ready[i]);
}

static void turn_uv(int timeout_ms)
{
    struct pollfd loop = {.fd = uv_backend_fd(&uv), .events = POLLIN};

    /* What has been asked of it, it tells the system as it runs. */
    (void)uv_run(&uv, UV_RUN_NOWAIT);
    (void)poll(&loop, 1, timeout_ms);
    (void)uv_run(&uv, UV_RUN_NOWAIT);
}

static void turn_event(int timeout_ms)
{
    const struct timeval timeout = {.tv_usec = timeout_ms * 1000};

    (void)event_base_loopexit(base, &timeout);
    (void)event_base_loop(base, EVLOOP_ONCE);
}

bool host_reinit(void)
{
    if (host.loop == HOST_UV)
        return uv_loop_fork(&uv) == 0;
    return host.loop == HOST_EVENT && event_reinit(base) == 0;
}

static void count_handle(uv_handle_t *handle, void *count)
{
    (void)handle;
    (*(int *)count)++;
}

/* The turns' own timers may be there too. */
static int count_event(const struct event_base *counted, const struct event *event, void *count)
{
    (void)counted;
    *(int *)count += event_get_fd(event) >= 0;
    return 0;
}

int host_left(void)
{
    int count = 0;

    if (host.loop == HOST_UV)
        uv_walk(&uv, count_handle, &count);
    else if (host.loop == HOST_EVENT)
        (void)event_base_foreach_event(base, count_event, &count);
    return count;
}

static void end_rest(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static bool uv_rests(int timeout_ms)
{
    static uv_timer_t timer;
    bool rested = false;

    timer.data = &rested;
    if (uv_timer_init(&uv, &timer) < 0 ||
        uv_timer_start(&timer, end_rest, (uint64_t)timeout_ms, 0) < 0)
        return false;
    (void)uv_run(&uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&uv, UV_RUN_NOWAIT);
    return rested;
}

static void end_event_rest(evutil_socket_t fd, short what, void *rested)
{
    (void)fd;
    (void)what;
    *(bool *)rested = true;
}

static bool event_rests(int timeout_ms)
{
    const struct timeval timeout = {.tv_usec = timeout_ms * 1000};
    bool rested = false;
    struct event *timer = evtimer_new(base, end_event_rest, &rested);

    if (!timer)
        return false;
    if (evtimer_add(timer, &timeout) == 0)
        (void)event_base_loop(base, EVLOOP_ONCE);
    event_free(timer);
    return rested;
}

bool host_rests(int timeout_ms)
{
    return host.loop == HOST_UV ? uv_rests(timeout_ms) : event_rests(timeout_ms);
}

void host_turn(int timeout_ms)
{
    switch (host.loop) {
    case HOST_POLL:
        (void)libwebsocket_service(host.context, timeout_ms);
        break;
    case HOST_UV:
        turn_uv(timeout_ms);
        break;
    case HOST_EVENT:
        turn_event(timeout_ms);
        break;
    default:
        turn_own(timeout_ms);
        break;
    }
}
