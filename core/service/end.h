/* The end of a context that was never announced. */
#ifndef LWSLOOP_SERVICE_END_H
#define LWSLOOP_SERVICE_END_H

#include "service/context.h"

/* Frees a context, finished or not, that the program has not been called about. Sockets of the
 * program's stay open. */
void end_silently(struct libwebsocket_context *context);

/* Frees all connections and closes all descriptors, and says nothing to anybody. */
void end_connections_silently(struct libwebsocket_context *context);

#endif
