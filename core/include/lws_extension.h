/* Extensions of the protocol: the program's own, and permessage-deflate. Included by
 * libwebsockets.h. */
#ifndef LWSLOOP_LWS_EXTENSION_H
#define LWSLOOP_LWS_EXTENSION_H

#include <stddef.h>

#include "lws_link.h"
#include "lws_protocol.h"

#if LWS_SINCE(20110305)

LWS_BEGIN_DECLARATIONS

/*
 * Why an extension's callback is called. The comments give what `wsi`, `user`, `in` and `len` hold;
 * where they say nothing, `wsi` is the connection, `user` the extension's memory for it, `in` is
 * NULL, `len` is 0, and the return value is ignored. Return 0 for what you do not know.
 *
 * An extension is active on a connection from CONSTRUCT or CLIENT_CONSTRUCT until DESTROY. Those
 * that are active are called in the order in which they stand in the server's answer for what is
 * sent, and in the opposite order for what is received. All reasons since 2011-03-05, but for the
 * two with another date; 16 and 17, which multiplexing had, are not used.
 */
enum libwebsocket_extension_callback_reasons {
    /*
     * The context is being made, or destroyed: a chance to fill in, or to free what is at,
     * ext->per_context_private_data. The first two where it listens, the other two where it is for
     * clients only. `wsi` and `user` are NULL. Privileges have been dropped by then, where the
     * context is to drop them. A negative return from a CONSTRUCT makes the creation of the context
     * fail; DESTRUCT does not come for that extension then. Before 2013-02-09 that return is
     * ignored.
     */
    LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT = 0,
    LWS_EXT_CALLBACK_CLIENT_CONTEXT_CONSTRUCT = 1,
    LWS_EXT_CALLBACK_SERVER_CONTEXT_DESTRUCT = 2,
    LWS_EXT_CALLBACK_CLIENT_CONTEXT_DESTRUCT = 3,

    /*
     * A server is about to accept a client's offer of this extension, or a client's server has
     * accepted it. `user` is all zero; `in` is a struct lws_extension_negotiation with what the
     * peer has said, where the extension adds what it answers (CONSTRUCT only) and which reserved
     * bits it uses. A nonzero return declines: a server passes on to the client's next offer of the
     * same name, or does without the extension, and a client gives the connection up; DESTROY does
     * not come then. An extension that wants a reserved bit which one before it has is declined as
     * well, and DESTROY comes for it.
     */
    LWS_EXT_CALLBACK_CONSTRUCT = 4,
    LWS_EXT_CALLBACK_CLIENT_CONSTRUCT = 5,

    /*
     * Both sides have closed, or will send no more, and all that was written has gone: the
     * descriptor is about to be closed in good order. A positive return puts that off. It is asked
     * again when the descriptor has been ready for something, and after each 1HZ; no longer when
     * close_timeout_ms is over.
     */
    LWS_EXT_CALLBACK_CHECK_OK_TO_REALLY_CLOSE = 6,

    /*
     * A client is about to offer the extension whose name is `in`, to a server. Comes to every
     * extension of the context, `user` is NULL. A positive return leaves it out.
     */
    LWS_EXT_CALLBACK_CHECK_OK_TO_PROPOSE_EXTENSION = 7,

    /* The last call for this connection: free what `user` refers to. Comes after the program's
     * CLOSED. */
    LWS_EXT_CALLBACK_DESTROY = 8,

    /* Any WebSocket of the context is about to be closed, just before the program's CLOSED, or has
     * been established, just after the program was told. Come to every extension of the context,
     * whether it is active there or not; `user` is NULL. */
    LWS_EXT_CALLBACK_DESTROY_ANY_WSI_CLOSING = 9,
    LWS_EXT_CALLBACK_ANY_WSI_ESTABLISHED = 10,

    /*
     * Bytes have come on a WebSocket, of whatever frames they are part. `in` is a struct lws_tokens
     * that says where they are and how many; they may be changed in place. Point it at what they
     * are to be replaced with: memory of the extension's, which must stay as it is until it is
     * called again for this connection. A positive return asks for another call, with no bytes, for
     * more of the same; it comes before more is received, but perhaps in a later service call. A
     * negative one fails the connection.
     */
    LWS_EXT_CALLBACK_PACKET_RX_PREPARSE = 11,

