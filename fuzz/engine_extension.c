#include "engine_extension.h"

enum { STREAM_PIECE = 61, PAYLOAD_PIECE = 37, UNPACKED_MAX = 1 << 20 };

/* What has come and was not put out yet, and what was put out last. */
struct waiting {
    unsigned char *bytes;
    size_t start;
    size_t end;
    unsigned char *out;
};

enum direction { STREAM_IN, STREAM_OUT, PAYLOAD_IN, PAYLOAD_OUT, DIRECTIONS };

struct session {
    bool constructed;
    bool inside[2]; /* a message, one that comes and one that goes */
    struct waiting waiting[DIRECTIONS];
};

static unsigned int connections;

unsigned int engine_extension_connections(void)
{
    return connections;
}

/* In memory of their own each time, so that a use of the earlier ones is found. */
static int cut(struct waiting *waiting, struct lws_tokens *tokens, size_t most, char *room)
{
    size_t left = waiting->end - waiting->start;
    size_t length;

    REQUIRE(tokens->token_len >= 0);
    if (tokens->token_len > 0) {
        /* Nothing new comes while there is more of the old. */
        REQUIRE(left == 0);
        free(waiting->bytes);
        left = (size_t)tokens->token_len;
        waiting->bytes = fuzz_allocate(left);
        memcpy(waiting->bytes, tokens->token, left);
        waiting->start = 0;
        waiting->end = left;
    }
    length = left < most ? left : most;
    free(waiting->out);
    waiting->out = NULL;
    if (!room) {
        waiting->out = fuzz_allocate(length + 1);
        room = (char *)waiting->out;
    }
    if (length > 0)
        memcpy(room, waiting->bytes + waiting->start, length);
    waiting->start += length;
    tokens->token = room;
    tokens->token_len = (int)length;
    return left > length;
}

static int cut_payload(
    struct session *session, enum direction direction, struct lws_extension_payload *payload)
{
    bool *inside = &session->inside[direction == PAYLOAD_OUT];
    size_t most = PAYLOAD_PIECE;
    int more;

    REQUIRE((payload->begins_message != 0) == !*inside);
    REQUIRE(!payload->room || payload->room_size >= (direction == PAYLOAD_OUT ? 16 : 1));
    if (payload->room && (size_t)payload->room_size < most)
        most = (size_t)payload->room_size;
    more = cut(&session->waiting[direction], &payload->data, most, payload->room);
    *inside = !payload->ends_message || more;
    return more;
}

static int construct(struct session *session, const struct lws_extension_negotiation *negotiation)
{
    REQUIRE(!session->constructed && !session->waiting[STREAM_IN].bytes);
    if (negotiation->parameter_count > 0)
        return 1;
    session->constructed = true;
    connections++;
    return 0;
}

static void destroy(struct session *session)
{
    REQUIRE(session->constructed && connections > 0);
    session->constructed = false;
    connections--;
    for (int i = 0; i < DIRECTIONS; i++) {
        free(session->waiting[i].bytes);
        free(session->waiting[i].out);
    }
}

static int pieces(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    struct session *session = user;

    (void)context;
    (void)ext;
    (void)wsi;
    (void)len;
    switch (reason) {
    case LWS_EXT_CALLBACK_CONSTRUCT:
    case LWS_EXT_CALLBACK_CLIENT_CONSTRUCT:
        return construct(session, in);
    case LWS_EXT_CALLBACK_PACKET_RX_PREPARSE:
        return cut(&session->waiting[STREAM_IN], in, STREAM_PIECE, NULL);
    case LWS_EXT_CALLBACK_PACKET_TX_PRESEND:
        return cut(&session->waiting[STREAM_OUT], in, STREAM_PIECE, NULL);
    case LWS_EXT_CALLBACK_PAYLOAD_RX:
        return cut_payload(session, PAYLOAD_IN, in);
    case LWS_EXT_CALLBACK_PAYLOAD_TX:
        return cut_payload(session, PAYLOAD_OUT, in);
    case LWS_EXT_CALLBACK_DESTROY:
        destroy(session);
        return 0;
    default:
        return 0;
    }
}

void engine_extension_prepare(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    static struct libwebsocket_extension extensions[3];
    struct libwebsocket_extension *internal = libwebsocket_get_internal_extensions();

    if (!internal)
        return;
    extensions[0] = internal[0];
    extensions[1] = (struct libwebsocket_extension){
        ENGINE_EXTENSION_PIECES, pieces, sizeof(struct session), NULL};
    info->extensions = extensions;
    extras->max_unpacked_size = UNPACKED_MAX;
    extras->deflate_takeover = LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE;
    extras->deflate_threshold = 1;
    extras->deflate_memory_level = 1;
    extras->deflate_send_window_bits = 10;
}
