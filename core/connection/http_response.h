/* Answers that the engine gives by itself, and the end of any answer. */
#ifndef LWSLOOP_CONNECTION_HTTP_RESPONSE_H
#define LWSLOOP_CONNECTION_HTTP_RESPONSE_H

#include "base/text.h"
#include "connection/http_exchange.h"

enum { HTTP_RESPONSE_HEAD_MAX = 2048 };

/* Begins a head: status line, Date, and Connection where the connection will not go on as the
 * client expects. More fields may be added to it. */
void http_response_begin(struct text *text, const struct http_exchange *exchange, int status);

/*
 * Answers with a status and a short body that says it. Fields that the status asks for (Allow,
 * Upgrade and the versions spoken) are added. False where the connection is over.
 */
bool http_response_send_status(struct libwebsocket *wsi, int status);

/* The same, and http_response_end after it. */
void http_response_status(struct libwebsocket *wsi, int status);

/* The same, and the connection ends after it, whatever the client asked for. */
void http_response_refuse(struct libwebsocket *wsi, int status, const char *why);

/* All of an answer is in the backlog: goes on with the next request, or ends the connection. */
void http_response_end(struct libwebsocket *wsi);

/* The program wants no more of this connection: it ends when what has been begun is sent. */
void http_response_abandon(struct libwebsocket *wsi);

/* libwebsocket_write() with LWS_WRITE_HTTP. Returns as that does. */
int http_response_write(struct libwebsocket *wsi, const unsigned char *bytes, size_t length);

/* A deadline has passed while a request was awaited or answered. */
void http_response_late(struct libwebsocket *wsi);

#endif
