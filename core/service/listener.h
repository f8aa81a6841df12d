/* Accepting connections, and not accepting them for a while. */
#ifndef LWSLOOP_SERVICE_LISTENER_H
#define LWSLOOP_SERVICE_LISTENER_H

#include "service/context.h"

/* Accepts a bounded number of connections, unless it is paused. */
void listener_serve(
    struct libwebsocket_context *context, struct libwebsocket *listener, short events);

/* A connection has ended, and with it what it took up. */
void listeners_have_room(struct libwebsocket_context *context);

/* The pause after descriptors ran out is over. */
void listeners_try_again(struct libwebsocket_context *context);

#endif
