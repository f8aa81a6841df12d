/* Making, serving and destroying a context. Included by libwebsockets.h. */
#ifndef LWSLOOP_LWS_CONTEXT_H
#define LWSLOOP_LWS_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lws_link.h"
#include "lws_protocol.h"

#if LWS_SINCE(20110212)
#include <poll.h>
#endif

LWS_BEGIN_DECLARATIONS

/* The port that means "do not listen". Since 2011-01-19. */
#define CONTEXT_PORT_NO_LISTEN 0

#if LWS_SINCE(20110130)
/* Bits of a context's options. Since 2011-01-30; unknown bits are ignored. */
enum libwebsocket_context_options {
    /* Clients send frames with a mask of zeros, which servers accept and proxies may be fooled by;
     * for tests. */
    LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK = 1,
#if LWS_SINCE(20110219)
    /* Clients that connect by TLS must have a certificate of an authority in ssl_ca_filepath. Since
     * 2011-02-19. */
    LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT = 2,
#endif
#if LWS_SINCE(20121019)
    /* libwebsocket_canonical_hostname() does not ask the system and says "localhost". Since
     * 2012-10-19. */
    LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME = 4,
#endif
    /* Where the server has TLS: clients that do not begin with a TLS handshake are served without
     * it, on the same port. An addition, from the API of 2014-07-06. */
    LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT = 8
};
#endif

#if LWS_SINCE(20130209)
/*
 * What a context is made from. Clear it, set gid and uid to -1, fill in what you need. It and the
 * strings are read while the context is created and not afterwards; the protocols must live as long
 * as the context. Since 2013-02-09.
 */
struct lws_context_creation_info {
    /* The TCP port to listen on, 1 to 65535, for IPv6 and IPv4; 0 for none. */
    int port;

    /*
     * NULL to listen on all addresses; else the name of a network interface, whose addresses are
     * used, or a numeric IPv4 or IPv6 address.
     */
#if LWS_SINCE(20130211)
    const char *iface;
#else
    const char *interface;
#endif

    struct libwebsocket_protocols *protocols;

    /*
     * The extensions that the context supports, as lws_extension.h has it, or NULL for none. Must
     * be NULL where the library was built with --without-extensions.
     */
    struct libwebsocket_extension *extensions;

    /*
     * Files in PEM form; docs/tls.md tells more. The first two make a TLS server of the context:
     * its certificate, with those of the authorities between it and the root behind it, and the
     * private key. All TCP connections that it accepts are encrypted then, those by Unix-domain
     * sockets never. Where the context does not listen they are what its clients show if the
     * server asks for a certificate. Without a certificate the key is ignored; a certificate alone
     * is an error.
     */
    const char *ssl_cert_filepath;
    const char *ssl_private_key_filepath;

    /*
     * Certificates of authorities, that of the root included: those that the certificates of
     * clients must come from (NULL: none, but for what OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS
     * adds), and those that the certificates of servers must come from (NULL: the system's).
     */
    const char *ssl_ca_filepath;

#if LWS_SINCE(20130222)
    /* The ciphers of TLS 1.2 in OpenSSL's notation; NULL: a server offers those alone that keep the
     * past secret, a client what OpenSSL does. Since 2013-02-22. */
    const char *ssl_cipher_list;
#endif

    /*
     * The group and user to become once the sockets are listening and all files have been read, for
     * good; -1 and 0 mean to stay who one is. Supplementary groups are given up wherever one of the
     * two is set. With uid alone the group stays what it is, so that a program started by root
     * keeps root's group; with gid alone root stays root, who can undo it: set both. Where they
     * cannot be become, supplementary groups would stay, or with uid set it could be undone,
     * creation fails.
     */
    int gid;
    int uid;

    unsigned int options; /* LWS_SERVER_OPTION_ bits */

    void *user; /* the program's own; see libwebsocket_context_user() */

