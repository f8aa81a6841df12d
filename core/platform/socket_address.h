/* Addresses of sockets, as a look-up finds them and connect(2) wants them. */
#ifndef LWSLOOP_PLATFORM_SOCKET_ADDRESS_H
#define LWSLOOP_PLATFORM_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { SOCKET_ADDRESSES_MAX = 32 };

struct socket_address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    };
};

/* In the order in which they are to be tried. Allocated with malloc(3). */
struct socket_addresses {
    size_t count; /* at most SOCKET_ADDRESSES_MAX */
    struct socket_address list[];
};

struct addrinfo;

/*
 * Copies what getaddrinfo(3) found in the order of RFC 8305 section 4: the families take turns,
 * beginning with the first one's, and within a family the order is kept. Others than IPv6 and IPv4
 * and all beyond the limit are left out, so that there may be none. NULL where memory is short.
 */
struct socket_addresses *socket_addresses_interleave(const struct addrinfo *found);

/*
 * A numeric IPv4 or IPv6 address, the latter with a zone if need be. Returns NULL where `text` is
 * neither (errno is 0 then) or memory is short (ENOMEM). Never waits.
 */
struct socket_addresses *socket_addresses_numeric(const char *text, int port);

/* A Unix-domain socket's path. NULL, with errno, where it is empty (ENOENT) or too long
 * (ENAMETOOLONG) or memory is short (ENOMEM). */
struct socket_addresses *socket_addresses_unix(const char *path);

/* Writes an address without its port, or a path, for a log line. */
void socket_address_text(const struct socket_address *address, char *text, size_t size);

#endif
