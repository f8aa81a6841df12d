/* The system's name service, which takes its time. */
#ifndef LWSLOOP_PLATFORM_NAME_SERVICE_H
#define LWSLOOP_PLATFORM_NAME_SERVICE_H

#include "platform/socket_address.h"

/*
 * Asks for a name's addresses and waits for the answer, so that it is for threads of a resolver's
 * own. Returns NULL, and *addresses has at least one and is the caller's to free; or a static text
 * that says why there is none.
 */
const char *name_service_ask(
    const char *name, const char *port, struct socket_addresses **addresses);

#endif
