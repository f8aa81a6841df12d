/*
 * Forms of functions that have another one at later levels, and functions that later levels are
 * without. Included by libwebsockets.h. What is said of the later form, in the chapter it belongs
 * to, holds for the older one too; here is what is different.
 */
#ifndef LWSLOOP_LWS_OLDER_H
#define LWSLOOP_LWS_OLDER_H

#include <stddef.h>

#include "lws_connection.h"
#include "lws_context.h"
#include "lws_extension.h"
#include "lws_link.h"
#include "lws_protocol.h"

LWS_BEGIN_DECLARATIONS

/*
 * Making a context, as libwebsocket_create_context() with a struct does since 2013-02-09. The
 * arguments are what the struct's members of the same names are: `interface` and `interf` its
 * iface. What a form is without is NULL or 0.
 */
#if LWS_BEFORE(20110119)
/*
 * Makes a server and serves it in a process of its own. Part of lwsloop-poll.
 *
 * Returns 0 in the process that called it, as soon as the other one serves; -1 where there is no
 * server, with a log line that says why. The process that called it goes on, and can only broadcast
 * (libwebsockets_broadcast()); it has no other process to wait for. Where it ends, however it ends,
 * the other one closes all connections and ends. Where the other one ends,
 * libwebsockets_broadcast() fails with EPIPE. Callbacks come in the other one alone. Until
 * 2011-01-18.
 */
LWS_VISIBLE int libwebsocket_create_server(int port, struct libwebsocket_protocols *protocols,
    const char *ssl_cert_filepath, const char *ssl_private_key_filepath, int gid, int uid)
    LWS_LINK_LEVEL(libwebsocket_create_server, LWS_LEVEL_OF_CONTEXT);

#elif LWS_BEFORE(20110122)
/* Makes a context that the program serves, by the name of the days from 2011-01-19 to 2011-01-21.
 */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_server(int port,
    struct libwebsocket_protocols *protocols, const char *ssl_cert_filepath,
    const char *ssl_private_key_filepath, int gid, int uid)
    LWS_LINK_LEVEL(libwebsocket_create_server, LWS_LEVEL_OF_CONTEXT);

#elif LWS_BEFORE(20110130)
/* Until 2011-01-29. */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_context(int port,
    struct libwebsocket_protocols *protocols, const char *ssl_cert_filepath,
    const char *ssl_private_key_filepath, int gid, int uid)
    LWS_LINK_LEVEL(libwebsocket_create_context, LWS_LEVEL_OF_CONTEXT);

#elif LWS_BEFORE(20110219)
/* With options; until 2011-02-18. */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_context(int port,
    struct libwebsocket_protocols *protocols, const char *ssl_cert_filepath,
    const char *ssl_private_key_filepath, int gid, int uid, unsigned int options)
    LWS_LINK_LEVEL(libwebsocket_create_context, LWS_LEVEL_OF_CONTEXT);

#elif LWS_BEFORE(20110305)
/* With the interface to listen on; until 2011-03-04. */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_context(int port,
    const char *interface, struct libwebsocket_protocols *protocols, const char *ssl_cert_filepath,
    const char *ssl_private_key_filepath, int gid, int uid, unsigned int options)
    LWS_LINK_LEVEL(libwebsocket_create_context, LWS_LEVEL_OF_CONTEXT);

#elif LWS_BEFORE(20121019)
/* With extensions; until 2012-10-18. */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_context(int port, const char *interf,
    struct libwebsocket_protocols *protocols, struct libwebsocket_extension *extensions,
    const char *ssl_cert_filepath, const char *ssl_private_key_filepath, int gid, int uid,
    unsigned int options) LWS_LINK_LEVEL(libwebsocket_create_context, LWS_LEVEL_OF_CONTEXT);

#elif LWS_BEFORE(20130109)
/* With the program's own pointer; until 2013-01-08. */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_context(int port, const char *interf,
    struct libwebsocket_protocols *protocols, struct libwebsocket_extension *extensions,
    const char *ssl_cert_filepath, const char *ssl_private_key_filepath, int gid, int uid,
    unsigned int options, void *user)
    LWS_LINK_LEVEL(libwebsocket_create_context, LWS_LEVEL_OF_CONTEXT);

#elif LWS_BEFORE(20130209)
/* With the authorities; until 2013-02-08. */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_context(int port, const char *interf,
    struct libwebsocket_protocols *protocols, struct libwebsocket_extension *extensions,
    const char *ssl_cert_filepath, const char *ssl_private_key_filepath,
    const char *ssl_ca_filepath, int gid, int uid, unsigned int options, void *user)
    LWS_LINK_LEVEL(libwebsocket_create_context, LWS_LEVEL_OF_CONTEXT);
