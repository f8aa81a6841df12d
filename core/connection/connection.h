/* A connection: its states, what it is made of, and what every state can do with it. */
#ifndef LWSLOOP_CONNECTION_CONNECTION_H
#define LWSLOOP_CONNECTION_CONNECTION_H

#include "codec/frame.h"
#include "codec/utf8.h"
#include "connection/engine.h"
#include "transport/backlog.h"
#include "transport/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum connection_state {
    /* One of the engine's own descriptors. */
    CONNECTION_LISTENER,
    CONNECTION_WAKE,
    CONNECTION_TIMER,
    CONNECTION_BROADCASTS,
    CONNECTION_LOOKUP,  /* a name is being looked up for a client */
    CONNECTION_ATTEMPT, /* a socket is being connected for a client */

    CONNECTION_CONNECTING, /* a client that has no socket yet: the two above work for it */
    CONNECTION_PROXY,      /* a client waits for its proxy's answer */
    CONNECTION_STARTING,   /* the transport is being made ready: TLS */
    CONNECTION_HANDSHAKE,  /* a client waits for the server's answer */

    CONNECTION_HTTP_HEAD,     /* waits for a request's head, or is in the middle of one */
    CONNECTION_HTTP_BODY,     /* passes over the body of a request */
    CONNECTION_HTTP_RESPONSE, /* the program is answering, or a file is being sent */
    CONNECTION_OPEN,          /* a WebSocket */
    CONNECTION_CLOSE_SENT,    /* waits for the answer to our close frame */
    CONNECTION_DRAINING,      /* sends what is left, then waits for the peer to hang up */
    CONNECTION_DEAD           /* to be closed as soon as no callback is inside it */
};

/* What has been read and cannot be used yet, with the padding of the receive buffer around it. */
struct stash;

/* The part of a frame that has come, where not all of it did. */
struct partial;

struct http_exchange;
struct client;

/* Where the stream of frames is. */
struct websocket_input {
    union {
        struct frame_decoder decoder; /* between frames */
        struct {
            uint64_t remaining; /* of the payload, not yet taken */
            unsigned char mask[4];
            unsigned char mask_at;
        }; /* inside one */
    };
    uint64_t message_length; /* of the present message, this frame included */
    struct partial *partial;
    utf8_state utf8;
    unsigned char first;          /* of the present frame's header */
    unsigned char message_opcode; /* of the message at hand, FRAME_CONTINUATION where none is */
    unsigned char reserved_bits;  /* of its first frame */
    bool in_payload;
};

/* A pong that is to follow the one in the backlog. */
struct waiting_pong;

struct extension_set;

/* What few connections need. */
struct rarely {
    uint64_t user_due; /* set by the program; 0 for none */
    size_t untaken;    /* when the peer's time for taking it began; 0: there is no such time */
    int close_code;    /* received; 0 for none */
    int staged_code;   /* to be sent; 0 for none */
    char *close_reason;
    char *staged_reason;
    unsigned char close_reason_length;
    unsigned char staged_reason_length;
    size_t pong_ahead; /* bytes to be sent until the last pong in the backlog is */
    struct waiting_pong *pong;
    struct extension_set *extensions; /* NULL where none is active */
};

struct libwebsocket {
    struct protocol *protocol; /* until a WebSocket is established the first; for a client, the
                                  first asked for */
    void *session;
    struct transport transport;
    unsigned char state;     /* enum connection_state */
    unsigned char announced; /* the events the host was told to wait for */
    unsigned char callbacks; /* how many callbacks of this connection are being run */
    unsigned char attempted; /* an attempt: the index of its address */
    bool registered : 1;     /* between ADD and DEL */
    bool changed : 1;        /* since it was last looked after */
    bool hung_up : 1;        /* reported while nothing was wanted: kept away from the host */
    bool choked : 1;         /* the transport did not take all that it was offered */
    bool receiving : 1;      /* its input is being worked on further out */
    bool flow_stopped : 1;   /* by the program; a listener: by the engine */
    bool wants_writable : 1; /* asked for by the program */
    bool asked_for_all : 1;  /* the same for its whole protocol; its extensions do not know yet */
    bool resume : 1;         /* there is more to do without waiting for the descriptor */
    bool input_ended : 1;    /* the peer has said that it sends no more */
    bool finished : 1;       /* and so have we */
    bool both_closed : 1;    /* close frames have gone both ways */
    bool broken : 1;       /* nothing can be sent any more, what came is still read; a listener: it
                              will accept no more */
    bool in_message : 1;   /* the program has written a fragment that is not the last */
    bool http_called : 1;  /* the program knows it as an HTTP connection */
    bool established : 1;  /* CLOSED is owed */
    bool ping_waits : 1;   /* an automatic ping has not been answered */
    bool is_client : 1;    /* its peer is a server */
    bool is_secure : 1;    /* a listener: what it accepts is encrypted */
    bool session_lent : 1; /* the session memory is the program's */
    bool reached : 1;      /* an attempt: connected at once */
    bool closed : 1;       /* nothing is left of it but this */
    bool paused : 1;       /* it has had its share of this service call */
    bool extended : 1;     /* extensions are active */
    bool stream_extended : 1;       /* and one of them is not the library's own */
    struct list_node protocol_node; /* among the established ones of its protocol, or, before, the
                                       clients without a socket; an attempt: among its client's */
    struct queue_link attention;
    struct queue_link work;   /* once it is closed: among the graves */
    struct deadline deadline; /* the earlier of engine_due and the program's */
    uint64_t engine_due;      /* 0 for none */
    struct stash *stash;
    struct backlog backlog;
    struct rarely *rarely;
    union {
        struct http_exchange *http;       /* HTTP states; NULL between requests */
        struct client *client;            /* a client, until it is established */
        struct libwebsocket *owner;       /* LOOKUP, ATTEMPT: the client */
        struct websocket_input websocket; /* from OPEN on, where established */
    };
};

