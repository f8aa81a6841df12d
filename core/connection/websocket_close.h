/* The end of a WebSocket, from either side. */
#ifndef LWSLOOP_CONNECTION_WEBSOCKET_CLOSE_H
#define LWSLOOP_CONNECTION_WEBSOCKET_CLOSE_H

#include "connection/connection.h"

/* Keeps what a close frame shall say later. Returns 0, or -1 with errno and a log line. */
int websocket_stage_close(struct libwebsocket *wsi, int status, const void *reason, size_t length);

/* Starts to close with what was staged, or 1000. Nothing where it is closing already. */
void websocket_close_staged(struct libwebsocket *wsi);

/* Starts to close with a close frame's payload that is known to be good. */
void websocket_close_with(struct libwebsocket *wsi, const unsigned char *payload, size_t length);

/* The peer broke a rule: says so, and reads no more. */
void websocket_fail(struct libwebsocket *wsi, unsigned int code, const char *why);

/* The peer's close frame has come. */
void websocket_close_received(
    struct libwebsocket *wsi, const unsigned char *payload, size_t length);

/* The context goes away: sends what the transport takes at once, and waits for nothing. */
void websocket_close_at_once(struct libwebsocket *wsi, unsigned int code, const char *why);

/* Sends what the transport takes at once, hangs up, and is dead. */
void connection_leave(struct libwebsocket *wsi);

/* What is to be done for a draining connection once all has been sent. */
void connection_drain_step(struct libwebsocket *wsi);

#endif