#endif

#if LWS_SINCE(20110119) && LWS_BEFORE(20130131)
/*
 * Has a context served by a process of its own: it forks, the process that called it serves, and
 * the program goes on in the child, where the call returns. Part of lwsloop-poll.
 *
 *   context   attached to nothing else than libwebsocket_service()'s own loop
 *
 * The child can only broadcast (libwebsockets_broadcast()) and destroy its copy; of all other
 * descriptors of the context it lets go. When it ends, however it ends, the process that serves
 * closes all connections, frees the context and ends, by exit(3), with the child's status, or 128
 * and the number of the signal that ended it; with 1 where it could not go on serving. Where that
 * process ends first, the child lives on, and libwebsockets_broadcast() fails with EPIPE.
 *
 * Returns 0, in the child. Returns -1 with errno, in the process that called it, where context is
 * NULL (EINVAL), is attached to another loop (EBUSY) or was given up (EPIPE), or the system failed.
 * From inside a callback it is refused (EINVAL); not to be called where other threads use the
 * context. Where the program takes its children's status itself, as a handler of SIGCHLD may, the
 * process that serves ends with 0. Calls back in the process that called it. From 2011-01-19 until
 * 2013-01-30.
 */
LWS_VISIBLE int libwebsockets_fork_service_loop(struct libwebsocket_context *context)
    LWS_LINK(libwebsockets_fork_service_loop);
#endif

#if LWS_BEFORE(20130223)
/* Returns 0 where the bytes were taken, and not their number; -1 as later. Until 2013-02-22. */
LWS_VISIBLE int libwebsocket_write(struct libwebsocket *wsi, unsigned char *buf, size_t len,
    enum libwebsocket_write_protocol protocol) LWS_LINK_LEVEL(libwebsocket_write, 20101218);
#endif

#if LWS_SINCE(20110119) && LWS_BEFORE(20110214)
/* Without the context. From 2011-01-19 until 2011-02-13. */
LWS_VISIBLE int libwebsocket_callback_on_writable(struct libwebsocket *wsi)
    LWS_LINK_LEVEL(libwebsocket_callback_on_writable, 20110119);
#endif

#if LWS_BEFORE(20130115)
/* Without the context. What is returned from the HTTP callback makes no difference then: a request
 * that is not answered, or whose answer the program wrote itself, is over when its connection has
 * been idle for http_idle_timeout_ms. Until 2013-01-14. */
LWS_VISIBLE int libwebsockets_serve_http_file(struct libwebsocket *wsi, const char *file,
    const char *content_type) LWS_LINK_LEVEL(libwebsockets_serve_http_file, 20101218);
#endif

#if LWS_SINCE(20110219) && LWS_BEFORE(20130130)
/* Without the context and the connection. From 2011-02-19 until 2013-01-29. */
LWS_VISIBLE void libwebsockets_get_peer_addresses(int fd, char *name, int name_len, char *rip,
    int rip_len) LWS_LINK_LEVEL(libwebsockets_get_peer_addresses, 20110219);
#endif

#if LWS_SINCE(20110122) && LWS_BEFORE(20110130)
/* Always without TLS. From 2011-01-22 until 2011-01-29. */
LWS_VISIBLE struct libwebsocket *libwebsocket_client_connect(struct libwebsocket_context *context,
    const char *address, int port, const char *path, const char *host, const char *origin,
    const char *protocol) LWS_LINK_LEVEL(libwebsocket_client_connect, 20110122);

#elif LWS_SINCE(20110130) && LWS_BEFORE(20110212)
/* With TLS, but without the version. From 2011-01-30 until 2011-02-11. */
LWS_VISIBLE struct libwebsocket *libwebsocket_client_connect(struct libwebsocket_context *context,
    const char *address, int port, int ssl_connection, const char *path, const char *host,
    const char *origin, const char *protocol) LWS_LINK_LEVEL(libwebsocket_client_connect, 20110130);
#endif

#if LWS_SINCE(20110122) && LWS_BEFORE(20110221)
/* Starts to close a connection that libwebsocket_client_connect() made, as lws_close() does with
 * code 1000, and calls back as that does. Does nothing for NULL. From 2011-01-22 until 2011-02-20.
 */
LWS_VISIBLE void libwebsocket_client_close(struct libwebsocket *wsi)
    LWS_LINK(libwebsocket_client_close);