    /*
     * A piece of what is to be sent on a WebSocket, in its place among all others: it is called
     * once for each. As PACKET_RX_PREPARSE, but that what it puts out is copied before it is called
     * again, and that it is called for more at once. The bytes may not be changed in place: they
     * are the program's.
     */
    LWS_EXT_CALLBACK_PACKET_TX_PRESEND = 12,

    /*
     * What PACKET_TX_PRESEND of all extensions have made of a piece, in a struct lws_tokens. A
     * positive return says that the extension has taken it, to send it in a way of its own; it goes
     * nowhere else then. A negative one fails the connection.
     */
    LWS_EXT_CALLBACK_PACKET_TX_DO_SEND = 13,

    /* A server's answer to a handshake is about to be sent: `len` bytes at `in`, to be read. */
    LWS_EXT_CALLBACK_HANDSHAKE_REPLY_TX = 14,

    /*
     * The close frame has been written, or the peer has ended the connection: nothing else will be
     * written, and what the extension has kept back goes out now. `in` is a struct lws_tokens with
     * no bytes, to be filled in as for PACKET_TX_PRESEND; the result passes through those after
     * this one.
     */
    LWS_EXT_CALLBACK_FLUSH_PENDING_TX = 15,

    /* About once a second for each WebSocket on which it is active; `len` is the number of seconds
     * since some time in the past. Not for the library's own extensions, which sleep. */
    LWS_EXT_CALLBACK_1HZ = 18,

    /* The program asks for WRITEABLE, with libwebsocket_callback_on_writable() or for all of a
     * protocol. A positive return says that the extension sees to it: the program is not called
     * then unless it is asked for again. */
    LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE = 19,

    /* The program is about to be told WRITEABLE. A positive return takes its turn. */
    LWS_EXT_CALLBACK_IS_WRITEABLE = 20,

#if LWS_SINCE(20130109)
    /*
     * A piece of a text or binary message's payload, as it is to be sent or as it has come: a frame
     * or a part of one. `in` is a struct lws_extension_payload. What it is replaced with becomes
     * the payload; each result of a PAYLOAD_TX a frame of its own. Since 2013-01-09.
     */
    LWS_EXT_CALLBACK_PAYLOAD_TX = 21,
    LWS_EXT_CALLBACK_PAYLOAD_RX = 22,
#endif

#if LWS_SINCE(20130209)
    /*
     * A client is about to offer this extension. `user` is NULL, `in` is a struct
     * lws_extension_negotiation, where the extension adds the parameters of its offer. A positive
     * return asks for another call, for an alternative to this offer, which the server will
     * consider after it; a negative one means that this is no offer. An addition; at
     * levels before 2013-02-09 the extension is offered by its name alone.
     */
    LWS_EXT_CALLBACK_OFFER = 1000
#endif
};

struct libwebsocket_extension;

/*
 * What an extension gives the library to call.
 *
 *   context   the context
 *   ext       the context's copy of the extension's element, in which per_context_private_data may
 *             be changed
 *   wsi, user, in, len   as the reason says
 *
 * It is called from inside the functions that call back, and, where what happens concerns an
 * extension, from libwebsocket_write(), libwebsocket_callback_on_writable() and
 * lws_send_pipe_choked() as well. It may call any function; but from PACKET_TX_PRESEND,
 * PACKET_TX_DO_SEND, FLUSH_PENDING_TX and PAYLOAD_TX it may not serve the context, and
 * libwebsocket_write() and lws_close() for the same connection are refused with EBUSY. Since
 * 2011-03-05.
 */
typedef int(extension_callback_function)(struct libwebsocket_context *context,
    struct libwebsocket_extension *ext, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, void *user, void *in, size_t len);

/*
 * An extension that a context offers as a client and accepts as a server. A context is given an
 * array of at most 32, ended by one whose callback is NULL, which is copied. Since 2011-03-05.
 */
