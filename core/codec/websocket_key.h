/* Sec-WebSocket-Key and the answer to it (RFC 6455 sections 4.2.1 and 4.2.2). */
#ifndef LWSLOOP_CODEC_WEBSOCKET_KEY_H
#define LWSLOOP_CODEC_WEBSOCKET_KEY_H

#include <stdbool.h>

enum { WEBSOCKET_ACCEPT_SIZE = 29 }; /* base64 of a SHA-1, and a NUL */

/* Whether it is the base64 form of 16 bytes. */
bool websocket_key_is_valid(const char *key);

/* Writes the Sec-WebSocket-Accept value for a key. Returns false if the hash could not be had. */
bool websocket_accept(const char *key, char accept[WEBSOCKET_ACCEPT_SIZE]);

#endif
