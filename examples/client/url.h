/* Taking a ws:// or wss:// address apart (RFC 6455 section 3, RFC 3986). */
#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include <stdbool.h>

struct url {
    bool secure;
    char host[256]; /* an IPv6 address keeps its brackets */
    int port;
    const char *target;    /* path and query, inside the text that was parsed */
    char credentials[256]; /* "user:password", decoded; empty where there were none */
};

/* Returns NULL, or what is wrong with the address. The text has to live as long as the result. */
const char *url_parse(const char *text, struct url *url);

#endif