    /*
     * TCP keepalive of all connections: seconds of silence before the first probe (0 for none),
     * probes before the connection is given up, and seconds between them.
     */
    int ka_time;
    int ka_probes;
    int ka_interval;
};

/*
 * What the documented struct has no room for. Clear it, set struct_size to sizeof(struct
 * lws_context_extras), fill in what you need: zero or NULL means the default everywhere. Strings
 * and arrays are read while the context is created and not afterwards. An addition.
 */
struct lws_context_extras {
    size_t struct_size;

    /* Where to put a sentence about why creation failed, and its size in bytes, NUL included. */
    char *error;
    size_t error_len;

    /*
     * A path for a Unix-domain socket to listen on as well. A socket that an earlier process left
     * there, on which nobody listens, is replaced; anything else there is an error. The library
     * removes it when the context is destroyed, if it is still allowed to: see uid.
     */
    const char *unix_path;

    /*
     * Stream sockets that are bound and listening already, to accept from as well: handed down by
     * a service manager, or bound to a free port by the program. They belong to the library from
     * the moment creation succeeds, and are closed with the context. Where it fails they are still
     * the caller's, but may have been made non-blocking and closed on exec.
     */
    const int *listen_fds;
    size_t listen_fd_count; /* at most 64 */

    int listen_backlog; /* of listen(2), for sockets the library opens; default SOMAXCONN */

    /* Connections at one time; default 65536. At the limit no more are accepted until one ends. */
    size_t max_connections;

    /*
     * Bytes written by the program, but not yet taken by the system, above which a connection's
     * libwebsocket_write() is refused with EAGAIN; default 1 MiB.
     */
    size_t max_backlog;

    /* Bytes of a message, all its fragments together; default 2^63 - 1. Beyond it: 1009. */
    uint64_t max_message_size;

    /*
     * Bytes kept of the head of a request, or of a server's answer to a client: default 8192, from
     * 256 to 2^24. Header fields in it: default 100, at most 65536. Beyond it: 431, or 414; for an
     * answer CLIENT_CONNECTION_ERROR.
     */
    size_t max_head_size;
    size_t max_header_fields;

    /* Bytes of a request's body, which is read and thrown away; default 1 MiB. Beyond it: 413. */
    uint64_t max_body_size;

    /*
     * Milliseconds. How long a request may take to arrive, head and body (default 10000; then
     * 408); how long an HTTP connection may be idle between requests (15000); how long a response
     * may go on without the client taking a byte (30000); how long a peer may take to answer a
     * close frame and hang up (5000), begun anew as it takes what is left to be sent. To take is
     * what the peer's system does, and it may be noticed late: who takes a byte at the beginning
     * of such a time and none after is given up at the end of the next.
     */
    unsigned int request_timeout_ms;
    unsigned int http_idle_timeout_ms;
    unsigned int http_stall_timeout_ms;
    unsigned int close_timeout_ms;

    /*
     * Milliseconds. Where ping_interval_ms is set, a WebSocket from which nothing was received for
     * so long is sent a ping, and closed with 1011 if nothing arrives for another ping_timeout_ms
     * (default: as long as the interval), begun anew as it takes what waits for it. Off by default.
     */
    unsigned int ping_interval_ms;
    unsigned int ping_timeout_ms;

    /*
     * Milliseconds. How long each stage of a client's way may take: finding the addresses of a name
     * (default 10000), reaching one of them (20000), the proxy's answer (10000), TLS (10000; of
     * connections that are accepted, too), and the server's answer to the handshake (10000).
     */
    unsigned int resolve_timeout_ms;
    unsigned int connect_timeout_ms;
    unsigned int proxy_timeout_ms;
    unsigned int tls_timeout_ms;
    unsigned int handshake_timeout_ms;

    /* The proxy of clients, as libwebsocket_set_proxy() has it; NULL for none. */
    const char *http_proxy;

    /* Nonzero: where http_proxy is NULL, the environment's variable of that name is used. It must
     * have the same form. */
    int http_proxy_from_environment;

