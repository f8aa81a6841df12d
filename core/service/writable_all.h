/* Requests about all connections of a protocol. */
#ifndef LWSLOOP_SERVICE_WRITABLE_ALL_H
#define LWSLOOP_SERVICE_WRITABLE_ALL_H

#include "service/context.h"

/* Makes requests to each connection of what was asked for, perhaps by another thread, for all. */
void writable_all_expand(struct libwebsocket_context *context);

#endif
