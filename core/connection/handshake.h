/* The server's side of the opening handshake (RFC 6455 section 4.2). */
#ifndef LWSLOOP_CONNECTION_HANDSHAKE_H
#define LWSLOOP_CONNECTION_HANDSHAKE_H

#include "connection/http_exchange.h"

/* Whether a request asks to become a WebSocket, well or badly. */
bool handshake_is_meant(const struct http_head *head);

/* Refuses the request, or makes the connection a WebSocket. */
void handshake(struct libwebsocket *wsi, bool has_body);

/* Whether the program is being asked about a handshake; then `*session` is the session memory that
 * the WebSocket will have, NULL where its protocol has none. */
bool handshake_session(const struct libwebsocket *wsi, void **session);

#endif
