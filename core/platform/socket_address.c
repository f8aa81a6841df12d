#include "platform/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct socket_addresses *allocate(size_t count)
{
    struct socket_addresses *addresses =
        malloc(sizeof(*addresses) + count * sizeof(addresses->list[0]));

    if (!addresses) {
        errno = ENOMEM;
        return NULL;
    }
    addresses->count = 0;
    return addresses;
}

static void append(struct socket_addresses *addresses, const void *address, size_t length)
{
    struct socket_address *at = &addresses->list[addresses->count++];

    memset(at, 0, sizeof(*at));
    at->length = (socklen_t)length;
    memcpy((char *)at + offsetof(struct socket_address, any), address, length);
}

/* Of a socket address of the family; 0 where it is neither IPv6 nor IPv4. */
static size_t internet_length(int family)
{
    switch (family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    default:
        return 0;
    }
}

static bool is_usable(const struct addrinfo *info)
{
    size_t length = internet_length(info->ai_family);

    return length && info->ai_addr && info->ai_addrlen >= length &&
           info->ai_addr->sa_family == info->ai_family;
}

/* The first of the family (of any one, if that is AF_UNSPEC) from `info` on, or NULL. */
static const struct addrinfo *next_of(const struct addrinfo *info, int family)
{
    while (info && !(is_usable(info) && (family == AF_UNSPEC || info->ai_family == family)))
        info = info->ai_next;
    return info;
}

struct socket_addresses *socket_addresses_interleave(const struct addrinfo *found)
{
    const struct addrinfo *first = next_of(found, AF_UNSPEC);
    const struct addrinfo *families[2] = {first, NULL};
    struct socket_addresses *addresses;
    size_t count = 0;
    size_t turn = 0;

    for (const struct addrinfo *at = first; at && count < SOCKET_ADDRESSES_MAX; count++)
        at = next_of(at->ai_next, AF_UNSPEC);
    addresses = allocate(count);
    if (!addresses)
        return NULL;
    if (first)
        families[1] = next_of(first, first->ai_family == AF_INET ? AF_INET6 : AF_INET);
    while (addresses->count < count) {
        const struct addrinfo *at = families[turn];

        if (at) {
            append(addresses, at->ai_addr, internet_length(at->ai_family));
            families[turn] = next_of(at->ai_next, at->ai_family);
        }
        turn = 1 - turn;
    }
    return addresses;
}

/* An interface's name or its number. */
static bool read_zone(const char *text, uint32_t *zone)
{
    uint64_t number = 0;

    *zone = if_nametoindex(text);
    if (*zone)
        return true;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9')
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
        if (number > UINT32_MAX)
            return false;
    }
    *zone = (uint32_t)number;
    return text[0] != '\0';
}

/* inet_pton(3) knows of no zones. */
static bool read_v6(const char *text, struct sockaddr_in6 *address)
{
    char numeric[INET6_ADDRSTRLEN];
    const char *percent = strchr(text, '%');
    size_t length = percent ? (size_t)(percent - text) : strlen(text);

    if (length >= sizeof(numeric))
        return false;
    memcpy(numeric, text, length);
    numeric[length] = '\0';
    return inet_pton(AF_INET6, numeric, &address->sin6_addr) == 1 &&
           (!percent || read_zone(percent + 1, &address->sin6_scope_id));
}

struct socket_addresses *socket_addresses_numeric(const char *text, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    bool is_v4 = inet_pton(AF_INET, text, &v4.sin_addr) == 1;
    struct socket_addresses *addresses;

    if (!is_v4 && !read_v6(text, &v6)) {
        errno = 0;
        return NULL;
    }
    addresses = allocate(1);
    if (!addresses)
        return NULL;
    if (is_v4)
        append(addresses, &v4, sizeof(v4));
    else
        append(addresses, &v6, sizeof(v6));
    return addresses;
}

struct socket_addresses *socket_addresses_unix(const char *path)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    struct socket_addresses *addresses;

    /* Without a name it would be an address of another kind, not a path. */
    if (length == 0) {
        errno = ENOENT;
        return NULL;
    }
    if (length >= sizeof(local.sun_path)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    addresses = allocate(1);
    if (!addresses)
        return NULL;
    memcpy(local.sun_path, path, length + 1);
    append(addresses, &local, sizeof(local));
    return addresses;
}

void socket_address_text(const struct socket_address *address, char *text, size_t size)
{
    char numeric[NI_MAXHOST] = "";
    const char *written = numeric;

    if (address->any.sa_family == AF_UNIX)
        written = address->local.sun_path;
    else if (getnameinfo(&address->any, address->length, numeric, sizeof(numeric), NULL, 0,
                 NI_NUMERICHOST) != 0)
        numeric[0] = '\0';
    if (size)
        snprintf(text, size, "%s", written);
}
