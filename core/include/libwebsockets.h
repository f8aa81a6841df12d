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
 *   lws_utility.h      random bytes, SHA-1, base64, version, daemons
 *   lws_older.h        forms and functions that later levels are without
 *
 * What of it a program sees is decided by the day it was written for: lws_level.h.
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
 * "Since" gives the day of the API from which on a name is there. Names that start with lws_ and
 * have no such date are additions of this library, and there at every level, but for what
 * lws_level.h names.
 */
#ifndef LWSLOOP_LIBWEBSOCKETS_H
#define LWSLOOP_LIBWEBSOCKETS_H

#include "lws_level.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Programs use what the header of their day happened to include. */
#if LWS_SINCE(20110212)
#include <poll.h>
#endif
#if LWS_SINCE(20130117)
#include <unistd.h>
#endif
#if LWS_SINCE(20130214)
#include <assert.h>
#endif

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

#include "lws_older.h"

#endif
