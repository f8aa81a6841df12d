#include "connection/websocket_input.h"

#include "codec/close_payload.h"
#include "codec/mask.h"
#include "connection/drain.h"
#include "connection/extension_chain.h"
#include "connection/message_delivery.h"
#include "connection/partial.h"
#include "connection/payload_input.h"
#include "connection/websocket_close.h"
#include "connection/websocket_output.h"

#include <stdlib.h>
#include <string.h>

static unsigned char opcode(const struct websocket_input *input)
{
    return input->first & FRAME_OPCODE_BITS;
}

static bool is_final(const struct websocket_input *input)
{
    return (input->first & FRAME_FIN) != 0;
}

/* The most bytes that the next piece of the present frame has, those in `partial` included. */
static size_t piece_size(const struct libwebsocket *wsi)
{
    const struct websocket_input *input = &wsi->websocket;
    size_t used = input->partial ? input->partial->used : 0;
    size_t most =
        frame_is_control(input->first) ? FRAME_CONTROL_PAYLOAD_MAX : wsi->protocol->piece_size;

    return input->remaining < most - used ? used + (size_t)input->remaining : most;
}

/* A pong answers a ping of the engine's by being heard; a client's program is told of it. */
static void pong_received(struct libwebsocket *wsi, unsigned char *payload, size_t length)
{
    unsigned char behind = payload[length];

    if (!wsi->is_client || wsi->state != CONNECTION_OPEN)
        return;
    payload[length] = '\0';
    (void)connection_callback(wsi, LWS_CALLBACK_CLIENT_RECEIVE_PONG, payload, length);
    payload[length] = behind;
}

static void finish_control(struct libwebsocket *wsi, unsigned char *payload, size_t length)
{
    switch (opcode(&wsi->websocket)) {
    case FRAME_CLOSE:
        websocket_close_received(wsi, payload, length);
        break;
    case FRAME_PING:
        websocket_send_pong(wsi, payload, length);
        break;
    default:
        pong_received(wsi, payload, length);
        break;
    }
}

/* The frame is over: makes ready for the next one's header. */
static void end_frame(struct websocket_input *input)
{
    if (!frame_is_control(input->first) && is_final(input))
        input->message_opcode = FRAME_CONTINUATION;
    input->in_payload = false;
    memset(&input->decoder, 0, sizeof(input->decoder));
}

/* A whole piece is there: its last byte may be the frame's last, or more may come. */
static void finish_piece(struct libwebsocket *wsi, unsigned char *payload, size_t length)
{
    struct websocket_input *input = &wsi->websocket;
    bool ends_frame = input->remaining == 0;

    if (frame_is_control(input->first))
        finish_control(wsi, payload, length);
    else
        message_deliver_last(wsi, payload, length, ends_frame && is_final(input));
    if (ends_frame)
        end_frame(input);
}

static void unmask(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    struct websocket_input *input = &wsi->websocket;

    if (!wsi->is_client)
        input->mask_at = (unsigned char)mask_apply(bytes, length, input->mask, input->mask_at);
    input->remaining -= length;
}

/* Unmasks and checks bytes as they arrive. False where they failed the connection. */
static bool accept_payload(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    const struct websocket_input *input = &wsi->websocket;

    unmask(wsi, bytes, length);
    return frame_is_control(input->first) || message_check_text(wsi, bytes, length);
}

static size_t begin_partial(struct libwebsocket *wsi)
{
    size_t size = piece_size(wsi);
    struct partial *partial = partial_create(NULL, size);

    if (!partial) {
        lwsl_err("connection %d: out of memory for a frame\n", wsi->transport.fd);
        connection_die(wsi);
        return 0;
    }
    wsi->websocket.partial = partial;
    return size;
}

/* Adds to what has come of the present piece, which is not all in one place. */
static size_t gather_payload(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    struct websocket_input *input = &wsi->websocket;
    struct partial *partial;
    unsigned char *end;

    if (!input->partial && begin_partial(wsi) == 0)
        return length;
    partial = input->partial;
    if (length > partial->size - partial->used)
        length = partial->size - partial->used;
    end = partial_end(partial);
    memcpy(end, bytes, length);
    if (!accept_payload(wsi, end, length))
        return length;
    partial->used += length;
    if (partial->used == partial->size) {
        input->partial = NULL;
        finish_piece(wsi, partial_payload(partial), partial->used);
        free(partial);
    }
    return length;
}

