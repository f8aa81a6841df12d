/* Sockets that are being connected, without waiting. */
#ifndef LWSLOOP_PLATFORM_CONNECT_SOCKET_H
#define LWSLOOP_PLATFORM_CONNECT_SOCKET_H

#include "platform/socket_address.h"

enum connect_result { CONNECT_DONE, CONNECT_AGAIN, CONNECT_FAILED };

/*
 * Opens a stream socket, non-blocking and closed on exec, and begins to connect it. Returns the
 * descriptor, and in *result whether it is connected already (DONE) or will be writable when that
 * is decided (AGAIN); or -1 with errno.
 */
int connect_begin(const struct socket_address *address, enum connect_result *result);

/*
 * How it went. AGAIN: it is not decided yet, whatever a loop may have said. FAILED: errno tells;
 * the descriptor is of no more use, and asking once more might begin anew.
 */
enum connect_result connect_check(int fd, const struct socket_address *address);

#endif
