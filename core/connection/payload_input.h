/* Messages whose payload passes through extensions before the program has it. */
#ifndef LWSLOOP_CONNECTION_PAYLOAD_INPUT_H
#define LWSLOOP_CONNECTION_PAYLOAD_INPUT_H

#include "connection/connection.h"

/* A message begins, and this is its first frame. */
void payload_input_begin(struct libwebsocket *wsi);

/* Whether the message at hand passes through extensions. */
bool payload_input_is_at_work(const struct libwebsocket *wsi);

/* Takes unmasked bytes of the frame at hand, or none where it is empty. */
void payload_input_take(struct libwebsocket *wsi, unsigned char *bytes, size_t length);

/* Goes on with what was left over. */
void payload_input_resume(struct libwebsocket *wsi);

/* The frame at hand is over, and nothing is left over: delivers its last piece. */
void payload_input_end_frame(struct libwebsocket *wsi);

/* How many bytes are known to follow the piece that the program is being given. */
size_t payload_input_known(const struct libwebsocket *wsi);

#endif
