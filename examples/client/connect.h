/* From the options to the library's arguments. */
#ifndef CLIENT_CONNECT_H
#define CLIENT_CONNECT_H

#include <libwebsockets.h>

#include "session.h"

/* Makes a context that has one connection, just begun. Returns NULL, and says why, on failure. */
struct libwebsocket_context *connect_begin(struct session *session);

#endif
