#include "connection/payload_input.h"

#include "codec/close_payload.h"
#include "connection/drain.h"
#include "connection/extension_chain.h"
#include "connection/message_delivery.h"
#include "connection/partial.h"
#include "connection/websocket_close.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 8192 };

void payload_input_begin(struct libwebsocket *wsi)
{
    struct extension_set *set = extension_set_of(wsi);

    if (!set)
        return;
    /* The library's own extension marks what concerns it; a program's sees everything. */
    set->unpacking = wsi->stream_extended || wsi->websocket.reserved_bits != 0;
    set->unpacked = 0;
    for (size_t i = 0; i < set->count; i++) {
        set->list[i].has_ended = false;
        set->list[i].begun_receiving = false;
    }
}

bool payload_input_is_at_work(const struct libwebsocket *wsi)
{
    const struct extension_set *set = extension_set_of(wsi);

    return set && set->unpacking;
}

/* How many bytes the message may still have, and one more, which is too many; and those that are
 * there already and need room. */
static uint64_t most_more(const struct libwebsocket *wsi, size_t there)
{
    return engine_of(wsi)->limits.unpacked - extension_set_of(wsi)->unpacked + 1 + there;
}

/* One byte more than a piece has: what is given to the program is not the last piece before the
 * next byte, or the frame's end, has been seen. */
static size_t size_wanted(
    const struct libwebsocket *wsi, const struct partial *partial, size_t there)
{
    size_t most = wsi->protocol->piece_size + 1;
    size_t used = partial ? partial->used : 0;

    return most - used < most_more(wsi, there) ? most : used + (size_t)most_more(wsi, there);
}

/* NULL where memory is short, and the connection is over. */
static struct partial *with_room(struct libwebsocket *wsi, size_t there)
{
    struct websocket_input *input = &wsi->websocket;
    struct partial *partial = input->partial;
    size_t size = partial ? 2 * partial->size : FIRST_SIZE;
    size_t wanted = size_wanted(wsi, partial, there);

    if (partial && partial->used < partial->size)
        return partial;
    partial = partial_create(partial, size < wanted ? size : wanted);
    if (!partial) {
        lwsl_err("connection %d: out of memory for a message\n", wsi->transport.fd);
        connection_die(wsi);
        return NULL;
    }
    input->partial = partial;
    return partial;
}

/* The extension may close the connection, and go on to write there. */
static unsigned char *room(struct libwebsocket *wsi, size_t *size)
{
    struct extension_set *set = extension_set_of(wsi);
    struct partial *partial = with_room(wsi, 0);

    if (!partial)
        return NULL;
    wsi->websocket.partial = NULL;
    set->lent = partial;
    *size = partial->size - partial->used;
    /* Not more than the rest of its share, and of what the message may have. */
    if (*size > UNPACKED_PER_CALL - set->spent)
        *size = UNPACKED_PER_CALL - set->spent;
    if (*size > most_more(wsi, 0))
        *size = (size_t)most_more(wsi, 0);
    return partial_end(partial);
}

static void take_room_back(struct libwebsocket *wsi)
{
    struct extension_set *set = extension_set_of(wsi);

    if (wsi->state == CONNECTION_OPEN)
        wsi->websocket.partial = set->lent;
    else
        free(set->lent);
    set->lent = NULL;
}

/* A whole piece is there, and the byte after it. It is nobody else's while the program has it. */
static void deliver_piece(struct libwebsocket *wsi, size_t known)
{
    struct websocket_input *input = &wsi->websocket;
    struct partial *partial = input->partial;
    size_t size = wsi->protocol->piece_size;

    input->partial = NULL;
    extension_set_of(wsi)->known = known;
    message_deliver(wsi, partial_payload(partial), size);
    if (wsi->state != CONNECTION_OPEN) {
        free(partial);
        return;
    }
    partial_payload(partial)[0] = partial_payload(partial)[size];
    partial->used = 1;
    input->partial = partial;
}

static bool can_deliver(const struct libwebsocket *wsi)
{
    return wsi->state == CONNECTION_OPEN && !wsi->flow_stopped && !wsi->paused &&
           !engine_of(wsi)->ending;
}

/* What an extension has put into the room is there already. */
static void gather(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    while (length > 0 && can_deliver(wsi)) {
        struct partial *partial = with_room(wsi, length);
        size_t here;

        if (!partial)
            return;
        here = partial->size - partial->used < length ? partial->size - partial->used : length;
        if (bytes != partial_end(partial))
            memmove(partial_end(partial), bytes, here);
        partial->used += here;
        bytes += here;
        length -= here;
        extension_spend(wsi, here);
        if (partial->used > wsi->protocol->piece_size)
            deliver_piece(wsi, 1 + length);
    }
    if (length > 0 && wsi->state == CONNECTION_OPEN)
        (void)extension_chain_keep(wsi, CHAIN_PAYLOAD, bytes, length);
}

static void put(struct libwebsocket *wsi, unsigned char *bytes, size_t length, bool ends)
{
    struct extension_set *set = extension_set_of(wsi);

    (void)ends;
    if (wsi->state != CONNECTION_OPEN)
        return;
    if (length > engine_of(wsi)->limits.unpacked - set->unpacked) {
        websocket_fail(wsi, CLOSE_TOO_LARGE, "message too large");
        return;
    }
    set->unpacked += length;
    if (message_check_text(wsi, bytes, length))
        gather(wsi, bytes, length);
}

static const struct chain_end end = {.chain = CHAIN_PAYLOAD,
    .room = room,
    .take_room_back = take_room_back,
    .put = put,
    .fail = extension_fail};

void payload_input_take(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    const struct websocket_input *input = &wsi->websocket;

    extension_chain_push(
        wsi, &end, bytes, length, input->remaining == 0 && (input->first & FRAME_FIN) != 0);
}

void payload_input_resume(struct libwebsocket *wsi)
{
    struct leftover *kept = &extension_set_of(wsi)->leftover[CHAIN_PAYLOAD];
    struct leftover leftover = *kept;

    if (leftover.bytes) {
        kept->bytes = NULL;
        gather(wsi, leftover.bytes, leftover.length);
        free(leftover.bytes);
    }
    extension_chain_resume(wsi, &end);
}

void payload_input_end_frame(struct libwebsocket *wsi)
{
    struct websocket_input *input = &wsi->websocket;
    struct partial *partial = input->partial;
    unsigned char empty[LWS_SEND_BUFFER_PRE_PADDING + LWS_SEND_BUFFER_POST_PADDING] = {0};
    unsigned char *payload =
        partial ? partial_payload(partial) : empty + LWS_SEND_BUFFER_PRE_PADDING;
    size_t length = partial ? partial->used : 0;

    input->partial = NULL;
    extension_set_of(wsi)->known = 0;
    message_deliver_last(wsi, payload, length, (input->first & FRAME_FIN) != 0);
    free(partial);
}

size_t payload_input_known(const struct libwebsocket *wsi)
{
    return payload_input_is_at_work(wsi) ? extension_set_of(wsi)->known : 0;
}
