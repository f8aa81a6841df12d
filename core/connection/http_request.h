/* Requests: their heads read and judged, their bodies passed over, the program called. */
#ifndef LWSLOOP_CONNECTION_HTTP_REQUEST_H
#define LWSLOOP_CONNECTION_HTTP_REQUEST_H

#include "connection/connection.h"

/* Each returns how many of the bytes were taken. */
size_t http_request_head(struct libwebsocket *wsi, const unsigned char *bytes, size_t length);
size_t http_request_body(struct libwebsocket *wsi, const unsigned char *bytes, size_t length);

#endif
