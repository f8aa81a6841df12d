/* The last part of any connection: sending what is left, and hanging up. */
#ifndef LWSLOOP_CONNECTION_DRAIN_H
#define LWSLOOP_CONNECTION_DRAIN_H

#include "connection/connection.h"

/* The connection is over at once; what waits to be sent is lost. */
void connection_die(struct libwebsocket *wsi);

/* The connection is over when what waits has been sent and the peer has hung up, or had its time.
 */
void connection_drain(struct libwebsocket *wsi);

/* What is to be done for a draining connection once all has been sent. */
void connection_drain_step(struct libwebsocket *wsi);

/* Where it is dead and about to be closed: says to the peer that nothing more will come, unless
 * something is missing that the peer might not miss. */
void connection_say_farewell(struct libwebsocket *wsi);

/* Sends what the transport takes at once, hangs up, and is dead. */
void connection_leave(struct libwebsocket *wsi);

#endif
