/* Frames to the peer. */
#ifndef LWSLOOP_CONNECTION_WEBSOCKET_OUTPUT_H
#define LWSLOOP_CONNECTION_WEBSOCKET_OUTPUT_H

#include "connection/connection.h"

/* Sends a control frame, whose payload needs no padding and is at most FRAME_CONTROL_PAYLOAD_MAX.
 * False, with errno, where the connection is over. */
bool websocket_send_control(
    struct libwebsocket *wsi, unsigned char opcode, const void *payload, size_t length);

/* Answers a ping, now or, on a choked connection, in place of the pong that waits already. */
void websocket_send_pong(struct libwebsocket *wsi, const unsigned char *payload, size_t length);

/* Sends the pong that waits, if one does; to be called when the connection is no longer choked. */
void websocket_send_waiting_pong(struct libwebsocket *wsi);

/* libwebsocket_write() for a WebSocket: checks, and sends. Returns as that does. */
int websocket_write(struct libwebsocket *wsi, unsigned char *payload, size_t length,
    enum libwebsocket_write_protocol protocol);

#endif