    /*
     * Files in PEM form for clients, where they differ from the server's: authorities, the
     * certificate to show, and its key. NULL: see ssl_cert_filepath and ssl_ca_filepath above.
     */
    const char *client_ssl_ca_filepath;
    const char *client_ssl_cert_filepath;
    const char *client_ssl_private_key_filepath;

    /* What private keys are encrypted with; NULL: a key that is encrypted cannot be used. */
    const char *ssl_private_key_password;

    /*
     * Bytes of a message as extensions make it of what the peer sends: what is decompressed, above
     * all. Default max_message_size where that is set, else 64 MiB. It is checked while they work.
     * Beyond it: 1009.
     */
    uint64_t max_unpacked_size;

    /*
     * permessage-deflate, where info->extensions has it. How hard zlib tries (deflate_level, 1 to
     * 9, default 3), how much memory it takes for that (deflate_memory_level, 1 to 9, default 8),
     * and the bytes below which a message, or the first fragment of one, is not compressed
     * (deflate_threshold, default 256; 1: all are).
     */
    int deflate_level;
    int deflate_memory_level;
    size_t deflate_threshold;

    /*
     * Whether what messages had in common is remembered from one to the next: a set of enum
     * lws_deflate_takeover. Default: not, so that an idle connection costs no memory for it.
     */
    unsigned int deflate_takeover;

    /*
     * The most bits of the window that this side, and the other one, compress with: 8 to 15, for
     * 256 bytes to 32 KiB; default 15. A client that cannot be told is not agreed with where
     * deflate_receive_window_bits is below 15; a server that cannot uses 15.
     */
    int deflate_send_window_bits;
    int deflate_receive_window_bits;
};

/* What deflate_takeover is made of. An addition. */
enum lws_deflate_takeover {
    LWS_DEFLATE_TAKEOVER_SEND = 1,   /* of what is sent, unless the peer is against it */
    LWS_DEFLATE_TAKEOVER_RECEIVE = 2 /* of what is received, if the peer does it */
};

/*
 * Makes a context, opens its listening sockets, and drops privileges if asked to. Nothing is served
 * until an adapter is attached, or the program forwards readiness itself (lws_poll_fd.h).
 *
 *   info   what it is made from; only read, but for the two members of each protocol that the
 *          library fills in
 *
 * Returns the context, which belongs to the caller until libwebsocket_context_destroy(). Returns
 * NULL, with nothing left open and one log line that says what and why, where an argument does not
 * make sense, a socket cannot be bound, a file for TLS cannot be used, privileges cannot be dropped
 * or memory is short, and where a callback destroyed the context meanwhile. Calls back:
 * OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS and OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS where there is
 * such a file, ADD_POLL_FD, then PROTOCOL_INIT; where it fails after that, DEL_POLL_FD and
 * PROTOCOL_DESTROY too. May be called from any thread. In this form since 2013-02-09;
 * lws_older.h has those before.
 */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_context(
    struct lws_context_creation_info *info)
    LWS_LINK_LEVEL(libwebsocket_create_context, LWS_LEVEL_OF_CONTEXT);

/*
 * The same with what libwebsocket_create_context() has no room for.
 *
 *   extras   NULL for the defaults
 *
 * An addition.
 */
LWS_VISIBLE struct libwebsocket_context *lws_create_context(
    struct lws_context_creation_info *info, const struct lws_context_extras *extras)
    LWS_LINK_LEVEL(lws_create_context, LWS_LEVEL_OF_CONTEXT);
#endif

