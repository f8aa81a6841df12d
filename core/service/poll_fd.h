/* Telling the host which descriptors to wait for. */
#ifndef LWSLOOP_SERVICE_POLL_FD_H
#define LWSLOOP_SERVICE_POLL_FD_H

#include "service/context.h"

/* Tells of what has changed since the last time. False where the host cannot watch it. */
bool poll_fd_announce(struct libwebsocket *wsi);

/* DEL, where it was told of. */
void poll_fd_forget(struct libwebsocket *wsi);
void poll_fd_forget_all(struct libwebsocket_context *context);

/* Without DEL: the loop is another process's. */
void poll_fd_disregard(struct libwebsocket *wsi);
void poll_fd_disregard_all(struct libwebsocket_context *context);

/* The sink's last call, if there is one. */
void poll_fd_detach(struct libwebsocket_context *context);

#endif
