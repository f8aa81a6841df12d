/* Frames from the peer: decoded, unmasked, checked and handed to the program. */
#ifndef LWSLOOP_CONNECTION_WEBSOCKET_INPUT_H
#define LWSLOOP_CONNECTION_WEBSOCKET_INPUT_H

#include "connection/connection.h"

/* Returns how many of the bytes were taken, at least one; they are changed. */
size_t websocket_input(struct libwebsocket *wsi, unsigned char *bytes, size_t length);

/* Something was received, so that the peer is known to be there. */
void websocket_heard(struct libwebsocket *wsi);

void websocket_input_release(struct websocket_input *input);

#endif
