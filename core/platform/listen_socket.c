#include "platform/listen_socket.h"

#include "platform/socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool set_on(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* Returns the descriptor, or -1 with errno. */
static int open_address(const struct sockaddr *address, socklen_t length, bool only_v6, int backlog)
{
    int saved;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (!set_on(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        goto failed;
    if (address->sa_family == AF_INET6 && !set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, only_v6))
        goto failed;
    if (bind(fd, address, length) < 0 || listen(fd, backlog) < 0)
        goto failed;
    return fd;

failed:
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int listen_everywhere(int port, int backlog, int *fds, struct text *error)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    v6.sin6_addr = in6addr_any;
    fds[0] = open_address((const struct sockaddr *)&v6, sizeof(v6), false, backlog);
    /* A host without IPv6 has no such family, or no such address. */
    if (fds[0] < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fds[0] = open_address((const struct sockaddr *)&v4, sizeof(v4), false, backlog);
    if (fds[0] < 0) {
        text_add(error, "cannot listen on port %d: %s", port, strerror(errno));
        return -1;
    }
    return 1;
}

static int listen_interface(const char *name, int port, int backlog, int *fds, struct text *error)
{
    struct ifaddrs *addresses = NULL;
    int count = 0;
    bool failed = false;

    if (getifaddrs(&addresses) < 0) {
        text_add(error, "cannot list the network interfaces: %s", strerror(errno));
        return -1;
    }
    for (struct ifaddrs *at = addresses; at && count < LISTEN_SOCKETS_MAX; at = at->ifa_next) {
        socklen_t length;

        if (!at->ifa_addr || strcmp(at->ifa_name, name) != 0)
            continue;
        if (at->ifa_addr->sa_family == AF_INET) {
            ((struct sockaddr_in *)(void *)at->ifa_addr)->sin_port = htons((uint16_t)port);
            length = sizeof(struct sockaddr_in);
        } else if (at->ifa_addr->sa_family == AF_INET6) {
            ((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_port = htons((uint16_t)port);
            length = sizeof(struct sockaddr_in6);
        } else {
            continue;
        }
        fds[count] = open_address(at->ifa_addr, length, true, backlog);
        if (fds[count] < 0) {
            text_add(
                error, "cannot listen on port %d of interface %s: %s", port, name, strerror(errno));
            failed = true;
            break;
        }
        count++;
    }
    freeifaddrs(addresses);
    if (!failed && count > 0)
        return count;
    if (!failed)
        text_add(error, "cannot listen on %s: neither a numeric address nor an interface with one",
            name);
    while (count > 0)
        close(fds[--count]);
    return -1;
}

int listen_tcp(const char *where, int port, int backlog, int *fds, struct text *error)
{
    struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *address = NULL;
    char service[8];
    int result;

    if (!where)
        return listen_everywhere(port, backlog, fds, error);
    snprintf(service, sizeof(service), "%d", port);
    result = getaddrinfo(where, service, &hints, &address);
    if (result == EAI_NONAME)
        return listen_interface(where, port, backlog, fds, error);
    if (result != 0) {
        text_add(error, "cannot listen on %s: %s", where, gai_strerror(result));
        return -1;
    }
    fds[0] = open_address(address->ai_addr, address->ai_addrlen, true, backlog);
    if (fds[0] < 0)
        text_add(error, "cannot listen on %s port %d: %s", where, port, strerror(errno));
    freeaddrinfo(address);
    return fds[0] < 0 ? -1 : 1;
}

/* Whether the path is a socket on which nobody listens any more. */
static bool is_left_over(const char *path, const struct sockaddr_un *address)
{
    struct stat status;
    int fd;
    bool refused;

    if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
              errno == ECONNREFUSED;
    close(fd);
    return refused;
}

int listen_unix(const char *path, int backlog, struct unix_name *name, struct text *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct sockaddr *any = (const struct sockaddr *)&address;
    struct stat status;
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        text_add(error, "cannot listen on %s: the path is longer than %zu bytes", path,
            sizeof(address.sun_path) - 1);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = open_address(any, sizeof(address), false, backlog);
    if (fd < 0 && errno == EADDRINUSE) {
        if (is_left_over(path, &address) && unlink(path) == 0)
            fd = open_address(any, sizeof(address), false, backlog);
        else
            errno = EADDRINUSE;
    }
    if (fd >= 0 && lstat(path, &status) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        fd = -1;
    }
    if (fd < 0) {
        text_add(error, "cannot listen on %s: %s", path, strerror(errno));
        return -1;
    }
    *name = (struct unix_name){status.st_dev, status.st_ino};
    return fd;
}

void listen_unix_remove(const char *path, const struct unix_name *name)
{
    struct stat status;

    if (lstat(path, &status) == 0 && status.st_dev == name->device && status.st_ino == name->inode)
        (void)unlink(path);
}

bool listen_adopt(int fd, struct text *error)
{
    int listens = 0;
    socklen_t length = sizeof(listens);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0) {
        text_add(error, "cannot accept from descriptor %d: %s", fd, strerror(errno));
        return false;
    }
    if (!listens) {
        text_add(error, "cannot accept from descriptor %d: it does not listen", fd);
        return false;
    }
    if (!socket_prepare(fd)) {
        text_add(error, "cannot make descriptor %d non-blocking: %s", fd, strerror(errno));
        return false;
    }
    return true;
}
