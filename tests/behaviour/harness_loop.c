#include "harness_loop.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

#include "lws_event.h"
#include "lws_poll.h"
#include "lws_uv.h"

#define TICK_MS 10

/* The array of the documents, with the entry of a descriptor that is the host's own. */
struct own_loop {
    struct pollfd *pollfds;
    nfds_t count;
    nfds_t room;
    bool serving;
};

struct loop {
    enum loop_kind kind;
    void (*on_wake)(void *argument);
    void (*on_tick)(void *argument);
    void *argument;
    struct libwebsocket_context **context;
    bool stopped;
    int wake_fd; /* of the own loop, of libevent, and of the poll loop without a context */
    int64_t next_tick;
    struct own_loop own;
    uv_loop_t uv;
    uv_async_t uv_wake;
    uv_timer_t uv_timer;
    struct event_base *base;
    struct event *event_wake;
    struct event *event_timer;
};

enum loop_kind harness_loop(void)
{
    const char *name = getenv("LWS_TEST_LOOP");

    if (name == NULL || strcmp(name, "poll") == 0)
        return LOOP_POLL;
    if (strcmp(name, "uv") == 0)
        return LOOP_UV;
    if (strcmp(name, "event") == 0)
        return LOOP_EVENT;
    if (strcmp(name, "own") == 0)
        return LOOP_OWN;
    /* Not by Check, which wants to be inside a test. */
    fprintf(stderr, "LWS_TEST_LOOP is poll, uv, event or own\n");
    abort();
}

static void drain(const struct loop *loop)
{
    uint64_t count;

    if (read(loop->wake_fd, &count, sizeof count) < 0)
        ck_assert_int_eq(errno, EAGAIN);
}

static void own_add(struct own_loop *own, int fd, int events)
{
    if (own->count == own->room) {
        own->room = own->room == 0 ? 4 : own->room * 2;
        own->pollfds = realloc(own->pollfds, own->room * sizeof *own->pollfds);
        ck_assert_ptr_nonnull(own->pollfds);
    }
    own->pollfds[own->count++] = (struct pollfd){.fd = fd, .events = (short)events};
}

bool loop_poll_fd(struct loop *loop, enum libwebsocket_callback_reasons reason, int fd, int events)
{
    struct own_loop *own = &loop->own;
    nfds_t i = 0;

    if (loop->kind != LOOP_OWN)
        return false;
    if (reason == LWS_CALLBACK_ADD_POLL_FD) {
        own_add(own, fd, events);
        return true;
    }
    while (i < own->count && own->pollfds[i].fd != fd)
        i++;
    if (i == own->count)
        return false;
    if (reason == LWS_CALLBACK_SET_MODE_POLL_FD)
        own->pollfds[i].events = (short)(own->pollfds[i].events | events);
    else if (reason == LWS_CALLBACK_CLEAR_MODE_POLL_FD)
        own->pollfds[i].events = (short)(own->pollfds[i].events & ~events);
    else
        own->pollfds[i] = own->pollfds[--own->count];
    return true;
}

/* How long a loop without timers may wait. */
static int wait_ms(const struct loop *loop)
{
    int64_t left;

    if (loop->on_tick == NULL)
        return -1;
    left = loop->next_tick - ws_now_ms();
    return left < 0 ? 0 : (int)left;
}

static void tick_if_due(struct loop *loop)
{
    if (loop->on_tick == NULL || ws_now_ms() < loop->next_tick)
        return;
    loop->next_tick = ws_now_ms() + TICK_MS;
    loop->on_tick(loop->argument);
}

static void own_run(struct loop *loop)
{
    struct own_loop *own = &loop->own;

    while (!loop->stopped) {
        nfds_t watched = own->serving ? own->count : 1;
        int ready = poll(own->pollfds, watched, wait_ms(loop));

        ck_assert(ready >= 0 || errno == EINTR);
        for (nfds_t i = 0; ready > 0 && i < watched && i < own->count; i++) {
            if (own->pollfds[i].revents == 0)
                continue;
            if (*loop->context != NULL)
                ck_assert_int_eq(libwebsocket_service_fd(*loop->context, &own->pollfds[i]), 0);
            if (i < own->count && own->pollfds[i].fd == loop->wake_fd &&
                own->pollfds[i].revents != 0) {
                own->pollfds[i].revents = 0;
                drain(loop);
                loop->on_wake(loop->argument);
            }
        }
        tick_if_due(loop);
    }
}

static void wake_in_service(struct libwebsocket_context *context, void *argument)
{
    struct loop *loop = argument;

    (void)context;
    loop->on_wake(loop->argument);
}

static void poll_run(struct loop *loop)
{
    while (!loop->stopped) {
        /* One that is not attached is not served: libwebsocket_service() would attach it. */
        if (*loop->context != NULL && loop->own.serving) {
            ck_assert_int_eq(libwebsocket_service(*loop->context, wait_ms(loop)), 0);
        } else {
            struct pollfd pollfd = {.fd = loop->wake_fd, .events = POLLIN};
            int ready = poll(&pollfd, 1, wait_ms(loop));

            ck_assert(ready >= 0 || errno == EINTR);
            if (ready > 0) {
                drain(loop);
                loop->on_wake(loop->argument);
            }
        }
        tick_if_due(loop);
    }
}

static void on_uv_wake(uv_async_t *handle)
{
    struct loop *loop = handle->data;

    loop->on_wake(loop->argument);
}

