/* The loop of a process that does nothing but serve. */
#ifndef LWSLOOP_ADAPTERS_POLL_SERVE_UNTIL_H
#define LWSLOOP_ADAPTERS_POLL_SERVE_UNTIL_H

#include <stdbool.h>

struct libwebsocket_context;

/* Whether libwebsocket_service() can serve a context: it is adopted, and attached where it was not.
 * False with errno and a log line. */
bool lws_poll_can_serve(struct libwebsocket_context *context);

enum lws_poll_end {
    LWS_POLL_ENDED,     /* the descriptor became readable, or its other end was closed */
    LWS_POLL_DESTROYED, /* a callback destroyed the context */
    LWS_POLL_FAILED     /* it cannot be served; there is a log line */
};

/* Serves a context until a descriptor that is not its own becomes readable, or nothing is left to
 * serve. To be called once. */
enum lws_poll_end lws_poll_serve_until(struct libwebsocket_context *context, int fd);

#endif
