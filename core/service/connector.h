/*
 * Reaching a server: its name looked up by a thread, and connections to its addresses begun one
 * after the other without waiting for the one before to fail (RFC 8305 section 5).
 */
#ifndef LWSLOOP_SERVICE_CONNECTOR_H
#define LWSLOOP_SERVICE_CONNECTOR_H

#include "service/context.h"

/* Begins for a new client. False with errno, and a log line, where not even that can be done. */
bool connector_begin(struct libwebsocket_context *context, struct libwebsocket *wsi);

/* A look-up's or an attempt's descriptor is ready. */
void connector_serve(struct libwebsocket_context *context, struct libwebsocket *helper);

/* An attempt has had its time before the next one is begun beside it; or it is time to try again.
 */
void connector_delay_over(struct libwebsocket_context *context, struct libwebsocket *helper);

/* The host does not watch a descriptor of a client's. */
void connector_refused(struct libwebsocket_context *context, struct libwebsocket *helper);

/* Ends all that is done for a client. */
void connector_abandon(struct libwebsocket_context *context, struct libwebsocket *wsi);

#endif
