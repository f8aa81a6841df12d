/* Making, serving and destroying a context. Included by libwebsockets.h. */
#ifndef LWSLOOP_LWS_CONTEXT_H
#define LWSLOOP_LWS_CONTEXT_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "lws_link.h"
#include "lws_protocol.h"

LWS_BEGIN_DECLARATIONS

/* The port that means "do not listen". Since 2011-02-12. */
#define CONTEXT_PORT_NO_LISTEN 0

/* Bits of lws_context_creation_info.options. Since 2011-02-21; unknown bits are ignored. */
enum libwebsocket_context_options {
    /* Clients send frames with a mask of zeros, which servers accept and proxies may be fooled by;
     * for tests. */
    LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK = 1,
    /* Clients that connect by TLS must have a certificate of an authority in ssl_ca_filepath. */
    LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT = 2,
    /* libwebsocket_canonical_hostname() does not ask the system and says "localhost". */
    LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME = 4,
    /* Where the server has TLS: clients that do not begin with a TLS handshake are served without
     * it, on the same port. Since 2014-07-06. */
    LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT = 8
};

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
     * used, or a numeric IPv4 or IPv6 address. Before 2013-02-11 the member was `interface`.
     */
    const char *iface;

    struct libwebsocket_protocols *protocols;

    /*
     * The extensions that the context supports, as lws_extension.h has it, or NULL for none. Must
     * be NULL where the library was built with --without-extensions. Since 2011-03-05.
     */
    struct libwebsocket_extension *extensions;

    /*
     * Files in PEM form; docs/tls.md tells more. The first two make a TLS server of the context:
     * its certificate, with those of the authorities between it and the root behind it, and the
     * private key. All TCP connections that it accepts are encrypted then, those by Unix-domain
     * sockets never. Where the context does not listen they are what its clients show if the
     * server asks for a certificate. Both are set, or both NULL.
     */
    const char *ssl_cert_filepath;
    const char *ssl_private_key_filepath;

    /*
     * Certificates of authorities, that of the root included: those that the certificates of
     * clients must come from (NULL: none, but for what OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS
     * adds), and those that the certificates of servers must come from (NULL: the system's).
     */
    const char *ssl_ca_filepath;

    /* The ciphers of TLS 1.2 in OpenSSL's notation; NULL: a server offers those alone that keep the
     * past secret, a client what OpenSSL does. Since 2013-02-22. */
    const char *ssl_cipher_list;

    /*
     * The group and user to become once the sockets are listening, for good, supplementary groups
     * included; -1 and 0 mean to stay who one is.
     */
    int gid;
    int uid;

    unsigned int options; /* LWS_SERVER_OPTION_ bits */

    void *user; /* the program's own; see libwebsocket_context_user() */

    /*
     * TCP keepalive of all connections: seconds of silence before the first probe (0 for none),
     * probes before the connection is given up, and seconds between them. Since 2013-02-09.
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
     * close frame and hang up (5000), begun anew as it takes what is left to be sent.
     */
    unsigned int request_timeout_ms;
    unsigned int http_idle_timeout_ms;
    unsigned int http_stall_timeout_ms;
    unsigned int close_timeout_ms;

    /*
     * Milliseconds. Where ping_interval_ms is set, a WebSocket from which nothing was received for
     * so long is sent a ping, and closed with 1011 if nothing arrives for another ping_timeout_ms
     * (default: as long as the interval). Off by default.
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
 * PROTOCOL_DESTROY too. May be called from any thread. Since 2011-01-22; in this form since
 * 2013-02-09.
 */
LWS_VISIBLE struct libwebsocket_context *libwebsocket_create_context(
    struct lws_context_creation_info *info) LWS_LINK_LEVEL(libwebsocket_create_context, 20130316);

/*
 * The same with what libwebsocket_create_context() has no room for.
 *
 *   extras   NULL for the defaults
 *
 * An addition.
 */
LWS_VISIBLE struct libwebsocket_context *lws_create_context(struct lws_context_creation_info *info,
    const struct lws_context_extras *extras) LWS_LINK_LEVEL(lws_create_context, 20130316);

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
 * told POLL_DETACHED. Since 2011-02-12.
 */
