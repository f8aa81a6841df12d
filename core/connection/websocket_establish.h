/* The beginning of a WebSocket, on either side. */
#ifndef LWSLOOP_CONNECTION_WEBSOCKET_ESTABLISH_H
#define LWSLOOP_CONNECTION_WEBSOCKET_ESTABLISH_H

#include "connection/connection.h"

/* Session memory for a protocol: all zero, NULL where it wants none. False where memory is short.
 */
bool websocket_session(const struct protocol *protocol, void **session);

/* The handshake is over, and what belonged to it has been freed. Calls the program. */
void websocket_establish(struct libwebsocket *wsi, struct protocol *protocol, void *session);

#endif
