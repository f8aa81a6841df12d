/* The stream of bytes after the handshake, as extensions change it in both directions. */
#ifndef LWSLOOP_CONNECTION_EXTENSION_STREAM_H
#define LWSLOOP_CONNECTION_EXTENSION_STREAM_H

#include "connection/connection.h"

/* Gives all of the bytes to the extensions, and what they make of them to the frames. */
void extension_stream_input(struct libwebsocket *wsi, unsigned char *bytes, size_t length);

/* Goes on with what was left over. */
void extension_stream_resume(struct libwebsocket *wsi);

/* What connection_send() is where extensions change the stream. */
bool extension_stream_send(struct libwebsocket *wsi, const void *bytes, size_t length);

/* Nothing more will be written: sends what the extensions have kept back. */
void extension_stream_flush(struct libwebsocket *wsi);

/* Nothing is left to be sent. False where an extension wants it to go on nevertheless. */
bool extension_stream_finish(struct libwebsocket *wsi);

#endif