static inline struct engine *engine_of(const struct libwebsocket *wsi)
{
    return wsi->protocol->engine;
}

/* Makes a connection of an accepted socket, which is its own from then on, or with -1 one without a
 * socket; NULL, and the socket is still the caller's, where memory is short. */
struct libwebsocket *connection_create(struct engine *engine, int fd);

/* Frees all but the struct itself; the transport is closed. */
void connection_release(struct libwebsocket *wsi);

static inline bool connection_is_internal(const struct libwebsocket *wsi)
{
    return wsi->state <= CONNECTION_ATTEMPT;
}

static inline bool connection_is_http(const struct libwebsocket *wsi)
{
    return wsi->state >= CONNECTION_HTTP_HEAD && wsi->state <= CONNECTION_HTTP_RESPONSE;
}

/* Whether it is on its way to a server. */
static inline bool connection_is_connecting(const struct libwebsocket *wsi)
{
    return wsi->is_client && wsi->state >= CONNECTION_CONNECTING &&
           wsi->state <= CONNECTION_HANDSHAKE;
}

/* A header field that the program may read now; NULL where there is none. */
const struct lws_tokens *connection_header_token(
    const struct libwebsocket *wsi, enum lws_token_indexes index);

/* Has it looked at as the outermost call returns. Needed after every change. */
void connection_attend(struct libwebsocket *wsi);

/* Has it resumed in this or the next service call, without waiting for its descriptor. */
void connection_schedule(struct libwebsocket *wsi);

/* Around what calls the program about a connection without saying so: the state may be any other
 * afterwards, but it is not closed before the outermost of them has ended. */
void connection_begin_callback(struct libwebsocket *wsi);
void connection_end_callback(struct libwebsocket *wsi);

/* Calls the program. The state may be any other afterwards. */
int connection_callback(
    struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *in, size_t length);

/* The same with something other than the session memory in `user`, by another protocol. */
int connection_callback_as(struct libwebsocket *wsi, struct protocol *protocol,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t length);

/* The session memory, made if there is none yet; NULL where the protocol has none, or memory is
 * short. */
void *connection_session(struct libwebsocket *wsi);

/* The peer took some of what waits for it, or has to begin to: its time begins anew, if it has one.
 */
void connection_progress(struct libwebsocket *wsi);

/* The transport takes no more for now; the peer's time goes on. */
void connection_choke(struct libwebsocket *wsi);

/* Whether the peer is taking what was sent, though nothing has been said of it yet. */
bool connection_is_taken_from(const struct libwebsocket *wsi);

/* The transport failed while sending. */
void connection_send_failed(struct libwebsocket *wsi);

/* NULL, with errno, where memory is short. */
struct rarely *connection_rarely(struct libwebsocket *wsi);

/* The engine's own deadline, in milliseconds from now; 0 for none. */
void connection_set_due(struct libwebsocket *wsi, unsigned int milliseconds);

/* The program's, as a time; 0 for none. False where memory is short. */
bool connection_set_user_due(struct libwebsocket *wsi, uint64_t at);

/* Which events the descriptor is wanted for now. */
unsigned char connection_wanted_events(const struct libwebsocket *wsi);

/* Whether input can be used in its present state. */
bool connection_takes_input(const struct libwebsocket *wsi);

/* Sends what waits. False where it did not all go, for whatever reason. */
bool connection_flush(struct libwebsocket *wsi);

/*
 * Sends bytes after all that waits, or keeps a copy of them. False, with errno, where memory is
 * short or the transport failed; the connection is over then.
 */
bool connection_send(struct libwebsocket *wsi, const void *bytes, size_t length);

/* The same for what has been through the extensions that change the stream. */
bool connection_send_as_is(struct libwebsocket *wsi, const void *bytes, size_t length);

/* Whether the program may be told that it can write. */
static inline bool connection_is_writable(const struct libwebsocket *wsi)
{
    return !wsi->choked && backlog_empty(&wsi->backlog) &&
           (wsi->state == CONNECTION_OPEN || wsi->state == CONNECTION_HTTP_RESPONSE) &&
           !wsi->broken;
}

#endif
