/* A host with a timer of its own: the loop that a context is served on, chosen by name. */
#ifndef LWSLOOP_TESTS_HOST_H
#define LWSLOOP_TESTS_HOST_H

#include <libwebsockets.h>

#include <stdbool.h>
#include <stdint.h>

#define HOST_TICK_MS 10

struct host {
    const char *name; /* "poll", "uv", "event" or "own": a program's own array and poll(2) */
    struct libwebsocket_context *context;
    bool (*tick)(void *argument); /* every 10 ms; false to stop */
    void *argument;

    /* What came of it. */
    unsigned int ticks;
    int64_t longest_gap_ms; /* between two ticks */
};

/* libuv keeps descriptors of its own from its first loop on: makes it have them now. */
bool host_prepare(void);

/* Milliseconds on a clock that only goes forward. */
int64_t host_now_ms(void);

/* What the context's first protocol is told by the four POLL_FD reasons. */
void host_poll_fd(enum libwebsocket_callback_reasons reason, int fd, int events);

/* Attaches the context and serves it until a tick says otherwise; then destroys it and takes the
 * loop down. Returns false, with a line on stderr, where something about the loop fails. */
bool host_run(struct host *host);

#endif
