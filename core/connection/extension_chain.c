#include "connection/extension_chain.h"

#include "connection/drain.h"

#include <stdlib.h>
#include <string.h>

static enum libwebsocket_extension_callback_reasons reason_of(enum extension_chain chain)
{
    return chain == CHAIN_STREAM ? LWS_EXT_CALLBACK_PACKET_RX_PREPARSE
                                 : LWS_EXT_CALLBACK_PAYLOAD_RX;
}

static bool takes_part(const struct active_extension *active, enum extension_chain chain)
{
    return chain == CHAIN_PAYLOAD || !active->extension->is_internal;
}

bool extension_chain_is_used(const struct libwebsocket *wsi, enum extension_chain chain)
{
    return wsi->state == CONNECTION_OPEN ||
           (chain == CHAIN_STREAM && wsi->state == CONNECTION_CLOSE_SENT);
}

static bool can_go_on(const struct libwebsocket *wsi, enum extension_chain chain)
{
    if (extension_set_of(wsi)->leftover[chain].bytes || wsi->paused || engine_of(wsi)->ending)
        return false;
    return connection_takes_input(wsi) && extension_chain_is_used(wsi, chain);
}

/* What one of them has been asked, and has answered. */
static bool call(struct libwebsocket *wsi, const struct chain_end *end,
    struct active_extension *active, struct lws_extension_payload *payload)
{
    int result;

    if (end->chain == CHAIN_PAYLOAD) {
        payload->begins_message = !active->begun_receiving;
        active->begun_receiving = true;
    }
    payload->close_status = LWS_CLOSE_STATUS_INVALID_PAYLOAD;
    payload->close_reason = NULL;
    result = extension_call(wsi, active, reason_of(end->chain), payload, 0);
    if (payload->room)
        end->take_room_back(wsi);
    active->has_more[end->chain] = result > 0 && extension_chain_is_used(wsi, end->chain);
    if (result >= 0 && payload->data.token_len >= 0 &&
        (payload->data.token || payload->data.token_len == 0))
        return true;
    active->has_more[end->chain] = false;
    if (wsi->state != CONNECTION_DEAD)
        end->fail(wsi, payload);
    return false;
}

/* Gives bytes to one of them, and what it makes of them to those after it. */
static void move(struct libwebsocket *wsi, const struct chain_end *end, size_t index,
    unsigned char *bytes, size_t length, bool ends)
{
    struct extension_set *set = extension_set_of(wsi);
    struct lws_extension_payload payload = {.binary = wsi->websocket.message_opcode == FRAME_BINARY,
        .reserved_bits = wsi->websocket.reserved_bits};

    payload.data.token = (char *)bytes;
    payload.data.token_len = (int)length;
    for (;; index--) {
        struct active_extension *active = &set->list[index];

        if (takes_part(active, end->chain)) {
            size_t room = 0;

            if (index == 0 && end->room) {
                payload.room = (char *)end->room(wsi, &room);
                if (!payload.room)
                    return;
                payload.room_size = (int)room;
            }
            active->has_ended = ends;
            payload.ends_message = ends;
            if (!call(wsi, end, active, &payload))
                return;
            ends = ends && !active->has_more[end->chain];
        }
        if (index == 0)
            break;
        if (payload.data.token_len == 0 && !ends)
            return;
    }
    if (payload.data.token_len > 0 || ends)
        end->put(wsi, (unsigned char *)payload.data.token, (size_t)payload.data.token_len, ends);
}

void extension_chain_push(struct libwebsocket *wsi, const struct chain_end *end,
    unsigned char *bytes, size_t length, bool ends)
{
    move(wsi, end, extension_set_of(wsi)->count - 1, bytes, length, ends);
    extension_chain_resume(wsi, end);
}

/* The nearest to the end: before it has put out everything nothing new may come to it. */
static struct active_extension *with_more(
    struct extension_set *set, enum extension_chain chain, size_t *index)
{
    for (*index = 0; *index < set->count; ++*index)
        if (set->list[*index].has_more[chain])
            return &set->list[*index];
    return NULL;
}

void extension_chain_resume(struct libwebsocket *wsi, const struct chain_end *end)
{
    struct extension_set *set = extension_set_of(wsi);
    struct active_extension *active;
    unsigned char nothing = 0;
    size_t index;

    while (can_go_on(wsi, end->chain) && (active = with_more(set, end->chain, &index)))
        move(wsi, end, index, &nothing, 0, active->has_ended);
}

bool extension_chain_pending(const struct libwebsocket *wsi, enum extension_chain chain)
{
    struct extension_set *set = extension_set_of(wsi);
    size_t index;

    return set && (set->leftover[chain].bytes || with_more(set, chain, &index));
}

bool extension_chain_keep(
    struct libwebsocket *wsi, enum extension_chain chain, const unsigned char *bytes, size_t length)
{
    struct leftover *leftover = &extension_set_of(wsi)->leftover[chain];

    leftover->bytes = malloc(length);
    if (!leftover->bytes) {
        lwsl_err("connection %d: out of memory for its input\n", wsi->transport.fd);
        connection_die(wsi);
        return false;
    }
    memcpy(leftover->bytes, bytes, length);
    leftover->length = length;
    return true;
}

void extension_chain_drop(struct libwebsocket *wsi, enum extension_chain chain)
{
    struct extension_set *set = extension_set_of(wsi);

    if (!set)
        return;
    free(set->leftover[chain].bytes);
    set->leftover[chain] = (struct leftover){0};
    for (size_t i = 0; i < set->count; i++)
        set->list[i].has_more[chain] = false;
}
