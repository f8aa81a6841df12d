/* What happens to a connection: readiness, spare time, deadlines, and the wish to end it. */
#ifndef LWSLOOP_CONNECTION_LIFECYCLE_H
#define LWSLOOP_CONNECTION_LIFECYCLE_H

#include "connection/connection.h"

/* The host reported events. */
void connection_ready(struct libwebsocket *wsi, short events);

/* It was taken off the work queue: goes on with what it has, and says WRITEABLE if asked to. */
void connection_work(struct libwebsocket *wsi);

/* Its deadline has been taken off the wheel. */
void connection_late(struct libwebsocket *wsi);

/* The outermost call returns: sends what was gathered, and goes on if anything can. */
void connection_settle(struct libwebsocket *wsi);

/* Ends it in good order, whatever it is. */
void connection_close_gracefully(struct libwebsocket *wsi);

/* Ends it now: what the transport takes at once is sent, and nothing is waited for. The code and
 * the words are for whom it concerns: a WebSocket's close frame, or a client that is not one yet.
 */
void connection_close_at_once(struct libwebsocket *wsi, unsigned int code, const char *words);

#endif
