/* TLS as a transport. */
#ifndef LWSLOOP_TRANSPORT_TLS_H
#define LWSLOOP_TRANSPORT_TLS_H

#include "transport/tls_settings.h"
#include "transport/transport.h"

#include <stdbool.h>

/*
 * Each turns a plain transport that has a socket, and on which nothing has been moved, into one
 * that encrypts. False where memory is short: it is still plain then. The settings are held until
 * it is closed.
 *
 *   allow_plain     the peer may also begin without TLS: start() finds out, and makes the transport
 *                   a plain one again
 *   name            a host name or numeric address, which the peer's certificate must be for; told
 *                   to the peer where it is a name
 *   allow_self_signed   the certificate may be its own issuer, if nothing else is wrong with it
 *   session_key     whose sessions may be resumed, such as "name:port"
 */
bool transport_tls_server(
    struct transport *transport, struct tls_settings *settings, bool allow_plain);
bool transport_tls_client(struct transport *transport, struct tls_settings *settings,
    const char *name, bool allow_self_signed, const char *session_key);

#endif
