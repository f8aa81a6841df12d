/* What can be done with one connection. Included by libwebsockets.h. */
#ifndef LWSLOOP_LWS_CONNECTION_H
#define LWSLOOP_LWS_CONNECTION_H

#include <stddef.h>

#include "lws_link.h"
#include "lws_protocol.h"

LWS_BEGIN_DECLARATIONS

/*
 * Bytes that must be writable before and behind the payload given to libwebsocket_write(), for the
 * frame's header and for what an extension may add. The same at every level. Since 2010-12-18.
 */
#define MAX_MUX_RECURSION 2
#define LWS_SEND_BUFFER_PRE_PADDING (4 + 10 + (2 * MAX_MUX_RECURSION))
#define LWS_SEND_BUFFER_POST_PADDING 4

/* What is written. Since 2010-12-18; all but the first two and HTTP since 2011-01-19, CONTINUATION
 * since 2011-03-05. */
enum libwebsocket_write_protocol {
    LWS_WRITE_TEXT = 0,
    LWS_WRITE_BINARY = 1,
#if LWS_SINCE(20110305)
    LWS_WRITE_CONTINUATION = 2, /* the next fragment of a message begun with NO_FIN */
#endif
    LWS_WRITE_HTTP = 3, /* bytes of an HTTP response, sent as they are */
#if LWS_SINCE(20110119)
    LWS_WRITE_CLOSE = 4, /* a close frame; the payload is a code and a reason, or empty */
    LWS_WRITE_PING = 5,
    LWS_WRITE_PONG = 6,

    LWS_WRITE_NO_FIN = 0x40, /* ORed with the first three: more fragments follow */
    /* ORed with any but CLOSE: a client's frame has a mask of zeros. Ignored by servers. */
    LWS_WRITE_CLIENT_IGNORE_XOR_MASK = 0x80,
#endif

    /* ORed with TEXT or BINARY: permessage-deflate leaves the message as it is. An addition. */
    LWS_WRITE_UNCOMPRESSED = 0x20
};

#if LWS_SINCE(20110226)
/* Codes for close frames (RFC 6455 section 7.4.1). Since 2011-02-26. */
enum lws_close_status {
    LWS_CLOSE_STATUS_NOSTATUS = 0,
    LWS_CLOSE_STATUS_NORMAL = 1000,
    LWS_CLOSE_STATUS_GOINGAWAY = 1001,
    LWS_CLOSE_STATUS_PROTOCOL_ERR = 1002,
    LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE = 1003,
#if LWS_SINCE(20130109)
    /* Since 2013-01-09. */
    LWS_CLOSE_STATUS_RESERVED = 1004,
    LWS_CLOSE_STATUS_NO_STATUS = 1005,
    LWS_CLOSE_STATUS_ABNORMAL_CLOSE = 1006,
    LWS_CLOSE_STATUS_INVALID_PAYLOAD = 1007,
    LWS_CLOSE_STATUS_POLICY_VIOLATION = 1008,
    LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE = 1009,
    LWS_CLOSE_STATUS_EXTENSION_REQUIRED = 1010,
    LWS_CLOSE_STATUS_UNEXPECTED_CONDITION = 1011,
    LWS_CLOSE_STATUS_TLS_FAILURE = 1015
#else
    /* Until 2013-01-08. The number is the one that RFC 6455 gave it. */
    LWS_CLOSE_STATUS_PAYLOAD_TOO_LARGE = 1009
#endif
};
#endif

