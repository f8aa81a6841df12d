/* The loop that drives the engine under test, which holds it to the contract of lws_poll_fd.h. */
#ifndef LWSLOOP_FUZZ_ENGINE_LOOP_H
#define LWSLOOP_FUZZ_ENGINE_LOOP_H

#include <libwebsockets.h>

/* A sink for lws_set_poll_fd_callback(). */
lws_poll_fd_function engine_loop_sink;

/* Serves what is ready until nothing is. That it does not come to that would be a spinning loop. */
void engine_loop_settle(struct libwebsocket_context *context);

/* How many descriptors are polled for that are not the engine's own. */
unsigned int engine_loop_connections(void);

#endif