LWS_VISIBLE void libwebsocket_context_destroy(struct libwebsocket_context *context)
    LWS_LINK(libwebsocket_context_destroy);

/* The `user` of the struct the context was made from; NULL for NULL. Since 2012-10-19. */
LWS_VISIBLE void *libwebsocket_context_user(struct libwebsocket_context *context)
    LWS_LINK(libwebsocket_context_user);

/*
 * Serves a descriptor that is ready: accepts, reads, writes, calls back. This is how a program that
 * polls by itself drives the engine; an adapter does it for the others.
 *
 *   pollfd   a descriptor and, in revents, what poll(2) said about it. If the descriptor is one of
 *            the engine's, revents is set to 0 before anything else happens, and the struct is not
 *            touched again, so that callbacks may move it. If it is not, it is left alone: hand in
 *            all of yours, and look at those whose revents are not 0 afterwards. NULL runs the
 *            deadlines that are due, which is never necessary.
 *
 * Returns 0, also where the connection has ended meanwhile; -1 where context is NULL. It never
 * blocks, and does a bounded amount of work; what is left has another descriptor ready. Calls back.
 * Since 2011-02-21.
 */
LWS_VISIBLE int libwebsocket_service_fd(struct libwebsocket_context *context, struct pollfd *pollfd)
    LWS_LINK(libwebsocket_service_fd);

/*
 * Waits for, and serves, whatever is ready, for programs without a loop of their own. It is part of
 * lwsloop-poll, and attaches that adapter if nothing else is attached.
 *
 *   timeout_ms   the longest to wait, in milliseconds: 0 not at all, negative for as long as it
 *                takes
 *
 * Returns 0, also when the time was up or a signal came; -1 with errno where context is NULL
 * (EINVAL), another adapter is attached (EBUSY), or the system failed. Calls back. Since
 * 2011-02-12.
 */
LWS_VISIBLE int libwebsocket_service(struct libwebsocket_context *context, int timeout_ms)
    LWS_LINK(libwebsocket_service);

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
 * context is already being destroyed (ECANCELED) or memory is short (ENOMEM). May be called from
 * any thread, as long as the context is sure to exist during the call; not from a signal handler.
 * An addition.
 */
LWS_VISIBLE int lws_call_in_service(struct libwebsocket_context *context,
    void (*function)(struct libwebsocket_context *context, void *argument), void *argument)
    LWS_LINK(lws_call_in_service);

/*
 * The name of this host, as the system has it, for use as a client's `host`. It belongs to the
 * context. No name service is asked. NULL for NULL. Since 2011-02-12.
 */
LWS_VISIBLE const char *libwebsocket_canonical_hostname(struct libwebsocket_context *context)
    LWS_LINK(libwebsocket_canonical_hostname);

/*
 * Asks for a WRITEABLE callback for every established connection of a protocol, as if
 * libwebsocket_callback_on_writable() were called for each in the next service call.
 *
 *   protocol   an element of the array that a context was made with
 *
 * Returns 0; -1 where protocol is NULL or belongs to no context. May be called from any thread and
 * from a signal handler, as long as the context is sure to exist during the call. Since 2011-02-12.
 */
LWS_VISIBLE int libwebsocket_callback_on_writable_all_protocol(
    const struct libwebsocket_protocols *protocol)
    LWS_LINK_LEVEL(libwebsocket_callback_on_writable_all_protocol, 20130316);

/*
 * Lets all connections of a protocol receive again: libwebsocket_rx_flow_control(wsi, 1) for each.
 *
 *   protocol   an element of the array that a context was made with; NULL is harmless
 *
 * Since 2013-10-26.
 */
LWS_VISIBLE void libwebsocket_rx_flow_allow_all_protocol(
    const struct libwebsocket_protocols *protocol)
    LWS_LINK_LEVEL(libwebsocket_rx_flow_allow_all_protocol, 20130316);

LWS_END_DECLARATIONS

#endif
