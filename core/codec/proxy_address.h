/* Where an HTTP proxy is and who one is there: "http://user:password@host:port/". */
#ifndef LWSLOOP_CODEC_PROXY_ADDRESS_H
#define LWSLOOP_CODEC_PROXY_ADDRESS_H

#include <stdbool.h>

struct proxy_address {
    char *host; /* a name or an address, without brackets */
    int port;   /* 3128 where none was given */
    /* The value of Proxy-Authorization, "Basic …"; NULL where nobody is named. */
    char *authorization;
};

/*
 * Takes it apart: scheme and '/' at the end may be missing, and so may the user, the password and
 * the port; an IPv6 address is in brackets. User and password may be percent-encoded, and a space,
 * '/', '?', '#' and '%' in them have to be. Host, user and password are of 255 bytes at most.
 * False, with errno EINVAL or ENOMEM, and nothing to free, where it has another form (a colon
 * without a port is one), another scheme than http, control characters in the decoded user or
 * password, a colon in the decoded user, or memory is short.
 */
bool proxy_address_parse(const char *text, struct proxy_address *address);

void proxy_address_free(struct proxy_address *address);

#endif
