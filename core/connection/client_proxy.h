/* Asking an HTTP proxy for a tunnel to the server (RFC 9110 section 9.3.6). */
#ifndef LWSLOOP_CONNECTION_CLIENT_PROXY_H
#define LWSLOOP_CONNECTION_CLIENT_PROXY_H

#include "connection/client.h"

void client_proxy_ask(struct libwebsocket *wsi);

/* Returns how many of the bytes were taken. */
size_t client_proxy_input(struct libwebsocket *wsi, const unsigned char *bytes, size_t length);

#endif
