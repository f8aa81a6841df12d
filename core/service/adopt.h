/* A context in a process that was forked after it was made. */
#ifndef LWSLOOP_SERVICE_ADOPT_H
#define LWSLOOP_SERVICE_ADOPT_H

#include "service/context.h"

/* Whether this is the process that made the context, or has adopted its copy of it. From any
 * thread and from a signal handler. */
static inline bool context_is_local(struct libwebsocket_context *context)
{
    return atomic_load_explicit(&context->process, memory_order_acquire) ==
           fork_guard_process(&context->engine.guard);
}

/*
 * Makes the copy of a context that a forked process has its own: descriptors of the engine's that
 * would be shared with the other process are replaced, under the same numbers, and the loop is told
 * of all anew. False with errno, and a log line: the loop cannot be used by two processes (EBUSY),
 * the context was renounced (EPIPE), or descriptors or memory are short; it may be tried again.
 */
bool context_adopt(struct libwebsocket_context *context);

/* Whether the calling thread is the one that serves, in the process that does. From any thread. */
bool context_serves_here(struct libwebsocket_context *context);

/* Whether connections are this process's to close: it was the last to serve. */
bool context_is_owner(struct libwebsocket_context *context);

#endif
