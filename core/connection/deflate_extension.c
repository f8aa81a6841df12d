#include "connection/deflate_extension.h"

#include "codec/deflate_parameters.h"
#include "connection/connection.h"
#include "connection/extension_negotiation.h"

#include <stdlib.h>
#include <string.h>

enum {
    COMPRESSED_BIT = 0x40,
    OWN_ROOM = 16384,
    SAMPLE = 16384 /* bytes of a message by which it is judged */
};

struct deflate_session {
    struct deflate_agreement agreed;

    /* What is sent. */
    struct deflate_stream *sender; /* kept between messages, or only while one is written */
    bool sending;                  /* the message at hand is compressed */
    bool packing;                  /* the piece at hand has been begun */
    const unsigned char *piece;    /* the rest of it */
    size_t piece_length;
    unsigned char *send_room; /* for a result that is not given any */

    /* What is received. */
    struct inflate_stream *receiver; /* kept between messages, or only inside one */
    bool receiving;
    unsigned char *waiting; /* has not been decompressed yet; NULL where there is none */
    size_t waiting_start;
    size_t waiting_end;
    unsigned char *receive_room;
};

size_t deflate_extension_session_size(void)
{
    return sizeof(struct deflate_session);
}

/* --- Agreeing */

/* The parameters go straight into the text, where the API would take them one by one. */
static void say(
    struct lws_extension_negotiation *negotiation, const struct deflate_parameters *what)
{
    struct text *text = ((struct negotiation_out *)negotiation->out)->text;

    text_init(text, text->bytes, text->size);
    (void)deflate_parameters_write(what, text);
}

static int offer(
    const struct deflate_parameters *wishes, struct lws_extension_negotiation *negotiation)
{
    struct deflate_parameters what;

    if (!deflate_parameters_offer(wishes, negotiation->alternative, &what))
        return -1;
    say(negotiation, &what);
    return deflate_parameters_offer(wishes, negotiation->alternative + 1, &what);
}

static const struct extension_element *heard(const struct lws_extension_negotiation *negotiation)
{
    return ((const struct negotiation_out *)negotiation->out)->element;
}

static int construct(const struct deflate_parameters *wishes, struct deflate_session *session,
    struct lws_extension_negotiation *negotiation)
{
    struct deflate_parameters offered, answer;

    if (!deflate_parameters_read(*heard(negotiation), false, &offered) ||
        !deflate_parameters_agree(wishes, &offered, &answer))
        return -1;
    session->agreed = deflate_parameters_settle(&answer, false, &offered);
    negotiation->reserved_bits = COMPRESSED_BIT;
    say(negotiation, &answer);
    return 0;
}

static int client_construct(const struct deflate_parameters *wishes,
    struct deflate_session *session, struct lws_extension_negotiation *negotiation)
{
    struct deflate_parameters offered, answer;
    unsigned int alternative = 0;

    if (!deflate_parameters_read(*heard(negotiation), true, &answer))
        return -1;
    do {
        if (!deflate_parameters_offer(wishes, alternative++, &offered))
            return -1;
    } while (!deflate_parameters_acceptable(&offered, &answer));
    session->agreed = deflate_parameters_settle(&answer, true, &offered);
    negotiation->reserved_bits = COMPRESSED_BIT;
    return 0;
}

/* --- Sending */

static bool take_sender(struct deflate_pool *pool, struct deflate_session *session)
{
    if (!session->sender)
        session->sender = deflate_pool_take_sender(pool, session->agreed.send_window_bits);
    return session->sender != NULL;
}

/* Each piece is compressed for itself then, and so none of it has to be remembered. */
static void return_sender(struct deflate_pool *pool, struct deflate_session *session)
{
    if (session->agreed.send_keeps_context || !session->sender)
        return;
    deflate_pool_return_sender(pool, session->agreed.send_window_bits, session->sender);
    session->sender = NULL;
}