/* All of the frame has come, and if extensions have left nothing over it can be ended. */
static void end_unpacked_frame(struct libwebsocket *wsi)
{
    struct websocket_input *input = &wsi->websocket;

    if (input->remaining > 0 || extension_chain_pending(wsi, CHAIN_PAYLOAD) ||
        (wsi->state == CONNECTION_OPEN && wsi->flow_stopped) || engine_of(wsi)->ending)
        return;
    if (wsi->state == CONNECTION_OPEN)
        payload_input_end_frame(wsi);
    end_frame(input);
}

static size_t unpack_payload(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    struct websocket_input *input = &wsi->websocket;

    if (length > input->remaining)
        length = (size_t)input->remaining;
    unmask(wsi, bytes, length);
    payload_input_take(wsi, bytes, length);
    end_unpacked_frame(wsi);
    return length;
}

static size_t take_payload(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    struct websocket_input *input = &wsi->websocket;
    size_t whole = piece_size(wsi);

    if (wsi->state == CONNECTION_CLOSE_SENT && !frame_is_control(input->first)) {
        if (length > input->remaining)
            length = (size_t)input->remaining;
        input->remaining -= length;
        if (input->remaining == 0)
            end_frame(input);
        return length;
    }
    if (payload_input_is_at_work(wsi) && !frame_is_control(input->first))
        return unpack_payload(wsi, bytes, length);
    if (input->partial || length < whole)
        return gather_payload(wsi, bytes, length);
    if (accept_payload(wsi, bytes, whole))
        finish_piece(wsi, bytes, whole);
    return whole;
}

static void begin_frame(
    struct libwebsocket *wsi, const struct frame_header *header, unsigned char *end)
{
    struct websocket_input *input = &wsi->websocket;

    lwsl_parser("connection %d: frame 0x%02x of %llu bytes\n", wsi->transport.fd, header->first,
        (unsigned long long)header->length);
    input->first = header->first;
    input->remaining = header->length;
    memcpy(input->mask, header->mask, sizeof(input->mask));
    input->mask_at = 0;
    input->in_payload = true;
    if (!frame_is_control(header->first)) {
        if (opcode(input) != FRAME_CONTINUATION) {
            input->message_opcode = opcode(input);
            input->message_length = 0;
            input->utf8 = UTF8_START;
            input->reserved_bits = header->first & FRAME_RESERVED_BITS;
            payload_input_begin(wsi);
        }
        if (wsi->state == CONNECTION_OPEN &&
            header->length > engine_of(wsi)->limits.message - input->message_length) {
            websocket_fail(wsi, CLOSE_TOO_LARGE, "message too large");
            return;
        }
        input->message_length += header->length;
    }
    if (header->length > 0)
        return;
    if (wsi->state == CONNECTION_OPEN && !frame_is_control(header->first) &&
        payload_input_is_at_work(wsi))
        (void)unpack_payload(wsi, end, 0);
    else
        finish_piece(wsi, end, 0);
}

size_t websocket_input(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    struct websocket_input *input = &wsi->websocket;
    const struct frame_rules rules = {.masked = !wsi->is_client,
        .inside_message = input->message_opcode != FRAME_CONTINUATION,
        .reserved_allowed = extension_reserved_bits(wsi)};
    struct frame_header header;
    size_t used = 0;

    if (input->in_payload)
        return take_payload(wsi, bytes, length);
    switch (frame_decode(&input->decoder, &rules, bytes, length, &used, &header)) {
    case FRAME_MORE:
        break;
    case FRAME_READY:
        begin_frame(wsi, &header, bytes + used);
        break;
    case FRAME_BROKEN:
        websocket_fail(
            wsi, CLOSE_PROTOCOL_ERROR, frame_fault_text((enum frame_fault)input->decoder.fault));
        return length;
    }
    return used;
}

void websocket_heard(struct libwebsocket *wsi)
{
    if (wsi->state != CONNECTION_OPEN || !engine_of(wsi)->limits.ping_interval || wsi->broken)
        return;
    wsi->ping_waits = false;
    connection_set_due(wsi, engine_of(wsi)->limits.ping_interval);
}

bool websocket_input_keeps(const struct libwebsocket *wsi)
{
    const struct websocket_input *input = &wsi->websocket;

    return wsi->established && payload_input_is_at_work(wsi) && input->in_payload &&
           !frame_is_control(input->first) &&
           (input->remaining == 0 || extension_chain_pending(wsi, CHAIN_PAYLOAD));
}

void websocket_input_resume(struct libwebsocket *wsi)
{
    payload_input_resume(wsi);
    end_unpacked_frame(wsi);
}

void websocket_input_release(struct libwebsocket *wsi)
{
    free(wsi->websocket.partial);
    wsi->websocket.partial = NULL;
    extension_chain_drop(wsi, CHAIN_PAYLOAD);
}