#endif

#if LWS_SINCE(20110219) && LWS_BEFORE(20130214)
/*
 * Ends the connection with that descriptor now. A WebSocket is sent a close frame with code 1000,
 * and its answer is not waited for. CLOSED comes before this returns, or where it is called from a
 * callback, when the outermost call into the library does. Where libwebsockets_serve_http_file() is
 * sending a file, the connection ends behind that.
 *
 * Does nothing, but for a log line, where the descriptor is not that of a connection of the
 * context. From 2011-02-19 until 2013-02-13.
 */
LWS_VISIBLE void libwebsockets_hangup_on_client(struct libwebsocket_context *context, int fd)
    LWS_LINK(libwebsockets_hangup_on_client);
#endif

#if LWS_SINCE(20110214) && LWS_BEFORE(20110226)
/* Ends a connection now, as libwebsockets_hangup_on_client() does. From 2011-02-14 until
 * 2011-02-25. */
LWS_VISIBLE void libwebsocket_close_and_free_session(struct libwebsocket_context *context,
    struct libwebsocket *wsi) LWS_LINK_LEVEL(libwebsocket_close_and_free_session, 20110214);

#elif LWS_SINCE(20110226) && LWS_BEFORE(20130212)
/*
 * Ends a connection now, with a status for the close frame: one that lws_close() takes, any other
 * counts as LWS_CLOSE_STATUS_NORMAL. LWS_CLOSE_STATUS_NOSTATUS sends a frame without a code. From
 * 2011-02-26 until 2013-02-11. Does nothing where wsi is NULL; CLOSED comes as for
 * libwebsockets_hangup_on_client().
 */
LWS_VISIBLE void libwebsocket_close_and_free_session(
    struct libwebsocket_context *context, struct libwebsocket *wsi, enum lws_close_status reason)
    LWS_LINK_LEVEL(libwebsocket_close_and_free_session, 20110226);
#endif

#if LWS_SINCE(20110305) && LWS_BEFORE(20131026)
/*
 * The session memory of a connection, which is made, all zero, where it does not have any yet.
 *
 * It is the library's, and there until CLOSED has returned. From FILTER_PROTOCOL_CONNECTION on it
 * is what the WebSocket has; a client's is kept where the server chooses the protocol it was made
 * for, the first of those that were asked for, and made anew, all zero, where it chooses another.
 * Returns NULL where its protocol has no session memory, memory is short, or wsi is no connection.
 * From 2011-03-05 until 2013-10-25.
 */
LWS_VISIBLE void *libwebsocket_ensure_user_space(struct libwebsocket *wsi)
    LWS_LINK(libwebsocket_ensure_user_space);
#endif

#if LWS_SINCE(20110305) && LWS_BEFORE(20130213)
/* The extensions that are part of the library, as libwebsocket_get_internal_extensions() has them
 * later; not to be changed. From 2011-03-05 until 2013-02-12. */
LWS_VISIBLE extern struct libwebsocket_extension libwebsocket_internal_extensions[] LWS_LINK(
    libwebsocket_internal_extensions);
#endif

#if LWS_SINCE(20130110) && LWS_BEFORE(20130119)
/* What a log line is about, as the two forms below have it. What is a notice later comes with INFO,
 * and at the start ERR and WARN are on. From 2013-01-10 until 2013-01-18. */
enum lws_log_levels {
    LLL_ERR = 1,
    LLL_WARN = 2,
    LLL_INFO = 4,
    LLL_DEBUG = 8,
    LLL_PARSER = 16,
    LLL_HEADER = 32,
    LLL_EXT = 64,
    LLL_CLIENT = 128,

    LLL_COUNT = 8 /* how many levels there are */
};
#endif

#if LWS_SINCE(20130110) && LWS_BEFORE(20130112)
/* Chooses which lines are emitted; from any thread. From 2013-01-10 until 2013-01-11. */
LWS_VISIBLE void lws_set_log_level(int level) LWS_LINK_LEVEL(lws_set_log_level, 20130110);

#elif LWS_SINCE(20130112) && LWS_BEFORE(20130119)
/* The function is not told what a line is about; NULL keeps the one that is set. From any thread.
 * From 2013-01-12 until 2013-01-18. */
LWS_VISIBLE void lws_set_log_level(int level, void (*log_emit_function)(const char *line))
    LWS_LINK_LEVEL(lws_set_log_level, 20130112);
#endif

LWS_END_DECLARATIONS

#endif