static bool is_to_be_compressed(
    const struct deflate_settings *settings, const struct lws_extension_payload *payload)
{
    return !payload->uncompressed && payload->data.token_len > 0 &&
           (size_t)payload->data.token_len >= settings->threshold;
}

/* What does not get shorter goes as it is, and with it all that the peer could have referred to. */
static void leave_as_it_is(struct deflate_session *session, const unsigned char *bytes,
    size_t length, struct lws_extension_payload *payload)
{
    session->sending = false;
    session->packing = false;
    deflate_stream_reset(session->sender);
    payload->data.token = (char *)(size_t)bytes;
    payload->data.token_len = (int)length;
}

/* Another extension that comes after this one takes the library's; `own` is made at need then. */
static unsigned char *room_of(
    const struct lws_extension_payload *payload, unsigned char **own, size_t *size)
{
    *size = payload->room ? (size_t)payload->room_size : OWN_ROOM;
    if (payload->room)
        return (unsigned char *)payload->room;
    if (!*own)
        *own = malloc(OWN_ROOM);
    return *own;
}

static int no_memory(struct lws_extension_payload *payload)
{
    lwsl_err("permessage-deflate: out of memory\n");
    payload->close_status = LWS_CLOSE_STATUS_UNEXPECTED_CONDITION;
    payload->close_reason = "out of memory";
    return -1;
}

/* Compresses more of the piece into what is left of the room. */
static enum deflate_status pack_some(struct deflate_session *session, bool ends_message,
    unsigned char *room, size_t size, size_t *used)
{
    size_t written = 0;
    enum deflate_status status = deflate_stream_next(session->sender, &session->piece,
        &session->piece_length, ends_message, room + *used, size - *used, &written);

    *used += written;
    return status;
}

/* The first piece of a message. zlib may take a lot before it puts out anything: of a long one the
 * beginning, flushed, shows whether it gets shorter. */
static enum deflate_status pack_first(struct deflate_session *session, bool ends_message,
    unsigned char *room, size_t size, size_t *used, bool *gets_shorter)
{
    size_t length = session->piece_length;
    enum deflate_status status;

    if (length > SAMPLE) {
        session->piece_length = SAMPLE;
        status = pack_some(session, false, room, size, used);
        *gets_shorter = status == DEFLATE_DONE && *used < SAMPLE - SAMPLE / 32;
        if (!*gets_shorter)
            return status;
        session->piece_length = length - SAMPLE;
        return pack_some(session, ends_message, room, size, used);
    }
    status = pack_some(session, ends_message, room, size, used);
    *gets_shorter = status == DEFLATE_DONE && *used < length;
    return status;
}

static int pack(struct deflate_pool *pool, struct deflate_session *session,
    struct lws_extension_payload *payload)
{
    const unsigned char *bytes = (const unsigned char *)payload->data.token;
    size_t length = (size_t)payload->data.token_len;
    bool gets_shorter = true;
    unsigned char *room;
    size_t size, used = 0;
    enum deflate_status status;

    if (payload->begins_message)
        session->sending = is_to_be_compressed(&pool->settings, payload);
    if (!session->sending)
        return 0;
    room = room_of(payload, &session->send_room, &size);
    if (!room || !take_sender(pool, session))
        return no_memory(payload);
    if (!session->packing) {
        session->packing = true;
        session->piece = bytes;
        session->piece_length = length;
    }
    if (payload->begins_message)
        status = pack_first(session, payload->ends_message, room, size, &used, &gets_shorter);
    else
        status = pack_some(session, payload->ends_message, room, size, &used);
    if (status == DEFLATE_FAILED)
        return no_memory(payload);
    if (!gets_shorter) {
        leave_as_it_is(session, bytes, length, payload);
        return_sender(pool, session);
        return 0;
    }
    payload->data.token = (char *)room;
    payload->data.token_len = (int)used;
    if (payload->begins_message)
        payload->reserved_bits = COMPRESSED_BIT;
    if (status == DEFLATE_MORE)
        return 1;
    session->packing = false;
    return_sender(pool, session);
    return 0;
}

