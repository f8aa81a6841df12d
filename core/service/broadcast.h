/* Broadcasts: to every connection of a protocol, from whatever process or thread they come. */
#ifndef LWSLOOP_SERVICE_BROADCAST_H
#define LWSLOOP_SERVICE_BROADCAST_H

#include "service/context.h"

/* What waits in the channel: a bounded part of it. */
void broadcast_serve(struct libwebsocket_context *context, struct libwebsocket *channel);

/* Its deadline has passed: it goes on with what memory was short for. */
void broadcast_resume(struct libwebsocket *channel);

#endif
