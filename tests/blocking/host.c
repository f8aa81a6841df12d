#include "host.h"

#include "cost.h"

#include <lws_event.h>
#include <lws_poll.h>
#include <lws_uv.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DESCRIPTORS 256

struct state {
    struct host *host;
    int64_t last_tick; /* 0: none yet */
    int64_t next_tick; /* for loops without timers */
    bool stopped;
    uv_loop_t uv;
    uv_timer_t uv_timer;
    struct event_base *base;
};

/* Of the own loop: it exists before the context does. */
static struct pollfd pollfds[DESCRIPTORS];
static nfds_t pollfd_count;

bool host_prepare(void)
{
    uv_loop_t loop;

    return uv_loop_init(&loop) == 0 && uv_loop_close(&loop) == 0;
}

int64_t host_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void host_poll_fd(enum libwebsocket_callback_reasons reason, int fd, int events)
{
    nfds_t i = 0;

    while (i < pollfd_count && pollfds[i].fd != fd)
        i++;
    switch ((int)reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
        if (pollfd_count < DESCRIPTORS)
            pollfds[pollfd_count++] = (struct pollfd){.fd = fd, .events = (short)events};
        break;
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        pollfds[i].events = (short)(pollfds[i].events | events);
        break;
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        pollfds[i].events = (short)(pollfds[i].events & ~events);
        break;
    default:
        pollfds[i] = pollfds[--pollfd_count];
        break;
    }
}

static void tick(struct state *state)
{
    struct host *host = state->host;
    int64_t now = host_now_ms();

    if (state->last_tick != 0 && now - state->last_tick > host->longest_gap_ms)
        host->longest_gap_ms = now - state->last_tick;
    state->last_tick = now;
    host->ticks++;
    if (!state->stopped && !host->tick(host->argument))
        state->stopped = true;
}

static int wait_ms(const struct state *state)
{
    int64_t left = state->next_tick - host_now_ms();

    return left < 0 ? 0 : (int)left;
}

static void tick_if_due(struct state *state)
{
    if (host_now_ms() < state->next_tick)
        return;
    state->next_tick = host_now_ms() + HOST_TICK_MS;
    tick(state);
}

static void destroy(struct host *host)
{
    cost_begin();
    libwebsocket_context_destroy(host->context);
    cost_end();
    host->context = NULL;
}

static bool run_own(struct state *state)
{
    while (!state->stopped) {
        nfds_t count = pollfd_count;
        int ready = poll(pollfds, count, wait_ms(state));

        if (ready < 0 && errno != EINTR)
            return false;
        for (nfds_t i = 0; ready > 0 && i < count && i < pollfd_count; i++) {
            if (pollfds[i].revents != 0 &&
                libwebsocket_service_fd(state->host->context, &pollfds[i]) != 0)
                return false;
        }
        tick_if_due(state);
    }
    destroy(state->host);
    return true;
}

static bool run_poll(struct state *state)
{
    bool good = lws_poll_attach(state->host->context) == 0;

    while (good && !state->stopped) {
        good = libwebsocket_service(state->host->context, wait_ms(state)) == 0;
        tick_if_due(state);
    }
    destroy(state->host);
    return good;
}

static void on_uv_timer(uv_timer_t *timer)
{
    struct state *state = timer->data;

    tick(state);
    if (state->stopped)
        uv_stop(&state->uv);
}

static bool run_uv(struct state *state)
{
    bool good = uv_loop_init(&state->uv) == 0;

    if (!good) {
        destroy(state->host);
        return false;
    }
    state->uv_timer.data = state;
    good = lws_uv_attach(state->host->context, &state->uv) == 0 &&
           uv_timer_init(&state->uv, &state->uv_timer) == 0 &&
           uv_timer_start(&state->uv_timer, on_uv_timer, HOST_TICK_MS, HOST_TICK_MS) == 0;
    if (good)
        uv_run(&state->uv, UV_RUN_DEFAULT);
    destroy(state->host);
    if (good)
        uv_close((uv_handle_t *)&state->uv_timer, NULL);
    return uv_run(&state->uv, UV_RUN_DEFAULT) == 0 && uv_loop_close(&state->uv) == 0 && good;
}

static void on_event_timer(evutil_socket_t fd, short events, void *argument)
{
    struct state *state = argument;

    (void)fd;
    (void)events;
    tick(state);
    if (state->stopped)
        event_base_loopbreak(state->base);
}

static bool run_event(struct state *state)
{
    const struct timeval interval = {.tv_usec = HOST_TICK_MS * 1000};
    struct event *timer = NULL;
    bool good;

    state->base = event_base_new();
    if (state->base)
        timer = event_new(state->base, -1, EV_PERSIST, on_event_timer, state);
    good = timer && event_add(timer, &interval) == 0 &&
           lws_event_attach(state->host->context, state->base) == 0 &&
           event_base_dispatch(state->base) == 0;
    destroy(state->host);
    if (timer)
        event_free(timer);
    if (state->base)
        event_base_free(state->base);
    return good;
}

bool host_run(struct host *host)
{
    struct state state = {.host = host, .next_tick = host_now_ms() + HOST_TICK_MS};
    bool good = false;

    if (strcmp(host->name, "own") == 0)
        good = run_own(&state);
    else if (strcmp(host->name, "poll") == 0)
        good = run_poll(&state);
    else if (strcmp(host->name, "uv") == 0)
        good = run_uv(&state);
    else if (strcmp(host->name, "event") == 0)
        good = run_event(&state);
    else
        destroy(host);
    if (!good || !state.stopped)
        fprintf(stderr, "the loop \"%s\" failed\n", host->name);
    return good && state.stopped;
}
