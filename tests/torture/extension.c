#include "extension.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NAME "x-mirror"
#define DEFLATE "permessage-deflate"
#define PARAMETER "key"
#define LEAST_PIECE 600u
#define MOST_PIECE 16384u
#define MARK 0x7eu

/* What has come and was not put out yet. */
struct waiting {
    unsigned char *bytes;
    size_t start;
    size_t end;
    unsigned char out[MOST_PIECE];
};

struct session {
    unsigned char key; /* 0: not agreed */
    bool sending;      /* in the middle of a message */
    bool receiving;
    struct waiting stream_out;
    struct waiting stream_in;
    struct waiting payload_out;
    struct waiting payload_in;
};

static struct {
    unsigned int contexts;
    unsigned int connections;
    unsigned int connections_begun;
} alive;

bool extension_is_there(void)
{
    return libwebsocket_get_internal_extensions() != NULL;
}

bool extension_is_active(struct libwebsocket *wsi)
{
    return lws_extension_is_active(wsi, NAME) == 1 && lws_extension_is_active(wsi, DEFLATE) == 1;
}

bool extension_is_idle(struct libwebsocket *wsi)
{
    return lws_extension_is_active(wsi, NAME) == 0 && lws_extension_is_active(wsi, DEFLATE) == 0;
}

void extension_check(void)
{
    ck_assert_msg(
        alive.contexts == 0, "%u contexts were begun and not ended again", alive.contexts);
    ck_assert_msg(alive.connections == 0, "%u connections had no DESTROY", alive.connections);
}

unsigned int extension_connections(void)
{
    return alive.connections_begun;
}

/* --- Agreeing */

/* The first alternative is one that the server declines. */
static int offer(struct lws_extension_negotiation *negotiation)
{
    ck_assert_uint_lt(negotiation->alternative, 2);
    ck_assert_int_eq(lws_extension_add_parameter(
                         negotiation, PARAMETER, negotiation->alternative == 0 ? "bad" : "21"),
        0);
    return negotiation->alternative == 0;
}

static int agree(
    struct session *session, struct lws_extension_negotiation *negotiation, bool is_server)
{
    static const struct session nothing;

    ck_assert_int_eq(memcmp(session, &nothing, sizeof nothing), 0);
    ck_assert_uint_eq(negotiation->parameter_count, 1);
    ck_assert_str_eq(negotiation->parameters[0].name, PARAMETER);
    if (strcmp(negotiation->parameters[0].value, "bad") == 0)
        return 1;
    session->key = (unsigned char)atoi(negotiation->parameters[0].value);
    ck_assert_uint_eq(session->key, 21);
    if (is_server)
        ck_assert_int_eq(lws_extension_add_parameter(negotiation, PARAMETER, "21"), 0);
    negotiation->reserved_bits = 0x10;
    alive.connections++;
    alive.connections_begun++;
    return 0;
}

/* --- Bytes */

static void take(struct waiting *waiting, const void *bytes, size_t length)
{
    size_t left = waiting->end - waiting->start;
    unsigned char *larger;

    if (length == 0)
        return;
    larger = malloc(left + length);
    ck_assert_ptr_nonnull(larger);
    if (left > 0)
        memcpy(larger, waiting->bytes + waiting->start, left);
    memcpy(larger + left, bytes, length);
    free(waiting->bytes);
    waiting->bytes = larger;
    waiting->start = 0;
    waiting->end = left + length;
}

/* Several pieces of what is long, but not too many. */
static size_t at_once(size_t left)
{
    size_t piece = left / 4;

    return piece < LEAST_PIECE ? LEAST_PIECE : piece > MOST_PIECE ? MOST_PIECE : piece;
}

/* Puts out what there is, but for `held` bytes, in memory that the caller has or in its own.
 * Returns whether there is more. */
static int put(struct waiting *waiting, unsigned char key, size_t held, struct lws_tokens *tokens,
    char *room, int room_size)
{
    unsigned char *out = room != NULL ? (unsigned char *)room : waiting->out;
    size_t left = waiting->end - waiting->start;
    size_t most = at_once(left);
    size_t length = left > held ? left - held : 0;
    bool more;

    if (room != NULL && (size_t)room_size < most)
        most = (size_t)room_size;
    more = length > most;
    length = more ? most : length;
    for (size_t i = 0; i < length; i++)
        out[i] = waiting->bytes[waiting->start + i] ^ key;
    waiting->start += length;
    tokens->token = (char *)out;
    tokens->token_len = (int)length;
    return more;
}

static void forget(struct waiting *waiting)
{
    free(waiting->bytes);
    waiting->bytes = NULL;
}

