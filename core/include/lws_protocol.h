/* The callback, its reasons, and the protocols of a context. Included by libwebsockets.h. */
#ifndef LWSLOOP_LWS_PROTOCOL_H
#define LWSLOOP_LWS_PROTOCOL_H

#include <stddef.h>

#include "lws_link.h"

LWS_BEGIN_DECLARATIONS

/* One set of protocols, limits and listening sockets, and all connections made with them. */
struct libwebsocket_context;

/*
 * One connection, or one of the engine's own descriptors. It is valid from the first callback
 * that names it, or the call that made it, until the last callback (CLOSED, CLOSED_HTTP,
 * CLIENT_CONNECTION_ERROR or DEL_POLL_FD, whichever comes last) has returned.
 */
struct libwebsocket;

/*
 * Why the callback is called. A level has the reasons of its day and is called back for no others;
 * where something happens that only a later one tells of, an earlier one may come in its place, as
 * docs/migrating.md lists it. The comments give what `user`, `in` and `len` hold and what the
 * return value does; where they say nothing, `user` is the connection's session memory (NULL where
 * per_session_data_size is 0), `in` is NULL, `len` is 0, and the return value is ignored. Handle
 * what you need and return 0 for the rest.
 *
 * "Closes": the connection is closed in good order, which for a WebSocket means with a close frame
 * (see lws_close_reason()); no data and no WRITEABLE callback comes after it, only CLOSED.
 *
 * What return values do, and which arguments hold what, is said for the newest level. Before
 * 2013-02-14 what RECEIVE, CLIENT_RECEIVE, CLIENT_RECEIVE_PONG and the two WRITEABLE return is
 * ignored, and before 2013-01-15 what HTTP does.
 */
enum libwebsocket_callback_reasons {
    /* A client's handshake was accepted; the session memory is all zero. Since 2010-12-18. */
    LWS_CALLBACK_ESTABLISHED = 0,

#if LWS_SINCE(20120420)
    /*
     * What libwebsocket_client_connect() began has failed, and the connection is over. `in` is the
     * reason, NUL-terminated and `len` bytes long (an addition): a few words such as "connection
     * refused", "host not found", "certificate: hostname mismatch", "server answered 403". `user`
     * is what the caller gave; else NULL, or the session memory that CLIENT_FILTER_PRE_ESTABLISH
     * has had, which is freed when it returns. Since 2012-04-20; before, CLOSED comes in its place.
     */
    LWS_CALLBACK_CLIENT_CONNECTION_ERROR = 1,
#endif

#if LWS_SINCE(20130209)
    /*
     * A server has accepted a client's handshake, and its answer may be looked at with
     * lws_hdr_copy() for the last time. Comes to the protocol that the server chose, with the
     * session memory in `user`. A nonzero return rejects: CLIENT_CONNECTION_ERROR follows. Since
     * 2013-02-09.
     */
    LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH = 2,
#endif

#if LWS_SINCE(20110119)
    /* A client's connection is a WebSocket now; the session memory, unless the caller gave it, is
     * as CLIENT_FILTER_PRE_ESTABLISH left it, else all zero. Since 2011-01-19. */
    LWS_CALLBACK_CLIENT_ESTABLISHED = 3,
#endif

    /*
     * The WebSocket is over. Comes exactly once for each ESTABLISHED and CLIENT_ESTABLISHED,
     * whatever ended it, after the descriptor's DEL_POLL_FD and before the descriptor is closed.
     * lws_get_close() tells what the peer said. The session memory is freed when it returns, unless
     * it is the caller's. Since 2010-12-18.
     */
    LWS_CALLBACK_CLOSED = 4,

#if LWS_SINCE(20130316)
    /*
     * A connection that had an HTTP callback is over as an HTTP connection: it was closed, or is
     * about to become a WebSocket. Comes exactly once for it. `user` is protocols[0]'s session
     * memory, freed when it returns. Since 2013-03-16.
     */
    LWS_CALLBACK_CLOSED_HTTP = 5,
#endif

    /*
     * `len` bytes of a message from a client are at `in`: a whole frame, or where the frame is
     * larger than the protocol's rx_buffer_size, a piece of it.
     * libwebsockets_remaining_packet_payload() and libwebsocket_is_final_fragment() tell what is
     * still to come, lws_frame_is_binary() the kind. An empty piece comes only for an empty message
     * or the empty end of one. The bytes belong to the library and are valid until the callback
     * returns; they may be changed, are followed by a NUL that is not counted, and have
     * LWS_SEND_BUFFER_PRE_PADDING before and LWS_SEND_BUFFER_POST_PADDING behind them, so that they
     * can be given to libwebsocket_write() as they are. Text is valid UTF-8 so far. A negative
     * return closes. Since 2010-12-18.
     */
    LWS_CALLBACK_RECEIVE = 6,

#if LWS_SINCE(20110119)
    /* What RECEIVE is, for a message from a server. A nonzero return closes. Since 2011-01-19. */
    LWS_CALLBACK_CLIENT_RECEIVE = 7,

