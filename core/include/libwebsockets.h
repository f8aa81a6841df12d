/*
 * lwsloop: WebSockets for programs that already have an event loop.
 *
 * This header is the manual's front page; the parts it includes are the chapters:
 *
 *   lws_protocol.h     the callback, its reasons, and struct libwebsocket_protocols
 *   lws_context.h      making, serving and destroying a context
 *   lws_poll_fd.h      how the engine and an event loop talk: for hosts and adapters
 *   lws_connection.h   what can be done with one connection
 *   lws_extension.h    extensions of the protocol, and permessage-deflate
 *   lws_client.h       connecting to other servers
 *   lws_tls.h          certificates and keys
 *   lws_http.h         serving files, and reading the header fields of a request
 *   lws_log.h          log levels and where log lines go
 *   lws_utility.h      random bytes, SHA-1, base64, version
 *
 * Three rules hold everywhere and are not repeated at each function:
 *
 * - A context, and everything that belongs to it, is used by one thread at a time. A function
 *   that may be called from another thread, or from a signal handler, says so.
 * - Inside a LWS_CALLBACK_…_POLL_FD callback only libwebsocket_get_socket_fd() may be called.
 *   Inside every other callback every function may be called, libwebsocket_context_destroy()
 *   included; what cannot happen at once happens before the outermost call into the library
 *   returns. A function that calls back says so; the others never do, POLL_FD callbacks apart,
 *   which any call may cause.
 * - No function keeps a pointer to memory of the caller's after it has returned, except where it
 *   says for how long.
 *
 * "Since" gives the date of the generation of the API in which a name first stood. Names that
 * start with lws_ and have no such date are additions of this library.
 */
#ifndef LWSLOOP_LIBWEBSOCKETS_H
#define LWSLOOP_LIBWEBSOCKETS_H

#include <assert.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "lws_link.h"

#include "lws_log.h"

#include "lws_protocol.h"

#include "lws_context.h"

#include "lws_poll_fd.h"

#include "lws_connection.h"

#include "lws_extension.h"

#include "lws_client.h"

#include "lws_tls.h"

#include "lws_http.h"

#include "lws_utility.h"

#endif