/* Nothing new comes where there is more of the old. */
static int change_stream(struct waiting *waiting, unsigned char key, struct lws_tokens *tokens)
{
    ck_assert_int_ge(tokens->token_len, 0);
    ck_assert(tokens->token_len == 0 || waiting->start == waiting->end);
    take(waiting, tokens->token, (size_t)tokens->token_len);
    return put(waiting, key, 0, tokens, NULL, 0);
}

/* `inside`: whether it is in the middle of a message, which it is from here on. */
static void go_on(bool *inside, const struct lws_extension_payload *payload)
{
    ck_assert_int_eq(payload->begins_message != 0, !*inside);
    *inside = true;
}

/* A mark comes after each message. */
static int pack(struct session *session, struct lws_extension_payload *payload)
{
    struct waiting *waiting = &session->payload_out;
    unsigned char mark = MARK ^ session->key;
    bool is_new = waiting->start == waiting->end;
    int more;

    ck_assert(payload->room == NULL || payload->room_size >= 16);
    ck_assert(is_new || payload->data.token_len == 0);
    go_on(&session->sending, payload);
    if (payload->begins_message)
        payload->reserved_bits = 0x10;
    take(waiting, payload->data.token, (size_t)payload->data.token_len);
    if (is_new && payload->ends_message)
        take(waiting, &mark, 1);
    more = put(waiting, session->key, 0, &payload->data, payload->room, payload->room_size);
    if (payload->ends_message && more == 0)
        session->sending = false;
    return more;
}

static int unpack(struct session *session, struct lws_extension_payload *payload)
{
    struct waiting *waiting = &session->payload_in;
    int more;

    ck_assert(payload->room == NULL || payload->room_size >= 1);
    ck_assert_uint_eq(payload->reserved_bits & 0x10, 0x10);
    go_on(&session->receiving, payload);
    take(waiting, payload->data.token, (size_t)payload->data.token_len);
    more = put(waiting, session->key, 1, &payload->data, payload->room, payload->room_size);
    if (payload->ends_message && more == 0) {
        ck_assert_uint_eq(waiting->end - waiting->start, 1);
        ck_assert_uint_eq(waiting->bytes[waiting->start++], MARK);
        session->receiving = false;
    }
    return more;
}

static void destroy(struct session *session)
{
    ck_assert_uint_eq(session->key, 21);
    ck_assert_uint_gt(alive.connections--, 0);
    session->key = 0;
    forget(&session->stream_out);
    forget(&session->stream_in);
    forget(&session->payload_out);
    forget(&session->payload_in);
}

static void begin_context(struct libwebsocket_extension *ext)
{
    ck_assert_ptr_null(ext->per_context_private_data);
    ext->per_context_private_data = &alive;
    alive.contexts++;
}

static void end_context(struct libwebsocket_extension *ext)
{
    ck_assert_ptr_eq(ext->per_context_private_data, &alive);
    ck_assert_uint_gt(alive.contexts--, 0);
}

static int mirror(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    struct session *session = user;

    (void)context;
    (void)wsi;
    (void)len;
    switch ((int)reason) {
    case LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT:
    case LWS_EXT_CALLBACK_CLIENT_CONTEXT_CONSTRUCT:
        begin_context(ext);
        return 0;
    case LWS_EXT_CALLBACK_SERVER_CONTEXT_DESTRUCT:
    case LWS_EXT_CALLBACK_CLIENT_CONTEXT_DESTRUCT:
        end_context(ext);
        return 0;
    case LWS_EXT_CALLBACK_OFFER:
        return offer(in);
    case LWS_EXT_CALLBACK_CONSTRUCT:
        return agree(session, in, true);
    case LWS_EXT_CALLBACK_CLIENT_CONSTRUCT:
        return agree(session, in, false);
    case LWS_EXT_CALLBACK_PACKET_TX_PRESEND:
        return change_stream(&session->stream_out, session->key, in);
    case LWS_EXT_CALLBACK_PACKET_RX_PREPARSE:
        return change_stream(&session->stream_in, session->key, in);
    case LWS_EXT_CALLBACK_PAYLOAD_TX:
        return pack(session, in);
    case LWS_EXT_CALLBACK_PAYLOAD_RX:
        return unpack(session, in);
    case LWS_EXT_CALLBACK_DESTROY:
        destroy(session);
        return 0;
    default:
        return 0;
    }
}

struct libwebsocket_extension *extension_list(bool is_first)
{
    static struct libwebsocket_extension list[3];
    struct libwebsocket_extension *internal = libwebsocket_get_internal_extensions();
    const struct libwebsocket_extension own = {NAME, mirror, sizeof(struct session), NULL};

    if (internal == NULL)
        return NULL;
    list[is_first ? 0 : 1] = own;
    list[is_first ? 1 : 0] = internal[0];
    return list;
}