#if LWS_SINCE(20110119)
/*
 * Closes all connections, with close code 1001 where they are WebSockets, and frees the context.
 * Nothing is waited for: what the system does not take at once is lost. The host's loop is left as
 * it was.
 *
 *   context   NULL is harmless
 *
 * Inside a callback the context lives on until the outermost call into the library returns; what
 * is still to come to it is only what belongs to closing. Calls back: DEL_POLL_FD, CLOSED,
 * CLOSED_HTTP or CLIENT_CONNECTION_ERROR for each connection, then PROTOCOL_DESTROY; and a sink is
 * told POLL_DETACHED. Before them the functions run that lws_call_in_service() has taken.
 *
 * In a process that was forked after the context was made, and has not used it, it frees the copy:
 * nothing is sent, no callback comes but extensions' own, and a sink is only told POLL_DETACHED.
 * Where the process has used it, but another one was the last to serve, the connections are that
 * one's: they are closed without a word here and have no CLOSED, but DEL_POLL_FD and
 * PROTOCOL_DESTROY come. Since 2011-01-19.
 */
LWS_VISIBLE void libwebsocket_context_destroy(struct libwebsocket_context *context)
    LWS_LINK(libwebsocket_context_destroy);
#endif

#if LWS_SINCE(20121019)
/* The `user` that the context was made with; NULL for NULL. Since 2012-10-19. */
LWS_VISIBLE void *libwebsocket_context_user(struct libwebsocket_context *context)
    LWS_LINK(libwebsocket_context_user);
#endif

#if LWS_SINCE(20110219)
/*
 * Serves a descriptor that is ready: accepts, reads, writes, calls back. This is how a program that
 * polls by itself drives the engine; an adapter does it for the others.
 *
 *   pollfd   a descriptor and, in revents, what poll(2) said about it. If the descriptor is one of
 *            the engine's, revents is set to 0 before anything else happens, and the struct is not
 *            touched again, so that callbacks may move it. If it is not, it is left alone: hand in
 *            all of yours, and look at those whose revents are not 0 afterwards. NULL runs the
 *            deadlines that are due, which is never necessary. Inside a callback NULL runs none,
 *            and is what to call there before waiting with a loop of one's own: it sends what has
 *            been written, and has the descriptors named that tell of everything else.
 *
 * Returns 0, also where the connection has ended meanwhile; -1 where context is NULL, or in a
 * forked process where it cannot be adopted, with errno (see lws_adopt()). It never blocks, and
 * does a bounded amount of work; what is left has another descriptor ready. Calls back. Since
 * 2011-02-19.
 */
LWS_VISIBLE int libwebsocket_service_fd(struct libwebsocket_context *context, struct pollfd *pollfd)
    LWS_LINK(libwebsocket_service_fd);
#endif

#if LWS_SINCE(20110119)
/*
 * Waits for, and serves, whatever is ready, for programs without a loop of their own. It is part of
 * lwsloop-poll, and attaches that adapter if nothing else is attached.
 *
 *   timeout_ms   the longest to wait, in milliseconds: 0 not at all, negative for as long as it
 *                takes
 *
 * Returns 0, also when the time was up or a signal came; -1 with errno where context is NULL
 * (EINVAL), another adapter is attached (EBUSY), the context cannot be adopted in a forked process
 * (see lws_adopt()), or the system failed. Calls back. Since
 * 2011-01-19.
 */
LWS_VISIBLE int libwebsocket_service(struct libwebsocket_context *context, int timeout_ms)
    LWS_LINK(libwebsocket_service);
#endif

/*
 * Has a function called inside the engine, on the thread that serves the context: the way for other
 * threads to use it.
 *
 *   function   called once, in the order of the calls, from one of the next service calls; inside
 *              it everything is allowed that is allowed in a callback
 *   argument   given to it as it is
 *
 * Returns 0, and the function will be called; or is called, at the latest, when the context is
 * destroyed. Returns -1, and it will not be: where context or function is NULL (EINVAL), the
 * context is already being destroyed (ECANCELED), the process was forked and has not adopted the
 * context (EPIPE; see lws_adopt()), or memory is short (ENOMEM). May be called from
 * any thread, as long as the context is sure to exist during the call; not from a signal handler.
 * An addition.
 */
LWS_VISIBLE int lws_call_in_service(struct libwebsocket_context *context,
    void (*function)(struct libwebsocket_context *context, void *argument), void *argument)
    LWS_LINK(lws_call_in_service);

