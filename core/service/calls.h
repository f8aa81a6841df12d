/* Functions that other threads want called on the thread that serves. */
#ifndef LWSLOOP_SERVICE_CALLS_H
#define LWSLOOP_SERVICE_CALLS_H

#include "service/context.h"

/* Returns 0 or an error number. */
int calls_init(struct calls *calls);

/* Calls a bounded number of them, in their order. */
void calls_run(struct libwebsocket_context *context);

/* Takes no more. */
void calls_close(struct calls *calls);

/* Takes no more, and calls all that were taken. */
void calls_finish(struct libwebsocket_context *context);

/* In a child: the mutex may be held by a thread that only the parent has. */
void calls_after_fork(struct calls *calls);

/* Of a copy that nobody serves: the calls are the other process's. */
void calls_drop(struct calls *calls);

void calls_free(struct calls *calls);

#endif
