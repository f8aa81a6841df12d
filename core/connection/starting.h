/* Making the transport ready for the first byte, on both sides. */
#ifndef LWSLOOP_CONNECTION_STARTING_H
#define LWSLOOP_CONNECTION_STARTING_H

#include "connection/connection.h"

/* The transport is to be made ready; what comes after it follows by itself. */
void starting_begin(struct libwebsocket *wsi);

/* It may go on. */
void starting_continue(struct libwebsocket *wsi);

/* It took too long. */
void starting_late(struct libwebsocket *wsi);

#endif
