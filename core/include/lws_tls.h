/*
 * TLS. Included by libwebsockets.h. Which connections are encrypted, and what is verified of the
 * peer, is decided by members of struct lws_context_creation_info and struct lws_context_extras and
 * by libwebsocket_client_connect(); docs/tls.md tells the whole of it.
 */
#ifndef LWSLOOP_LWS_TLS_H
#define LWSLOOP_LWS_TLS_H

#include <stddef.h>

#include "lws_link.h"
#include "lws_protocol.h"

LWS_BEGIN_DECLARATIONS

/*
 * Reads the files for TLS again that the context was created with: certificates, keys and
 * authorities, of the server and of clients. Connections that exist go on with what they began
 * with; those that begin from now on use what was read. Sessions from before can still be resumed,
 * unless certificates of clients are involved, or the server's would not be accepted any more.
 *
 *   error       where to put a sentence about what went wrong, or NULL
 *   error_len   its size in bytes, NUL included
 *
 * Returns 0. Returns -1 with errno EINVAL, and everything stays as it was, where a file cannot be
 * used, the context has no TLS files or is being destroyed, or memory is short; one log line says
 * why. Files are read on the calling thread. Calls back:
 * OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS and OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS, for what is
 * read anew. An addition.
 */
LWS_VISIBLE int lws_tls_reload(struct libwebsocket_context *context, char *error, size_t error_len)
    LWS_LINK(lws_tls_reload);

LWS_END_DECLARATIONS

#endif