#if LWS_SINCE(20110219)
/* What a deadline set by libwebsocket_set_timeout() is about. Since 2011-02-19. */
enum pending_timeout {
    NO_PENDING_TIMEOUT = 0,
    PENDING_TIMEOUT_AWAITING_PROXY_RESPONSE = 1,
    PENDING_TIMEOUT_AWAITING_CONNECT_RESPONSE = 2,
    PENDING_TIMEOUT_ESTABLISH_WITH_SERVER = 3,
    PENDING_TIMEOUT_AWAITING_SERVER_RESPONSE = 4,
    PENDING_TIMEOUT_AWAITING_PING = 5,
    PENDING_TIMEOUT_CLOSE_ACK = 6,
    PENDING_TIMEOUT_AWAITING_EXTENSION_CONNECT_RESPONSE = 7,
    PENDING_TIMEOUT_SENT_CLIENT_HANDSHAKE = 8,
    PENDING_TIMEOUT_SSL_ACCEPT = 9
};
#endif

#if LWS_SINCE(20130223)
/*
 * Sends a frame, or with LWS_WRITE_HTTP bytes of a response.
 *
 *   buf        the payload. For a frame, LWS_SEND_BUFFER_PRE_PADDING bytes before it and
 *              LWS_SEND_BUFFER_POST_PADDING behind it must be writable and are used; the payload
 *              itself is not changed, or for a client, which masks it there, put back to what it
 *              was. Nothing is needed around it for LWS_WRITE_HTTP, and nothing
 *              is kept in any case. NULL is allowed where len is 0 and LWS_WRITE_HTTP is not meant.
 *   len        its length in bytes: at most 125 for CLOSE, PING and PONG
 *   protocol   what it is. With LWS_WRITE_CLOSE the connection begins to close.
 *
 * Written inside a callback, it leaves together with whatever else is written when the outermost
 * call into the library returns, or earlier where much is written; otherwise at once. What the
 * system does not take is kept and sent later. A frame is taken whole or not at all.
 *
 * Returns len where it was taken. Returns -1 with errno set where it was not:
 *
 *   EAGAIN   more than max_backlog bytes wait; ask for WRITEABLE and write again. The connection is
 *            as it was. A close frame is taken all the same.
 *
 *   EBUSY    the call comes from an extension that is working on what is sent
 *
 *   EINVAL   misuse, the connection is as it was: no wsi, no buf, more than 2^31 - 1 bytes, a
 *            payload that a control frame cannot carry, a continuation of nothing, a new message
 *            inside another, HTTP on a WebSocket or a frame on what is none
 *
 *   EPIPE    the connection is closing or has ended; nothing more can be sent
 *
 *   ENOMEM   memory is short; the connection is closed
 *
 * Anything else is the system's error, and the connection is closed. Text is sent as it is: that it
 * is UTF-8 is the program's business. Since 2010-12-18; before 2013-02-23 it returns 0 where the
 * bytes were taken (lws_older.h).
 */
LWS_VISIBLE int libwebsocket_write(struct libwebsocket *wsi, unsigned char *buf, size_t len,
    enum libwebsocket_write_protocol protocol) LWS_LINK(libwebsocket_write);
#endif

#if LWS_SINCE(20110214)
/*
 * Asks for one WRITEABLE callback (HTTP_WRITEABLE on a connection that is no WebSocket) when all
 * that was written has been taken by the system. Where it already has, it comes before the present
 * service call returns, or in the next one: where it is asked for outside of service, or inside a
 * WRITEABLE callback of the same connection. Asking twice is asking once.
 *
 * Returns 1. Returns -1 where wsi is NULL, or its connection is closing or no longer there.
 * Since 2011-01-19; with `context`, which is not needed, since 2011-02-14 (lws_older.h).
 */
LWS_VISIBLE int libwebsocket_callback_on_writable(struct libwebsocket_context *context,
    struct libwebsocket *wsi) LWS_LINK(libwebsocket_callback_on_writable);
#endif

#if LWS_SINCE(20110305)
/*
 * Whether the system at present takes nothing more from this connection, so that a write would only
 * wait in the library. What was gathered inside a callback is offered to it first.
 *
 * Returns 1 where it is choked, or no longer there; 0 where it is not. Since 2011-03-05.
 */
LWS_VISIBLE int lws_send_pipe_choked(struct libwebsocket *wsi) LWS_LINK(lws_send_pipe_choked);
#endif

