/*
 * Serves a context on a loop chosen by name, for test programs that are servers of their own.
 */
#ifndef LWSLOOP_TESTS_RUN_LOOP_H
#define LWSLOOP_TESTS_RUN_LOOP_H

#include <libwebsockets.h>

#include <stdbool.h>

struct run_loop {
    struct libwebsocket_context *context;
    const char *name; /* "poll", "uv" or "event" */
    bool stopped;
};

/*
 * Attaches the context, serves it until run_loop_stop(), and takes the loop down. Returns false,
 * with a line on stderr, if something about the loop fails or it ended by itself. The context is
 * destroyed in any case.
 */
bool run_loop(struct run_loop *loop);

/* Has the context destroyed and the loop end. From any thread, once. */
bool run_loop_stop(struct run_loop *loop);

/* A listening socket on a free port of the host, whose number is put in *port; -1 on failure. */
int run_loop_listen(const char *address, int backlog, int *port);

#endif
