/* Files as answers. */
#ifndef LWSLOOP_CONNECTION_HTTP_FILE_H
#define LWSLOOP_CONNECTION_HTTP_FILE_H

#include "connection/http_exchange.h"

/* libwebsockets_serve_http_file(). Returns as that does. */
int http_file_serve(struct libwebsocket *wsi, const char *path, const char *content_type);

/* Sends the next part of the file, as far as the transport takes it and one call may go. */
void http_file_continue(struct libwebsocket *wsi);

#endif
