/* Sockets: accepting, options, and who is at the other end. */
#ifndef LWSLOOP_PLATFORM_SOCKET_H
#define LWSLOOP_PLATFORM_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Accepts one connection, non-blocking and closed on exec. Returns its descriptor, or -1 with errno
 * as accept(2) sets it; EINTR is tried again.
 */
int socket_accept(int listener);

/* Makes a descriptor of any origin non-blocking and closed on exec. */
bool socket_prepare(int fd);

/* Whether it is a TCP socket, and not a Unix-domain one. */
bool socket_is_tcp(int fd);

/* Sends small frames at once. Harmless where the socket is not TCP. */
void socket_no_delay(int fd);

/*
 * Turns TCP keepalive on: seconds before the first probe, probes, and seconds between them; those
 * that are 0 stay as the system has them. False with errno where the system refuses.
 */
bool socket_keepalive(int fd, int time, int probes, int interval);

/*
 * How many of the bytes that were sent the peer's system has not taken yet, as far as that is
 * known: of a TCP socket those that are not acknowledged, the end of the stream among them; of a
 * Unix-domain socket those that are not read, in the system's own measure. 0 where it is not known.
 */
size_t socket_untaken(int fd);

/* Writes the peer's numeric address; an empty text where there is none. */
void socket_peer(int fd, char *text, size_t size);

#endif