struct libwebsocket_extension {
    const char *name; /* a token, such as "deflate-stream"; must live as long as the context */
    extension_callback_function *callback;
    size_t per_session_data_size;   /* bytes of zeroed memory for each connection */
    void *per_context_private_data; /* the extension's own, one for each context */
};

/* A parameter, "name" or "name=value", of an offer or an answer. An addition. */
struct lws_extension_parameter {
    const char *name;
    const char *value; /* without quotes and escapes; NULL where there is none */
};

/*
 * What is said about one extension in a handshake. An addition.
 *
 *   parameters, parameter_count   what the peer has said, in its order; nothing for OFFER. Valid
 *                                 until the callback returns.
 *   alternative                   for OFFER: 0 the first time, then 1, and so on
 *   reserved_bits                 for the extension to set, in CONSTRUCT and CLIENT_CONSTRUCT:
 *                                 those of 0x40, 0x20 and 0x10 that it marks messages with
 *   out                           the library's
 */
struct lws_extension_negotiation {
    const struct lws_extension_parameter *parameters;
    size_t parameter_count;
    unsigned int alternative;
    unsigned char reserved_bits;
    void *out;
};

/*
 * Adds a parameter to what an extension offers or answers. To be called in OFFER and CONSTRUCT.
 *
 *   value   NULL for a parameter without one
 *
 * Returns 0; -1 with errno EINVAL where this is not the time for it or a name or value is no token,
 * EMSGSIZE where the parameters of this offer or answer would take more than 512 bytes. An
 * addition.
 */
LWS_VISIBLE int lws_extension_add_parameter(struct lws_extension_negotiation *negotiation,
    const char *name, const char *value) LWS_LINK(lws_extension_add_parameter);

/* A piece of a message's payload. An addition, but that it begins with a struct lws_tokens. */
struct lws_extension_payload {
    /*
     * The bytes, and how many. To be pointed at what replaces them, which must stay as it is until
     * the extension is called again for this connection. Those of PAYLOAD_RX may be changed in
     * place, those of PAYLOAD_TX not.
     *
     * A positive return asks for another call with no bytes, for more of the result. For
     * PAYLOAD_TX, and as long as it asks, the bytes it was given stay where they are; for
     * PAYLOAD_RX they do not, and the next call may be in a later service call.
     */
    struct lws_tokens data;

    /* Memory of the library's that the result may be put into, instead of memory of the extension's
     * own; at least one byte. NULL where another extension comes after it. */
    char *room;
    int room_size;

    unsigned char binary;         /* 1 where the message is binary, 0 where it is text */
    unsigned char begins_message; /* 1 in the extension's first call for the message */
    unsigned char ends_message;   /* 1 in all calls for its last piece, which may have no bytes */
    unsigned char uncompressed;   /* 1 where it was written with LWS_WRITE_UNCOMPRESSED */

    /* PAYLOAD_RX: those of the message's first frame. PAYLOAD_TX: 0, for the extension to set its
     * own in the first call for a message; later they make no difference. */
    unsigned char reserved_bits;

    /* What a negative return fails the connection with: 1007 for PAYLOAD_RX and 1011 for
     * PAYLOAD_TX, or what the extension sets; and a few words about that, or NULL. */
    int close_status;
    const char *close_reason;
};

#if LWS_SINCE(20130213)
/*
 * The extensions that are part of the library, for use as info.extensions: an array with
 * permessage-deflate (RFC 7692), and the end. What it does is set in struct lws_context_extras. To
 * have others as well, put its elements into an array of your own. The array is the library's and
 * not to be changed.
 *
 * NULL, which is no extensions, where the library was built without them. May be called from any
 * thread. Since 2013-02-13.
 */
LWS_VISIBLE struct libwebsocket_extension *libwebsocket_get_internal_extensions(void)
    LWS_LINK(libwebsocket_get_internal_extensions);
#endif

/*
 * Whether an extension is active on a connection: 1 where it is, else 0, also for NULL. In
 * ESTABLISHED and later; before that it is 0.
 *
 *   name   the extension's
 *
 * An addition.
 */
LWS_VISIBLE int lws_extension_is_active(struct libwebsocket *wsi, const char *name)
    LWS_LINK(lws_extension_is_active);

LWS_END_DECLARATIONS

#endif

#endif
