/* What is done as a call returns: sending, closing, announcing, waking. */
#ifndef LWSLOOP_SERVICE_SETTLE_H
#define LWSLOOP_SERVICE_SETTLE_H

#include "service/context.h"

/* At the end of a service call. */
void settle_service(struct libwebsocket_context *context);

/* The part of it that sends, closes and announces. */
void settle_endings(struct libwebsocket_context *context);

/*
 * Sends what was gathered and announces, without calling the program about its connections: at the
 * end of an outermost call that may not do that, and at the beginning of a service call inside
 * another. What needs a callback is left to the next service call.
 */
void settle_quietly(struct libwebsocket_context *context);

/* Frees what has been closed; only where no call further out can name it. */
void settle_graves(struct libwebsocket_context *context);

/* Has the timer fire at a time; UINT64_MAX: not at all. */
void settle_timer(struct libwebsocket_context *context, uint64_t at);

/* Arms the timer for the next deadline, and asks to be served again where work is left. */
void settle_wake_ups(struct libwebsocket_context *context);

/* Judges deadlines up to a time, a bounded number of them. False where there are more. */
bool settle_deadlines(struct libwebsocket_context *context, uint64_t upto);

/* Closes a dead connection that no callback is inside of. */
void settle_close(struct libwebsocket_context *context, struct libwebsocket *wsi);

#endif
