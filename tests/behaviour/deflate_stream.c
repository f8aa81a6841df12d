#include "deflate_stream.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE_SIZE = 512 };

/* One direction. What it is given is copied, because it is not said to stay where it is. */
struct direction {
    z_stream zlib;
    unsigned char *given;
    unsigned char made[PIECE_SIZE];
};

struct connection {
    struct direction out;
    struct direction in;
};

static bool construct(struct connection *connection)
{
    if (deflateInit2(&connection->out.zlib, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    if (inflateInit2(&connection->in.zlib, -15) == Z_OK)
        return true;
    (void)deflateEnd(&connection->out.zlib);
    return false;
}

static void destroy(struct connection *connection)
{
    (void)deflateEnd(&connection->out.zlib);
    (void)inflateEnd(&connection->in.zlib);
    free(connection->out.given);
    free(connection->in.given);
}

static bool give(struct direction *direction, const struct lws_tokens *tokens)
{
    unsigned char *copy;

    if (tokens->token_len == 0)
        return true;
    copy = malloc((size_t)tokens->token_len);
    if (copy == NULL)
        return false;
    memcpy(copy, tokens->token, (size_t)tokens->token_len);
    free(direction->given);
    direction->given = copy;
    direction->zlib.next_in = copy;
    direction->zlib.avail_in = (uInt)tokens->token_len;
    return true;
}

/* Returns what the callback returns: whether there is more. */
static int transform(struct direction *direction, struct lws_tokens *tokens, bool packs)
{
    z_stream *zlib = &direction->zlib;
    int result;

    if (!give(direction, tokens))
        return -1;
    zlib->next_out = direction->made;
    zlib->avail_out = PIECE_SIZE;
    result = packs ? deflate(zlib, Z_SYNC_FLUSH) : inflate(zlib, Z_SYNC_FLUSH);
    /* Nothing to do is no fault. */
    if (result != Z_OK && result != Z_BUF_ERROR)
        return -1;
    tokens->token = (char *)direction->made;
    tokens->token_len = (int)(PIECE_SIZE - zlib->avail_out);
    if (zlib->avail_out == 0)
        return 1;
    free(direction->given);
    direction->given = NULL;
    return 0;
}

static int callback(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    struct deflate_stream_counts *counts = ext->per_context_private_data;
    struct lws_tokens *tokens = in;
    int result;

    (void)context;
    (void)wsi;
    (void)len;
    switch ((int)reason) {
    case LWS_EXT_CALLBACK_CONSTRUCT:
    case LWS_EXT_CALLBACK_CLIENT_CONSTRUCT:
        if (!construct(user))
            return -1;
        counts->connections++;
        return 0;
    case LWS_EXT_CALLBACK_DESTROY:
        destroy(user);
        counts->connections--;
        return 0;
    case LWS_EXT_CALLBACK_PACKET_TX_PRESEND:
        counts->sent_before += (size_t)tokens->token_len;
        result = transform(&((struct connection *)user)->out, tokens, true);
        counts->sent_after += result < 0 ? 0 : (size_t)tokens->token_len;
        return result;
    case LWS_EXT_CALLBACK_PACKET_RX_PREPARSE:
        counts->received_before += (size_t)tokens->token_len;
        result = transform(&((struct connection *)user)->in, tokens, false);
        counts->received_after += result < 0 ? 0 : (size_t)tokens->token_len;
        return result;
    default:
        return 0;
    }
}

struct libwebsocket_extension *deflate_stream(struct deflate_stream_counts *counts)
{
    static struct libwebsocket_extension extensions[2] = {
        {.name = "deflate-stream",
            .callback = callback,
            .per_session_data_size = sizeof(struct connection)},
        {.name = NULL},
    };

    extensions[0].per_context_private_data = counts;
    return extensions;
}
