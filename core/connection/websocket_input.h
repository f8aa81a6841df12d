/* Frames from the peer: decoded, unmasked, checked and handed to the program. */
#ifndef LWSLOOP_CONNECTION_WEBSOCKET_INPUT_H
#define LWSLOOP_CONNECTION_WEBSOCKET_INPUT_H

#include "connection/connection.h"

/* Returns how many of the bytes were taken; they are changed. It is called again as long as there
 * are more, and the connection takes input and is not paused. */
size_t websocket_input(struct libwebsocket *wsi, unsigned char *bytes, size_t length);

/* Whether extensions have left over something of the frame at hand, its last piece perhaps. */
bool websocket_input_keeps(const struct libwebsocket *wsi);

/* Goes on with what extensions have left over of the frame at hand. */
void websocket_input_resume(struct libwebsocket *wsi);

/* Something was received, so that the peer is known to be there. */
void websocket_heard(struct libwebsocket *wsi);

/* Frees what is kept of a message. */
void websocket_input_release(struct libwebsocket *wsi);

#endif
