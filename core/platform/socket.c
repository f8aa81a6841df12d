#include "platform/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int socket_accept(int listener)
{
    int fd;

    do
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

bool socket_prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int descriptor_flags = fcntl(fd, F_GETFD);

    return flags >= 0 && descriptor_flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, descriptor_flags | FD_CLOEXEC) == 0;
}

bool socket_is_tcp(int fd)
{
    int domain = AF_UNSPEC;
    socklen_t length = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
           (domain == AF_INET || domain == AF_INET6);
}

void socket_no_delay(int fd)
{
    const int on = 1;

    /* What is no TCP socket has no delay to be turned off. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static bool set_if_given(int fd, int option, int value)
{
    return value <= 0 || setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)) == 0;
}

bool socket_keepalive(int fd, int time, int probes, int interval)
{
    const int on = 1;

    return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0 &&
           set_if_given(fd, TCP_KEEPIDLE, time) && set_if_given(fd, TCP_KEEPCNT, probes) &&
           set_if_given(fd, TCP_KEEPINTVL, interval);
}

size_t socket_untaken(int fd)
{
    int count = 0;

    return ioctl(fd, SIOCOUTQ, &count) == 0 && count > 0 ? (size_t)count : 0;
}

void socket_peer(int fd, char *text, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    } peer = {0};
    socklen_t length = sizeof(peer);
    char numeric[NI_MAXHOST] = "";

    if (getpeername(fd, &peer.any, &length) == 0) {
        if (peer.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer.v6.sin6_addr)) {
            if (!inet_ntop(AF_INET, peer.v6.sin6_addr.s6_addr + 12, numeric, sizeof(numeric)))
                numeric[0] = '\0';
        } else if (peer.any.sa_family == AF_INET || peer.any.sa_family == AF_INET6) {
            if (getnameinfo(&peer.any, length, numeric, sizeof(numeric), NULL, 0, NI_NUMERICHOST))
                numeric[0] = '\0';
        }
    }
    if (size)
        snprintf(text, size, "%s", numeric);
}
