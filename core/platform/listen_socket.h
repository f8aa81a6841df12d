/* Sockets that listen: TCP on an address, an interface or everywhere, and Unix-domain ones. */
#ifndef LWSLOOP_PLATFORM_LISTEN_SOCKET_H
#define LWSLOOP_PLATFORM_LISTEN_SOCKET_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { LISTEN_SOCKETS_MAX = 64 };

/*
 * Opens listening sockets for a port. `where` is NULL for all addresses, else a numeric address or
 * an interface's name. Returns how many descriptors were written to fds, which has room for
 * LISTEN_SOCKETS_MAX; or -1, nothing is open, and `error` says what failed and why.
 */
int listen_tcp(const char *where, int port, int backlog, int *fds, struct text *error);

/* Which file a path was, so that another one of the same name is left alone. */
struct unix_name {
    dev_t device;
    ino_t inode;
};

/*
 * Opens a listening Unix-domain socket, in place of one that is left over from a process that is
 * gone, and fills in *name. Returns the descriptor, or -1 and `error` says why.
 */
int listen_unix(const char *path, int backlog, struct unix_name *name, struct text *error);

/* Removes the socket from the file system, unless somebody has put another in its place. */
void listen_unix_remove(const char *path, const struct unix_name *name);

/* Makes a socket of the caller's ready; false, and `error` says why, where it does not listen. */
bool listen_adopt(int fd, struct text *error);

#endif
