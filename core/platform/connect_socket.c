#include "platform/connect_socket.h"

#include "platform/socket.h"

#include <errno.h>
#include <unistd.h>

static enum connect_result attempt(int fd, const struct socket_address *address)
{
    if (connect(fd, &address->any, address->length) == 0)
        return CONNECT_DONE;
    switch (errno) {
    case EISCONN:
        return CONNECT_DONE;
    case EINPROGRESS:
    case EALREADY:
    case EINTR:
        return CONNECT_AGAIN;
    default:
        return CONNECT_FAILED;
    }
}

int connect_begin(const struct socket_address *address, enum connect_result *result)
{
    int family = address->any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (family != AF_UNIX)
        socket_no_delay(fd);
    *result = attempt(fd, address);
    if (*result == CONNECT_FAILED) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/*
 * A second connect(2) tells which of the three it is, also where a loop was wrong or the error has
 * been read already (ECONNABORTED then). SO_ERROR would not do: it cannot tell a connection from an
 * attempt, and reports what a network said about an attempt that goes on.
 */
enum connect_result connect_check(int fd, const struct socket_address *address)
{
    return attempt(fd, address);
}