/*
 * Has the service call that is going on, or the next one, return without waiting any longer: for
 * other threads that want libwebsocket_service(context, -1) to come back to its loop. It is
 * lws_call_in_service() with a function that does nothing.
 *
 *   context   NULL is harmless
 *
 * What can go wrong there is a line in the log here. May be called from any thread, as long as the
 * context is sure to exist during the call; not from a signal handler. An addition, from the API of
 * 2013-10-26.
 */
LWS_VISIBLE void libwebsocket_cancel_service(struct libwebsocket_context *context)
    LWS_LINK(libwebsocket_cancel_service);

/*
 * A context in processes that were forked after it was made.
 *
 * Each process has a copy of it, and any of them may serve: the one whose service call was the last
 * owns the connections. To use a copy for anything but libwebsockets_broadcast() and
 * libwebsocket_context_destroy() is to adopt it, which happens by itself as the first such call
 * begins: the engine's own descriptors are replaced, under the same numbers, so that the processes
 * do not take each other's wake-ups and timers; a sink is told POLL_FORKED, and protocols[0] DEL
 * where there is none, or the poll adapter's; then ADD comes for each descriptor. Look-ups of names
 * that were going on fail here and go on there. Functions given to lws_call_in_service() before the
 * fork are called in each process that serves.
 *
 * After a fork only one of the processes uses the connections that there are. Another one may end,
 * or destroy its copy, at any time: nothing is sent on them then, and their peers do not notice. A
 * program that keeps an epoll(7) descriptor of its own over the fork makes a new one before it
 * goes on, because the two processes share the old one.
 *
 * lws_adopt() says beforehand whether adopting works. Returns 0, at once where there is nothing to
 * do. Returns -1 with errno, and it may be tried again: where context is NULL, or from inside one
 * of the four POLL_FD callbacks (EINVAL); where the loop that the context is attached to is shared
 * with the other process (EBUSY), which is so with libuv and libevent: attach it to a loop that was
 * made after the fork, which adopts as well; where it was renounced, or is being destroyed (EPIPE);
 * or where descriptors or memory are short. All other functions fail as they do for misuse where
 * adopting fails, with that errno. Calls back: only the four, or the sink. An addition.
 */
LWS_VISIBLE int lws_adopt(struct libwebsocket_context *context) LWS_LINK(lws_adopt);

/*
 * Lets go of a copy of a context, for a process that will only broadcast while another one serves:
 * its listening sockets, connections and descriptors are closed here, without a word to their
 * peers, and live on in the other process alone. So that where the other one ends, nothing of the
 * context is left but what says so to libwebsockets_broadcast().
 *
 * Afterwards libwebsockets_broadcast() and libwebsocket_context_destroy() are all that works; where
 * other functions would need the context, they fail with EPIPE. What session memories point to is
 * not freed, because CLOSED does not come. Where the process had adopted the context, or made it,
 * the functions run first that lws_call_in_service() has taken, and DEL_POLL_FD comes for each
 * descriptor; a sink is told POLL_DETACHED. Other threads must not be using the context.
 *
 * Returns 0, also where one of those functions has destroyed the context; -1 with EINVAL where
 * context is NULL, is being destroyed, or it is called from inside a callback. An addition.
 */
LWS_VISIBLE int lws_renounce(struct libwebsocket_context *context) LWS_LINK(lws_renounce);

#if LWS_SINCE(20110119)
/*
 * The name of this host, as the system has it, for use as a client's `host`. It belongs to the
 * context. No name service is asked. NULL for NULL. Since 2011-01-19.
 */
LWS_VISIBLE const char *libwebsocket_canonical_hostname(struct libwebsocket_context *context)
    LWS_LINK(libwebsocket_canonical_hostname);
#endif

