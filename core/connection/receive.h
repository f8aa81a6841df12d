/* Input of a connection: read, handed to its state, and kept where that cannot use it yet. */
#ifndef LWSLOOP_CONNECTION_RECEIVE_H
#define LWSLOOP_CONNECTION_RECEIVE_H

#include "connection/connection.h"

/*
 * Works on what was kept from earlier, or else on one receive buffer's worth from the transport.
 * Does nothing where the state takes no input, or a call further out is working on it already.
 */
void receive_some(struct libwebsocket *wsi);

/* The same with bytes that the program has read. False, with errno, where they cannot be taken. */
bool receive_given(struct libwebsocket *wsi, const unsigned char *bytes, size_t length);

/* Whether there is kept input that the state could use now. */
bool receive_can_resume(const struct libwebsocket *wsi);

/* Whether there is kept input. */
bool receive_keeps(const struct libwebsocket *wsi);

/* Throws kept input away. */
void receive_drop(struct libwebsocket *wsi);

#endif
