/* Bytes of a file sent to a socket without passing through the process (sendfile). */
#ifndef LWSLOOP_PLATFORM_SEND_FILE_H
#define LWSLOOP_PLATFORM_SEND_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Sends up to `count` bytes from *offset, which it moves. Returns how many, 0 where the file ends
 * there, or -1 with errno. No SIGPIPE reaches the program; EINTR is tried again.
 */
ssize_t send_file(int socket, int file, off_t *offset, size_t count);

#endif