static void on_uv_timer(uv_timer_t *handle)
{
    struct loop *loop = handle->data;

    loop->on_tick(loop->argument);
}

static void on_event_wake(evutil_socket_t fd, short events, void *argument)
{
    struct loop *loop = argument;

    (void)fd;
    (void)events;
    drain(loop);
    loop->on_wake(loop->argument);
}

static void on_event_timer(evutil_socket_t fd, short events, void *argument)
{
    struct loop *loop = argument;

    (void)fd;
    (void)events;
    loop->on_tick(loop->argument);
}

struct loop *loop_new(enum loop_kind kind, void (*on_wake)(void *argument), void *argument,
    struct libwebsocket_context **context)
{
    struct loop *loop = calloc(1, sizeof *loop);

    ck_assert_ptr_nonnull(loop);
    loop->kind = kind;
    loop->on_wake = on_wake;
    loop->argument = argument;
    loop->context = context;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ck_assert_int_ge(loop->wake_fd, 0);
    if (kind == LOOP_OWN) {
        own_add(&loop->own, loop->wake_fd, POLLIN);
    } else if (kind == LOOP_UV) {
        ck_assert_int_eq(uv_loop_init(&loop->uv), 0);
        ck_assert_int_eq(uv_async_init(&loop->uv, &loop->uv_wake, on_uv_wake), 0);
        loop->uv_wake.data = loop;
    } else if (kind == LOOP_EVENT) {
        loop->base = event_base_new();
        ck_assert_ptr_nonnull(loop->base);
        loop->event_wake =
            event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_event_wake, loop);
        ck_assert_ptr_nonnull(loop->event_wake);
        ck_assert_int_eq(event_add(loop->event_wake, NULL), 0);
    }
    return loop;
}

static void free_uv(struct loop *loop)
{
    uv_close((uv_handle_t *)&loop->uv_wake, NULL);
    if (loop->on_tick != NULL)
        uv_close((uv_handle_t *)&loop->uv_timer, NULL);
    /* Nothing may keep it, and nothing may be left in it. */
    ck_assert_int_eq(uv_run(&loop->uv, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop->uv), 0);
}

static void free_event(struct loop *loop)
{
    event_free(loop->event_wake);
    if (loop->event_timer != NULL)
        event_free(loop->event_timer);
    ck_assert_int_eq(event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ADDED), 0);
    ck_assert_int_eq(event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ACTIVE), 0);
    event_base_free(loop->base);
}

void loop_free(struct loop *loop)
{
    if (loop->kind == LOOP_UV)
        free_uv(loop);
    else if (loop->kind == LOOP_EVENT)
        free_event(loop);
    else if (loop->kind == LOOP_OWN)
        ck_assert_uint_eq(loop->own.count, 1);
    free(loop->own.pollfds);
    close(loop->wake_fd);
    free(loop);
}

int loop_attach(struct loop *loop, struct libwebsocket_context *context)
{
    loop->own.serving = true;
    switch (loop->kind) {
    case LOOP_UV:
        return lws_uv_attach(context, &loop->uv);
    case LOOP_EVENT:
        return lws_event_attach(context, loop->base);
    case LOOP_POLL:
        return lws_poll_attach(context);
    case LOOP_OWN:
        break;
    }
    return 0;
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    switch (loop->kind) {
    case LOOP_UV:
        while (!loop->stopped)
            uv_run(&loop->uv, UV_RUN_DEFAULT);
        break;
    case LOOP_EVENT:
        while (!loop->stopped)
            ck_assert_int_eq(event_base_dispatch(loop->base), 0);
        break;
    case LOOP_POLL:
        poll_run(loop);
        break;
    case LOOP_OWN:
        own_run(loop);
        break;
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
    if (loop->kind == LOOP_UV)
        uv_stop(&loop->uv);
    else if (loop->kind == LOOP_EVENT)
        ck_assert_int_eq(event_base_loopbreak(loop->base), 0);
}

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;

    if (loop->kind == LOOP_UV) {
        ck_assert_int_eq(uv_async_send(&loop->uv_wake), 0);
    } else if (loop->kind == LOOP_POLL && *loop->context != NULL && loop->own.serving) {
        ck_assert_int_eq(lws_call_in_service(*loop->context, wake_in_service, loop), 0);
    } else {
        ck_assert_int_eq(write(loop->wake_fd, &one, sizeof one), sizeof one);
    }
}

void loop_start_timer(struct loop *loop, void (*on_tick)(void *argument))
{
    struct timeval interval = {.tv_usec = TICK_MS * 1000};

    loop->on_tick = on_tick;
    loop->next_tick = ws_now_ms() + TICK_MS;
    if (loop->kind == LOOP_UV) {
        ck_assert_int_eq(uv_timer_init(&loop->uv, &loop->uv_timer), 0);
        loop->uv_timer.data = loop;
        ck_assert_int_eq(uv_timer_start(&loop->uv_timer, on_uv_timer, TICK_MS, TICK_MS), 0);
    } else if (loop->kind == LOOP_EVENT) {
        loop->event_timer = event_new(loop->base, -1, EV_PERSIST, on_event_timer, loop);
        ck_assert_ptr_nonnull(loop->event_timer);
        ck_assert_int_eq(event_add(loop->event_timer, &interval), 0);
    }
}