/* --- Receiving */

static void drop_waiting(struct deflate_session *session)
{
    free(session->waiting);
    session->waiting = NULL;
    session->waiting_start = 0;
    session->waiting_end = 0;
}

/* What the memory it came in will not hold any longer. */
static bool keep_waiting(struct deflate_session *session, const unsigned char *bytes, size_t length)
{
    if (session->waiting) {
        session->waiting_start = session->waiting_end - length;
        if (length == 0)
            drop_waiting(session);
        return true;
    }
    if (length == 0)
        return true;
    session->waiting = malloc(length);
    if (!session->waiting)
        return false;
    memcpy(session->waiting, bytes, length);
    session->waiting_end = length;
    return true;
}

static void end_message(struct deflate_pool *pool, struct deflate_session *session)
{
    session->receiving = false;
    if (session->agreed.receive_keeps_context)
        return;
    deflate_pool_return_receiver(pool, session->receiver);
    session->receiver = NULL;
}

static int unpack(struct deflate_pool *pool, struct deflate_session *session,
    struct lws_extension_payload *payload)
{
    const unsigned char *bytes = (const unsigned char *)payload->data.token;
    size_t length = (size_t)payload->data.token_len;
    unsigned char *room;
    size_t size, written = 0;
    enum inflate_status status;

    if (payload->begins_message)
        session->receiving = (payload->reserved_bits & COMPRESSED_BIT) != 0;
    if (!session->receiving)
        return 0;
    room = room_of(payload, &session->receive_room, &size);
    if (!session->receiver)
        session->receiver = deflate_pool_take_receiver(pool, session->agreed.receive_window_bits);
    if (!room || !session->receiver)
        return no_memory(payload);
    if (session->waiting) {
        bytes = session->waiting + session->waiting_start;
        length = session->waiting_end - session->waiting_start;
    }
    status = inflate_stream_next(
        session->receiver, &bytes, &length, payload->ends_message, room, size, &written);
    payload->data.token = (char *)room;
    payload->data.token_len = (int)written;
    switch (status) {
    case INFLATE_MORE:
        return keep_waiting(session, bytes, length) ? 1 : no_memory(payload);
    case INFLATE_DONE:
        drop_waiting(session);
        if (payload->ends_message)
            end_message(pool, session);
        return 0;
    case INFLATE_BROKEN:
        payload->close_reason = "not a compressed message";
        return -1;
    case INFLATE_NO_MEMORY:
        break;
    }
    return no_memory(payload);
}

static void destroy(struct deflate_pool *pool, struct deflate_session *session)
{
    drop_waiting(session);
    free(session->send_room);
    free(session->receive_room);
    /* Whatever it is in the middle of, it is as good as any other once it is reset. */
    if (session->sender)
        deflate_pool_return_sender(pool, session->agreed.send_window_bits, session->sender);
    if (session->receiver)
        deflate_pool_return_receiver(pool, session->receiver);
}

int deflate_extension(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    struct deflate_pool *pool = wsi ? &engine_of(wsi)->deflate : NULL;

    (void)context;
    (void)ext;
    (void)len;
    switch ((int)reason) {
    case LWS_EXT_CALLBACK_OFFER:
        return offer(&pool->settings.as_client, in);
    case LWS_EXT_CALLBACK_CONSTRUCT:
        return construct(&pool->settings.as_server, user, in);
    case LWS_EXT_CALLBACK_CLIENT_CONSTRUCT:
        return client_construct(&pool->settings.as_client, user, in);
    case LWS_EXT_CALLBACK_PAYLOAD_TX:
        return pack(pool, user, in);
    case LWS_EXT_CALLBACK_PAYLOAD_RX:
        return unpack(pool, user, in);
    case LWS_EXT_CALLBACK_DESTROY:
        destroy(pool, user);
        return 0;
    default:
        return 0;
    }
}
