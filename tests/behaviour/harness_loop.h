/* A host's event loop, of one of four kinds. */
#ifndef LWSLOOP_TESTS_HARNESS_LOOP_H
#define LWSLOOP_TESTS_HARNESS_LOOP_H

#include "harness.h"

struct loop;

/*
 *   on_wake   called on the thread that runs the loop, soon after each loop_wake()
 *   context   where to look whether there is a context
 */
struct loop *loop_new(enum loop_kind kind, void (*on_wake)(void *argument), void *argument,
    struct libwebsocket_context **context);

/* Fails the test where anything but the loop's own things is left in it. */
void loop_free(struct loop *loop);

/* Returns what the adapter's function returned. The own loop begins to serve what it is told of. */
int loop_attach(struct loop *loop, struct libwebsocket_context *context);

/* Runs until loop_stop(), which is called on the thread that runs it. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* From any thread. */
void loop_wake(struct loop *loop);

/* What protocols[0] was told; for the own loop. Returns false where it does not know the
 * descriptor, or is no such loop. */
bool loop_poll_fd(struct loop *loop, enum libwebsocket_callback_reasons reason, int fd, int events);

/* Starts a timer of the host's that calls on_tick every 10 ms. */
void loop_start_timer(struct loop *loop, void (*on_tick)(void *argument));

#endif
