/* Connecting to other servers. Included by libwebsockets.h. */
#ifndef LWSLOOP_LWS_CLIENT_H
#define LWSLOOP_LWS_CLIENT_H

#include "lws_context.h"
#include "lws_link.h"
#include "lws_protocol.h"

LWS_BEGIN_DECLARATIONS

#if LWS_SINCE(20110212)
/*
 * Begins to connect to a WebSocket server. The call returns at once; what it began ends with
 * exactly one of CLIENT_ESTABLISHED and CLIENT_CONNECTION_ERROR, from a service call at the
 * earliest, and at the latest when the context is destroyed.
 *
 *   context           the context that gets the connection
 *   address           a name, which is looked up by a thread of the library's own; a numeric IPv4
 *                     or IPv6 address, with or without brackets; or "unix:" and the path of a
 *                     Unix-domain socket (an addition). All addresses of a name are tried, IPv6 and
 *                     IPv4 in turn, a quarter of a second apart (RFC 8305).
 *   port              1 to 65535; not used for a Unix-domain socket
 *   ssl_connection    0: ws. 1: wss, the server's certificate must be valid and issued for `host`.
 *                     2: wss, where the certificate may also be a self-signed one; its dates and
 *                     the name in it are checked all the same. docs/tls.md has the details.
 *   path              the request target: a path, a query behind it if need be, in visible ASCII
 *                     characters without '#'; a '/' is put before it where it has none. NULL: "/".
 *   host              the Host field as it is to be sent, and without its port the name that TLS
 *                     verifies and that the server is told; NULL: the address, and the port unless
 *                     it is the usual one, 80 or 443; "localhost" for a Unix-domain socket
 *   origin            the Origin field; "http://" is put before it where it has no scheme and is
 *                     not "null". NULL: the field is left out, as is proper for what is no browser.
 *   protocol          the subprotocols to ask for, with commas between them. The server's choice
 *                     must be one of them and decides which protocol of the context is called. At
 *                     least one of them must be a protocol of the context. NULL: none is asked for,
 *                     and the protocol without a name is called, or else the first.
 *   ietf_version_or_minus_one   -1 or 13: RFC 6455. 8 or 7: drafts of it, which frame the same way
 *                     and call the origin Sec-WebSocket-Origin. No others are spoken.
 *
 * Any number of them may be under way at once, also to one server: to have only one there, as RFC
 * 6455 section 4.1 wants it, is left to the program. Eight names are looked up at a time; more wait
 * for their turn.
 *
 * The strings are copied. Until the connection is established, callbacks about it come to the
 * first protocol asked for that the context has, except where a reason says otherwise.
 *
 * Returns the connection, which belongs to the library and is valid until CLOSED or
 * CLIENT_CONNECTION_ERROR has returned; until it is connected libwebsocket_get_socket_fd() gives
 * -1 for it. Returns NULL, and nothing will be called back, where an argument does not make sense
 * or the context is being destroyed (EINVAL), there are max_connections already (ENFILE), or there
 * is not even the memory or the descriptor to begin with (ENOMEM, EMFILE); one log line says which.
 * Since 2011-01-22; with ietf_version_or_minus_one since 2011-02-12 (lws_older.h).
 */
LWS_VISIBLE struct libwebsocket *libwebsocket_client_connect(struct libwebsocket_context *context,
    const char *address, int port, int ssl_connection, const char *path, const char *host,
    const char *origin, const char *protocol, int ietf_version_or_minus_one)
    LWS_LINK_LEVEL(libwebsocket_client_connect, 20110212);
#endif

#if LWS_SINCE(20110305)
/*
 * The same with session memory of the caller's own.
 *
 *   userdata   `user` in all callbacks about the connection, from the first on, in place of memory
 *              of the library's. It stays the caller's: never cleared, never freed, and used until
 *              CLOSED or CLIENT_CONNECTION_ERROR has returned. NULL: as
 *              libwebsocket_client_connect().
 *
 * Returns as libwebsocket_client_connect() does. Since 2011-03-05.
 */
LWS_VISIBLE struct libwebsocket *libwebsocket_client_connect_extended(
    struct libwebsocket_context *context, const char *address, int port, int ssl_connection,
    const char *path, const char *host, const char *origin, const char *protocol,
    int ietf_version_or_minus_one, void *userdata) LWS_LINK(libwebsocket_client_connect_extended);
#endif

#if LWS_SINCE(20130316)
/*
 * Has later connections of the context go through an HTTP proxy, by CONNECT. Those to Unix-domain
 * sockets never do.
 *
 *   proxy   "host:port", or "user:password@host:port" for Basic authentication, where characters
 *           may be percent-encoded; "http://" before and "/" behind it are allowed. An IPv6 address
 *           is in brackets. Without a port: 3128. NULL or "": no proxy any more.
 *
 * Names of servers are looked up by the proxy. Returns 0, or -1 and changes nothing where proxy has
 * another form (EINVAL) or memory is short (ENOMEM). Since 2013-03-16.
 */
LWS_VISIBLE int libwebsocket_set_proxy(struct libwebsocket_context *context, const char *proxy)
    LWS_LINK(libwebsocket_set_proxy);
#endif

LWS_END_DECLARATIONS

#endif