#if LWS_SINCE(20110119)
/*
 * Asks for a WRITEABLE callback for every established connection of a protocol, as if
 * libwebsocket_callback_on_writable() were called for each in the next service call.
 *
 *   protocol   an element of the array that a context was made with
 *
 * Returns 0; -1 where protocol is NULL or belongs to no context, or the context was renounced. May
 * be called from any thread and from a signal handler, as long as the context is sure to exist
 * during the call; a handler may also interrupt libwebsocket_context_destroy() and lws_renounce().
 * Since 2011-01-19.
 */
LWS_VISIBLE int libwebsocket_callback_on_writable_all_protocol(
    const struct libwebsocket_protocols *protocol)
    LWS_LINK_LEVEL(libwebsocket_callback_on_writable_all_protocol, LWS_LEVEL_OF_PROTOCOLS);
#endif

#if LWS_SINCE(20130316)
/*
 * Lets all connections of a protocol receive again: libwebsocket_rx_flow_control(wsi, 1) for each.
 *
 *   protocol   an element of the array that a context was made with; NULL is harmless
 *
 * Since 2013-03-16.
 */
LWS_VISIBLE void libwebsocket_rx_flow_allow_all_protocol(
    const struct libwebsocket_protocols *protocol)
    LWS_LINK_LEVEL(libwebsocket_rx_flow_allow_all_protocol, LWS_LEVEL_OF_PROTOCOLS);
#endif

/*
 * Calls back with BROADCAST for every established server connection of a protocol, so that each can
 * be sent the same: at once where it is called on the thread that serves the context, otherwise,
 * from other threads and from processes forked after the context was made, when that is next
 * served. The broadcasts of one sender come in their order and whole, whatever becomes of the
 * sender; those of several are never mixed.
 *
 *   protocol   an element of the array that a context was made with
 *   buf        len bytes, 0 to 16 MiB; NULL only where len is 0. Inside a callback
 *              LWS_SEND_BUFFER_PRE_PADDING bytes before them and LWS_SEND_BUFFER_POST_PADDING
 *              behind them must be writable, because the callbacks may write from there.
 *
 * Returns 0, also where there is nobody to be called about. Returns -1 with errno:
 *
 *   EINVAL      protocol is NULL or belongs to no context, or buf is NULL; or it is called from
 *               inside one of the four POLL_FD callbacks
 *   EMSGSIZE    len is more than 16 MiB
 *   what else the system said as the context was made and could not have any from other processes
 *               and threads, which the log was told then
 *   EPIPE       the process that served the context is gone
 *   ETIMEDOUT   nothing at all has been taken of what senders had to say for 30 seconds
 *   ECANCELED   the context is being destroyed
 *   ENOMEM, EMFILE, ENFILE, EFBIG, ETOOMANYREFS
 *               the system's limits; EFBIG is that of the size of files
 *
 * From another process or thread it waits while the serving one has not taken what was sent before:
 * at most about four messages of 63 KiB or more are under way, and more of smaller ones, up to some
 * 300 of the smallest. 0 says there that the message is under way, not that it has arrived: a
 * service process that ends takes those with it that it had not taken, and one that is short of
 * memory, or of a descriptor for what is larger than 63 KiB, drops them with a log line. A thread
 * that waits does so for up to 30 seconds where the serving one has stopped to serve, so join it
 * before that. A connection on which more than max_backlog waits to be sent refuses further writes,
 * and misses what is broadcast meanwhile, unless the program keeps it.
 *
 * Where several processes serve copies of a context, one of them has each broadcast, and it comes
 * to the connections of that one.
 *
 * Calls back on the serving thread. May be called from any thread, as long as the context is sure
 * to exist during the call; not from a signal handler. Since 2010-12-18; the documents of
 * 2013-03-16 and later are without it.
 */
LWS_VISIBLE int libwebsockets_broadcast(const struct libwebsocket_protocols *protocol,
    unsigned char *buf, size_t len) LWS_LINK_LEVEL(libwebsockets_broadcast, LWS_LEVEL_OF_PROTOCOLS);

LWS_END_DECLARATIONS

#endif