    /* A server's pong has come; its payload of `len` bytes, at most 125, is at `in`, until the
     * callback returns. Since 2011-01-19. */
    LWS_CALLBACK_CLIENT_RECEIVE_PONG = 8,

    /* What SERVER_WRITEABLE is, on a client's connection; before 2011-03-07 on a server's too. A
     * nonzero return closes. Since 2011-01-19. */
    LWS_CALLBACK_CLIENT_WRITEABLE = 9,
#endif

#if LWS_SINCE(20110307)
    /*
     * Asked for with libwebsocket_callback_on_writable(): all that was written has been taken by
     * the system, and it is a good time to write more. A nonzero return closes. Since 2011-03-07.
     */
    LWS_CALLBACK_SERVER_WRITEABLE = 10,
#endif

    /*
     * A client sent a GET or HEAD request. Comes to protocols[0], with its session memory in
     * `user`, the same for all requests of the connection. `in` is the path, NUL-terminated and
     * `len` bytes long: decoded, without dot segments, always with a leading slash, and followed by
     * '?' and the query as it was sent, if there is one. It is valid until the callback returns,
     * and so are the header fields (lws_hdr_copy()). Answer with libwebsockets_serve_http_file(),
     * or with libwebsocket_write() and LWS_WRITE_HTTP, now or later. A nonzero return closes, after
     * what was written has been sent. Since 2010-12-18.
     */
    LWS_CALLBACK_HTTP = 11,

#if LWS_SINCE(20130115)
    /*
     * The file given to libwebsockets_serve_http_file(), or the 304, 412 or 416 in its place, has
     * been sent. A nonzero return closes; otherwise the connection goes on with the next request,
     * if the client asked for that. Before 2013-02-14 `in` is the path that was given, and `len`
     * how far into the file it was sent. Since 2013-01-15.
     */
    LWS_CALLBACK_HTTP_FILE_COMPLETION = 12,
#endif

#if LWS_SINCE(20130316)
    /*
     * What SERVER_WRITEABLE is, on a connection whose request the program is answering. A negative
     * return closes. Since 2013-03-16; before, SERVER_WRITEABLE comes in its place.
     */
    LWS_CALLBACK_HTTP_WRITEABLE = 13,
#endif

#if LWS_SINCE(20110219)
    /*
     * A connection was accepted and nothing has been read from it. Comes to protocols[0]; `wsi` is
     * the listening socket's, `user` is NULL, and `in` is the new descriptor, cast to a pointer. A
     * nonzero return hangs up. Since 2011-02-19; before 2013-02-15 the descriptor is in `user`, and
     * `in` is NULL.
     */
    LWS_CALLBACK_FILTER_NETWORK_CONNECTION = 14,

    /*
     * A client's handshake is good and no answer has been sent. Comes to the protocol that was
     * chosen. `user` is an array of struct lws_tokens, indexed by enum lws_token_indexes, whose
     * strings may be read until the callback returns (token is NULL where the client did not send
     * the field); `in` is the protocol's name, which may be NULL. A nonzero return refuses with
     * 403. Since 2011-02-19.
     */
    LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION = 15,

    /*
     * OpenSSL's settings for clients, or for the server, are being made: a chance to add
     * authorities to those in the files. Come to protocols[0], from create and lws_tls_reload(),
     * and for clients where no files were given from the service call in which the first of them
     * begins TLS. `wsi` is NULL, `user` is the SSL_CTX, which stays the library's. Since
     * 2011-02-19.
     */
    LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS = 16,
    LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS = 17,

    /*
     * A client's certificate is being verified, once for each certificate on the way from an
     * authority to it, where LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT asked for that.
     * Comes to protocols[0] from inside OpenSSL: `context` and `wsi` are NULL, `user` is the
     * X509_STORE_CTX, `in` the SSL, and `len` is 1 where OpenSSL finds the certificate good and 0
     * where not. A nonzero return refuses it. 0 leaves OpenSSL's verdict as it is; to accept what
     * OpenSSL has refused, the callback also sets X509_V_OK with X509_STORE_CTX_set_error().
     * Functions of this library must not be called from it. Since 2011-02-19.
     */
    LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION = 18,
#endif

#if LWS_SINCE(20110305)
    /*
     * A client's handshake is being written. Comes to protocols[0]; `user` is NULL, or what the
     * caller gave or libwebsocket_ensure_user_space() has made, `in` is a char ** that points to
     * where the next header line may be put, and `len` is the room there in bytes. Write whole
     * lines, each with CRLF at its end, and move the pointer behind them. Lines that do not have
     * this form fail the connection. Since 2011-03-05.
     */
    LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER = 19,

