/* Frames to the peer. */
#ifndef LWSLOOP_CONNECTION_WEBSOCKET_OUTPUT_H
#define LWSLOOP_CONNECTION_WEBSOCKET_OUTPUT_H

#include "connection/connection.h"

/* Sends a frame with a payload around which there is the padding that libwebsocket_write() asks
 * for: the header goes into it. False, with errno, where the connection is over. */
bool websocket_send_frame(struct libwebsocket *wsi, unsigned char first, unsigned char *payload,
    size_t length, bool with_zeros);

/* Sends a control frame, whose payload needs no padding and is at most FRAME_CONTROL_PAYLOAD_MAX.
 * False, with errno, where the connection is over. */
bool websocket_send_control(
    struct libwebsocket *wsi, unsigned char opcode, const void *payload, size_t length);

/* Answers a ping. On a choked connection one pong is in the backlog, and one waits to follow it, in
 * place of any that came before it. */
void websocket_send_pong(struct libwebsocket *wsi, const unsigned char *payload, size_t length);

/* So many bytes of the backlog have been sent: the pong that waits may have its turn. */
void websocket_pong_sent(struct libwebsocket *wsi, size_t moved);

/* Sends the pong that waits, if it can be sent now. */
void websocket_send_waiting_pong(struct libwebsocket *wsi);

/* libwebsocket_write() for a WebSocket: checks, and sends. Returns as that does. */
int websocket_write(struct libwebsocket *wsi, unsigned char *payload, size_t length,
    enum libwebsocket_write_protocol protocol);

#endif
