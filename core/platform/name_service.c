#include "platform/name_service.h"

#include <netdb.h>
#include <stdlib.h>

static const char *describe(int error)
{
    switch (error) {
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
        return "host not found";
    case EAI_AGAIN:
        return "the name servers do not answer";
    case EAI_MEMORY:
        return "out of memory";
    case EAI_SYSTEM:
        return "the name look-up failed";
    default:
        return gai_strerror(error);
    }
}

const char *name_service_ask(
    const char *name, const char *port, struct socket_addresses **addresses)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(name, port, &hints, &found);

    if (error)
        return describe(error);
    *addresses = socket_addresses_interleave(found);
    freeaddrinfo(found);
    if (!*addresses)
        return describe(EAI_MEMORY);
    if ((*addresses)->count == 0) {
        free(*addresses);
        *addresses = NULL;
        return describe(EAI_NONAME);
    }
    return NULL;
}
