/* Serving a context in a process of its own, as the first generation's create_server does it. */
#ifndef LWSLOOP_ADAPTERS_POLL_FORK_SERVICE_H
#define LWSLOOP_ADAPTERS_POLL_FORK_SERVICE_H

struct libwebsocket_context;

/* Returns 0 in the calling process when the other one serves; the copy can only broadcast then.
 * Returns -1 with a log line; no other process is left, and the context is still to be destroyed.
 */
int lws_fork_service(struct libwebsocket_context *context);

#endif
