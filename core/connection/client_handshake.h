/* The client's side of the opening handshake (RFC 6455 section 4.1). */
#ifndef LWSLOOP_CONNECTION_CLIENT_HANDSHAKE_H
#define LWSLOOP_CONNECTION_CLIENT_HANDSHAKE_H

#include "connection/client.h"

/* Sends the request. Calls the program. */
void client_handshake_ask(struct libwebsocket *wsi);

/* Returns how many of the bytes were taken: none behind the answer's head. Calls the program. */
size_t client_handshake_input(struct libwebsocket *wsi, const unsigned char *bytes, size_t length);

#endif