    /*
     * A server is about to accept an extension that a client has offered; or a client is about to
     * offer one, or several alternatives of it. Come to protocols[0]; `in` is the extension's name,
     * `len` is 0. `user` is the session memory the WebSocket will have, all zero; for a client
     * what the caller gave, or NULL. A nonzero return leaves the extension out. Since 2011-03-05.
     */
    LWS_CALLBACK_CONFIRM_EXTENSION_OKAY = 20,
    LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED = 21,
#endif

#if LWS_SINCE(20130209)
    /*
     * Once for each protocol, before libwebsocket_create_context() returns, and once as the last
     * callback to it while the context is destroyed. `wsi` and `user` are NULL. Since 2013-02-09.
     */
    LWS_CALLBACK_PROTOCOL_INIT = 22,
    LWS_CALLBACK_PROTOCOL_DESTROY = 23,
#endif

    /*
     * The four by which a program polls for the engine; lws_poll_fd.h has the contract. They come
     * to protocols[0] while no sink is set with lws_set_poll_fd_callback(). `in` is the descriptor,
     * cast to a pointer; `len` is a set of poll(2)'s event bits: the events to wait for in ADD,
     * those to OR in for SET_MODE, those to AND out for CLEAR_MODE, 0 for DEL. `wsi` is never NULL.
     * `user` is the session memory, or NULL where there is none. Since 2011-02-19, before which
     * they are only there for sinks; before 2013-02-15 the descriptor is in `user`, and `in` is
     * NULL.
     */
    LWS_CALLBACK_ADD_POLL_FD = 24,
    LWS_CALLBACK_DEL_POLL_FD = 25,
    LWS_CALLBACK_SET_MODE_POLL_FD = 26,
    LWS_CALLBACK_CLEAR_MODE_POLL_FD = 27,

    /* Comes only to a sink, as its last call; see lws_set_poll_fd_callback(). An addition. */
    LWS_CALLBACK_POLL_DETACHED = 1000,

    /*
     * Somebody has called libwebsockets_broadcast() for the protocol. Comes once for each of its
     * established server connections; `in` has `len` bytes, with padding around them as in RECEIVE,
     * which may be written as they are. Since 2010-12-18; the documents of 2013-03-16 and later are
     * without it.
     */
    LWS_CALLBACK_BROADCAST = 1001,

    /* Comes only to a sink, in a process that was forked and begins to use the context; see
     * lws_poll_fd.h. An addition. */
    LWS_CALLBACK_POLL_FORKED = 1002
};

/*
 * What a program gives the library to call: one for each protocol.
 *
 *   context   the context; NULL only where a reason says so
 *   wsi       the connection; NULL where a reason is about none
 *   reason    why; decides about the other arguments
 *   user      as a rule the connection's session memory
 *   in, len   as the reason says
 *
 * It is called on the thread that called into the library, and only from inside the functions that
 * say they call back. Its return value is used as the reason says. Since 2010-12-18; before
 * 2011-02-14 without `context`, and before 2011-03-05 without a name for its type.
 */
#if LWS_SINCE(20110305)
typedef int(callback_function)(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len);
#endif

/*
 * A protocol that the program speaks. A context is given an array of them that ends with an element
 * whose callback is NULL, and has at most 1023 others. The array must live until the context is
 * destroyed. The members before owning_server are the program's to fill, and are read only while
 * the context is created. Since 2010-12-18, with the members that each day had.
 */
struct libwebsocket_protocols {
    /*
     * The subprotocol's name, as a client asks for it. NULL in the protocol for clients that ask
     * for none; where no element has NULL they get the first.
     */
    const char *name;

#if LWS_SINCE(20110305)
    callback_function *callback;
#elif LWS_SINCE(20110214)
    int (*callback)(struct libwebsocket_context *context, struct libwebsocket *wsi,
        enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len);
#else
    int (*callback)(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *user,
        void *in, size_t len);
#endif

    /* Bytes of zeroed memory for each connection, given as `user`; 0 for none. */
    size_t per_session_data_size;

#if LWS_SINCE(20130206)
    /*
     * The most bytes that one RECEIVE brings: frames up to this size come whole, larger ones in
     * pieces of exactly this size and a last one. 0 means 4096, which is the size before
     * 2013-02-06; the most is 2^30.
     */
    size_t rx_buffer_size;
#endif

#if LWS_SINCE(20131017)
    /* Makes no difference: a write is always taken whole or not at all. */
    int no_buffer_all_partial_tx;
#endif

    /* Filled in by the library: the context that uses the array, and the element's place in it. */
    struct libwebsocket_context *owning_server;
#if LWS_BEFORE(20130131)
    /* Not used, and left as they are: broadcasts need no port. */
    int broadcast_socket_port;
    int broadcast_socket_user_fd;
#endif
    int protocol_index;
};

#if LWS_SINCE(20110219)
/* A piece of text: `token` is NULL where there is none, else NUL-terminated. Since 2011-02-19. */
struct lws_tokens {
    char *token;
    int token_len; /* bytes, without the NUL */
};
#endif

struct libwebsocket_extension;

LWS_END_DECLARATIONS

#endif
