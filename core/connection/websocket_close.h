/* The end of a WebSocket, from either side. */
#ifndef LWSLOOP_CONNECTION_WEBSOCKET_CLOSE_H
#define LWSLOOP_CONNECTION_WEBSOCKET_CLOSE_H

#include "connection/connection.h"

/* Whether a program may close with that. Returns 0, or -1 with errno and a log line. */
int websocket_check_close(int status, const void *reason, size_t length);

/* Keeps what a close frame shall say later. Returns as websocket_check_close, or ENOMEM. */
int websocket_stage_close(struct libwebsocket *wsi, int status, const void *reason, size_t length);

/* Starts to close with what was staged, or 1000. Nothing where it is closing already. */
void websocket_close_staged(struct libwebsocket *wsi);

/* Starts to close with a close frame's payload that is known to be good. False, with errno, where
 * that could not be sent and the connection is over. */
bool websocket_close_with(struct libwebsocket *wsi, const unsigned char *payload, size_t length);

/* The peer broke a rule: says so, and reads no more. */
void websocket_fail(struct libwebsocket *wsi, unsigned int code, const char *why);

/* The peer's close frame has come. */
void websocket_close_received(
    struct libwebsocket *wsi, const unsigned char *payload, size_t length);

/* The context goes away: sends what the transport takes at once, and waits for nothing. */
void websocket_close_at_once(struct libwebsocket *wsi, unsigned int code, const char *why);

#endif
