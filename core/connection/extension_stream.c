#include "connection/extension_stream.h"

#include "codec/close_payload.h"
#include "connection/drain.h"
#include "connection/extension_chain.h"
#include "connection/websocket_close.h"
#include "connection/websocket_input.h"
#include "connection/websocket_output.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- What is received */

/* Returns how many of the bytes were used before the connection wanted no more. */
static size_t read_frames(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    size_t used = 0;

    while (used < length && extension_chain_is_used(wsi, CHAIN_STREAM) &&
           connection_takes_input(wsi) && !wsi->paused && !engine_of(wsi)->ending)
        used += websocket_input(wsi, bytes + used, length - used);
    return used;
}

/* The bytes are an extension's: frames are read where there is the padding that callbacks are
 * promised. */
static void put(struct libwebsocket *wsi, unsigned char *bytes, size_t length, bool ends)
{
    unsigned char *buffer = engine_take_buffer(engine_of(wsi));
    size_t taken = 0, size, used;

    (void)ends;
    if (!buffer) {
        lwsl_err("connection %d: out of memory to receive\n", wsi->transport.fd);
        connection_die(wsi);
        return;
    }
    do {
        size = length - taken < RECEIVE_SIZE ? length - taken : RECEIVE_SIZE;
        memcpy(buffer + LWS_SEND_BUFFER_PRE_PADDING, bytes + taken, size);
        used = read_frames(wsi, buffer + LWS_SEND_BUFFER_PRE_PADDING, size);
        taken += used;
        extension_spend(wsi, used);
    } while (used == size && taken < length);
    engine_return_buffer(engine_of(wsi), buffer);
    if (taken < length && extension_chain_is_used(wsi, CHAIN_STREAM))
        (void)extension_chain_keep(wsi, CHAIN_STREAM, bytes + taken, length - taken);
}

static void fail(struct libwebsocket *wsi, const struct lws_extension_payload *payload)
{
    (void)payload;
    websocket_fail(wsi, CLOSE_PROTOCOL_ERROR, "an extension cannot read what has come");
}

static const struct chain_end end = {.chain = CHAIN_STREAM, .put = put, .fail = fail};

void extension_stream_input(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    extension_chain_push(wsi, &end, bytes, length, false);
}

void extension_stream_resume(struct libwebsocket *wsi)
{
    struct leftover *kept = &extension_set_of(wsi)->leftover[CHAIN_STREAM];
    struct leftover leftover = *kept;

    if (leftover.bytes) {
        kept->bytes = NULL;
        put(wsi, leftover.bytes, leftover.length, false);
        free(leftover.bytes);
    }
    extension_chain_resume(wsi, &end);
}

/* --- What is sent */

/* A piece has been through all of them. */
static bool hand_over(struct libwebsocket *wsi, const struct lws_tokens *tokens)
{
    struct extension_set *set = extension_set_of(wsi);

    for (size_t i = 0; i < set->count; i++) {
        struct lws_tokens result = *tokens;
        int taken = set->list[i].extension->is_internal
                        ? 0
                        : extension_call(
                              wsi, &set->list[i], LWS_EXT_CALLBACK_PACKET_TX_DO_SEND, &result, 0);

        if (taken < 0 || wsi->state == CONNECTION_DEAD)
            return extension_cannot_send(wsi);
        if (taken > 0)
            return true;
    }
    return connection_send_as_is(wsi, tokens->token, (size_t)tokens->token_len);
}

/* Gives a piece to the extension at the index, and all that it makes of it to those after it. */
static bool pass_on(struct libwebsocket *wsi, size_t index, struct lws_tokens tokens,
    enum libwebsocket_extension_callback_reasons reason)
{
    struct extension_set *set = extension_set_of(wsi);
    int more;

    while (index < set->count && set->list[index].extension->is_internal)
        index++;
    if (index == set->count)
        return hand_over(wsi, &tokens);
    do {
        more = extension_call(wsi, &set->list[index], reason, &tokens, 0);
        if (more < 0 || tokens.token_len < 0 || (!tokens.token && tokens.token_len > 0) ||
            wsi->state == CONNECTION_DEAD)
            return extension_cannot_send(wsi);
        if (tokens.token_len > 0 &&
            !pass_on(wsi, index + 1, tokens, LWS_EXT_CALLBACK_PACKET_TX_PRESEND))
            return false;
        tokens.token_len = 0;
    } while (more > 0);
    return true;
}

bool extension_stream_send(struct libwebsocket *wsi, const void *bytes, size_t length)
{
    struct extension_set *set = extension_set_of(wsi);
    const char *at = bytes;
    bool sent = true;

    if (set->sending) {
        lwsl_err("connection %d: written to while an extension was sending\n", wsi->transport.fd);
        return extension_cannot_send(wsi);
    }
    set->sending = true;
    while (length > 0 && sent) {
        size_t piece = length < INT_MAX ? length : INT_MAX;
        /* Not const in the API; what is there is not to be changed. */
        const struct lws_tokens tokens = {(char *)(size_t)at, (int)piece};

        sent = pass_on(wsi, 0, tokens, LWS_EXT_CALLBACK_PACKET_TX_PRESEND);
        at += piece;
        length -= piece;
    }
    set->sending = false;
    if (sent)
        websocket_send_waiting_pong(wsi);
    return sent;
}

void extension_stream_flush(struct libwebsocket *wsi)
{
    struct extension_set *set = extension_set_of(wsi);
    bool sent = true;

    if (!wsi->stream_extended || set->sending || set->flushed || wsi->broken)
        return;
    set->flushed = true;
    set->sending = true;
    for (size_t i = 0; i < set->count && sent; i++) {
        char nothing = 0;
        const struct lws_tokens tokens = {&nothing, 0};

        if (!set->list[i].extension->is_internal)
            sent = pass_on(wsi, i, tokens, LWS_EXT_CALLBACK_FLUSH_PENDING_TX);
    }
    set->sending = false;
}

bool extension_stream_finish(struct libwebsocket *wsi)
{
    struct extension_set *set = extension_set_of(wsi);

    if (!wsi->stream_extended)
        return true;
    extension_stream_flush(wsi);
    if (!backlog_empty(&wsi->backlog)) {
        connection_attend(wsi);
        return false;
    }
    /* Asking is something that happens, too: it is not for them to ask again after. */
    if (set->asked || wsi->state == CONNECTION_DEAD)
        return false;
    set->asked = extension_call_active(wsi, LWS_EXT_CALLBACK_CHECK_OK_TO_REALLY_CLOSE);
    return !set->asked && wsi->state != CONNECTION_DEAD;
}