#if LWS_SINCE(20110119)
/*
 * Stops or resumes receiving on a WebSocket. While it is stopped no RECEIVE comes, not even of
 * what the engine has read already, and TCP pushes back on the peer.
 *
 *   enable   0 to stop, anything else to resume
 *
 * Returns 0; -1 where wsi is NULL or no WebSocket. Since 2011-01-19.
 */
LWS_VISIBLE int libwebsocket_rx_flow_control(struct libwebsocket *wsi, int enable)
    LWS_LINK(libwebsocket_rx_flow_control);
#endif

#if LWS_SINCE(20110119)
/*
 * In RECEIVE: how many bytes of the frame at hand are still to come after this piece. Where an
 * extension changes the payload, as permessage-deflate does, that is not known: it is some number
 * above 0 then, and 0 with the frame's last piece. 0 elsewhere, and for NULL. Since 2011-01-19.
 */
LWS_VISIBLE size_t libwebsockets_remaining_packet_payload(struct libwebsocket *wsi)
    LWS_LINK(libwebsockets_remaining_packet_payload);
#endif

#if LWS_SINCE(20110305)
/*
 * In RECEIVE: 1 where the frame at hand is its message's last (or only) one, else 0. The message is
 * complete with the piece for which also libwebsockets_remaining_packet_payload() is 0.
 * Since 2011-03-05.
 */
LWS_VISIBLE int libwebsocket_is_final_fragment(struct libwebsocket *wsi)
    LWS_LINK(libwebsocket_is_final_fragment);
#endif

#if LWS_SINCE(20130109)
/*
 * In RECEIVE: the reserved bits of the frame at hand, in the places they have in its first byte
 * (0x40, 0x20, 0x10). Without an extension they are always 0. Since 2013-01-09.
 */
LWS_VISIBLE unsigned char libwebsocket_get_reserved_bits(struct libwebsocket *wsi)
    LWS_LINK(libwebsocket_get_reserved_bits);
#endif

#if LWS_SINCE(20130117)
/* In RECEIVE: 1 where the message at hand is binary, 0 where it is text. Since 2013-01-17. */
LWS_VISIBLE int lws_frame_is_binary(struct libwebsocket *wsi) LWS_LINK(lws_frame_is_binary);
#endif

/*
 * What the peer said when it closed, for use in CLOSED.
 *
 *   reason   unless NULL, is pointed at the reason's bytes (UTF-8, followed by a NUL), which are
 *            the library's and valid until CLOSED returns; never NULL
 *   len      unless NULL, is set to their number, 0 to 123
 *
 * Returns the code in the peer's close frame: 1005 where there was none in it, 1006 where no close
 * frame has come. An addition.
 */
LWS_VISIBLE int lws_get_close(struct libwebsocket *wsi, const char **reason, size_t *len)
    LWS_LINK(lws_get_close);

/*
 * Says in advance what the close frame will carry if this callback's return value closes the
 * connection, or a deadline does. It stays until another is given.
 *
 *   status   1000 to 1003, 1007 to 1014, or 3000 to 4999; LWS_CLOSE_STATUS_NOSTATUS for a frame
 *            without a code. Without this call 1000 is sent.
 *   reason   len bytes of UTF-8, copied; may be NULL where len is 0
 *   len      at most 123; 0 for LWS_CLOSE_STATUS_NOSTATUS
 *
 * Returns 0. Returns -1 with errno EINVAL where an argument is not as above or wsi is no open
 * WebSocket, ENOMEM where memory is short. An addition.
 */
LWS_VISIBLE int lws_close_reason(struct libwebsocket *wsi, int status, const void *reason,
    size_t len) LWS_LINK(lws_close_reason);

/*
 * Starts to close a connection now: a WebSocket with a close frame that carries status and reason
 * as in lws_close_reason(), an HTTP connection after what was written has been sent, and a client
 * that is not established yet at once, with CLIENT_CONNECTION_ERROR. What was written before is
 * sent before; CLOSED comes when the peer has answered, or the time for it is up.
 *
 * Returns 0, also where it was closing already. Returns -1 with errno EINVAL where an argument is
 * not as above or wsi is not a connection, EBUSY from an extension that is working on what is sent,
 * ENOMEM where memory is short; it goes on then. Calls
 * back where the end is reached at once: CLOSED, CLOSED_HTTP or CLIENT_CONNECTION_ERROR, unless it
 * is called from a callback; they come later then. An addition.
 */
LWS_VISIBLE int lws_close(struct libwebsocket *wsi, int status, const void *reason, size_t len)
    LWS_LINK(lws_close);

#if LWS_SINCE(20110219)
/*
 * Gives a connection a deadline, after which it is closed as by lws_close() with what
 * lws_close_reason() said. It replaces the one set before; each connection has one of these, beside
 * those the library keeps for itself.
 *
 *   reason   NO_PENDING_TIMEOUT cancels; all others do the same
 *   secs     seconds from now; negative counts as 0
 *
 * Does nothing where wsi is NULL or not a connection. Since 2011-02-19.
 */
LWS_VISIBLE void libwebsocket_set_timeout(struct libwebsocket *wsi, enum pending_timeout reason,
    int secs) LWS_LINK(libwebsocket_set_timeout);
#endif

#if LWS_SINCE(20110119)
/* The descriptor; -1 for NULL and once it is closed. May be called anywhere. Since 2011-01-19. */
LWS_VISIBLE int libwebsocket_get_socket_fd(struct libwebsocket *wsi)
    LWS_LINK(libwebsocket_get_socket_fd);
#endif

/*
 * The element of the program's array whose protocol the connection speaks: before a WebSocket is
 * established protocols[0], or for a client the first one asked for that the context has;
 * protocols[0] for the engine's own descriptors. NULL for NULL. Since 2010-12-18.
 */
LWS_VISIBLE const struct libwebsocket_protocols *libwebsockets_get_protocol(
    struct libwebsocket *wsi) LWS_LINK(libwebsockets_get_protocol);

#if LWS_SINCE(20130130)
/*
 * Who the peer is. No name service is asked: both are the numeric address.
 *
 *   context, wsi   not needed; may be NULL
 *   fd             the connection's descriptor
 *   name, rip      buffers for text, of name_len and rip_len bytes; what does not fit is cut, and
 *                  what cannot be found out, or does not exist (a Unix-domain socket), is empty
 *
 * An IPv4 peer of an IPv6 socket is written as IPv4. Since 2011-02-19; in this form since
 * 2013-01-30 (lws_older.h).
 */
LWS_VISIBLE void libwebsockets_get_peer_addresses(struct libwebsocket_context *context,
    struct libwebsocket *wsi, int fd, char *name, int name_len, char *rip, int rip_len)
    LWS_LINK_LEVEL(libwebsockets_get_peer_addresses, 20130130);
#endif

#if LWS_SINCE(20130117)
/*
 * Hands the library bytes as if they had come from the connection's socket, for a program that
 * reads from it by itself.
 *
 *   context   not needed; may be NULL
 *   buf       len bytes; they are copied and not changed
 *
 * Returns 0 where they were taken, or are kept until the connection wants them. Returns -1 with
 * errno EINVAL where wsi is no connection that this can be done with, EAGAIN where earlier ones are
 * still kept or being worked on, ENOMEM where memory is short and the connection over, EPIPE where
 * it is over, or was ended by them. Calls back. Since 2013-01-17.
 */
LWS_VISIBLE int libwebsocket_read(struct libwebsocket_context *context, struct libwebsocket *wsi,
    unsigned char *buf, size_t len) LWS_LINK(libwebsocket_read);
#endif

LWS_END_DECLARATIONS

#endif
