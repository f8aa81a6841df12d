#include "connection/payload_output.h"

#include "connection/drain.h"
#include "connection/extension.h"
#include "connection/websocket_output.h"

#include <errno.h>
#include <string.h>

/* A frame of the program's on its way. */
struct packing {
    struct libwebsocket *wsi;
    unsigned char first;
    unsigned char *payload; /* the program's */
    enum libwebsocket_write_protocol flags;
    unsigned char *room; /* RECEIVE_SIZE bytes with padding around them */
    unsigned char reserved_bits;
    bool begun; /* something of it has been sent */
};

bool payload_output_is_busy(const struct libwebsocket *wsi)
{
    const struct extension_set *set = extension_set_of(wsi);

    return set && (set->packing || set->sending);
}

static bool send_frame(struct packing *packing, unsigned char *payload, size_t length, bool is_last)
{
    unsigned char first = FRAME_CONTINUATION;

    if (!packing->begun) {
        first = packing->first & FRAME_OPCODE_BITS;
        if (first != FRAME_CONTINUATION)
            first |= packing->reserved_bits;
    }
    if (is_last)
        first |= packing->first & FRAME_FIN;
    packing->begun = true;
    return websocket_send_frame(packing->wsi, first, payload, length,
        (packing->flags & LWS_WRITE_CLIENT_IGNORE_XOR_MASK) != 0);
}

/* What has been through all of them. Around an extension's own memory there is no padding. */
static bool hand_over(struct packing *packing, unsigned char *bytes, size_t length, bool is_last)
{
    bool sent = true;

    if (bytes == packing->payload || bytes == packing->room)
        return send_frame(packing, bytes, length, is_last);
    do {
        size_t piece = length < RECEIVE_SIZE ? length : RECEIVE_SIZE;

        if (piece > 0) {
            memmove(packing->room, bytes, piece);
            bytes += piece;
        }
        length -= piece;
        sent = send_frame(packing, packing->room, piece, is_last && length == 0);
    } while (sent && length > 0);
    return sent;
}

/* False, with errno, where the connection is over. */
static bool call(struct packing *packing, struct active_extension *active,
    struct lws_extension_payload *payload, int *more)
{
    struct extension_set *set = extension_set_of(packing->wsi);

    payload->begins_message = !active->begun_sending;
    payload->reserved_bits = 0;
    payload->close_status = LWS_CLOSE_STATUS_UNEXPECTED_CONDITION;
    payload->close_reason = NULL;
    active->begun_sending = true;
    set->packing = true;
    *more = extension_call(packing->wsi, active, LWS_EXT_CALLBACK_PAYLOAD_TX, payload, 0);
    set->packing = false;
    packing->reserved_bits |= payload->reserved_bits;
    if (*more < 0 && packing->wsi->state == CONNECTION_OPEN) {
        extension_fail(packing->wsi, payload);
        errno = EIO;
        return false;
    }
    if (*more >= 0 && payload->data.token_len >= 0 &&
        (payload->data.token || payload->data.token_len == 0) &&
        (payload->reserved_bits & ~active->reserved_bits) == 0 &&
        packing->wsi->state == CONNECTION_OPEN)
        return true;
    return extension_cannot_send(packing->wsi);
}

/* Gives bytes to the extension at the index, and all that it makes of them to those after it. */
static bool pass_on(
    struct packing *packing, size_t index, unsigned char *bytes, size_t length, bool is_last)
{
    struct extension_set *set = extension_set_of(packing->wsi);
    struct lws_extension_payload payload = {.binary = set->sends_binary,
        .ends_message = is_last && (packing->first & FRAME_FIN) != 0,
        .uncompressed = set->sends_uncompressed};
    int more;

    if (index == set->count)
        return hand_over(packing, bytes, length, is_last);
    if (index == set->count - 1) {
        payload.room = (char *)packing->room;
        payload.room_size = RECEIVE_SIZE;
    }
    payload.data.token = (char *)bytes;
    payload.data.token_len = (int)length;
    do {
        if (!call(packing, &set->list[index], &payload, &more))
            return false;
        if ((payload.data.token_len > 0 || (more == 0 && is_last)) &&
            !pass_on(packing, index + 1, (unsigned char *)payload.data.token,
                (size_t)payload.data.token_len, is_last && more == 0))
            return false;
        payload.data.token_len = 0;
    } while (more > 0);
    return true;
}

bool payload_output_send(struct libwebsocket *wsi, unsigned char first, unsigned char *payload,
    size_t length, enum libwebsocket_write_protocol flags)
{
    struct extension_set *set = extension_set_of(wsi);
    unsigned char *buffer = engine_take_buffer(engine_of(wsi));
    struct packing packing = {.wsi = wsi, .first = first, .payload = payload, .flags = flags};
    bool sent;
    int saved;

    if (!buffer) {
        lwsl_err("connection %d: out of memory for a message\n", wsi->transport.fd);
        connection_die(wsi);
        errno = ENOMEM;
        return false;
    }
    packing.room = buffer + LWS_SEND_BUFFER_PRE_PADDING;
    if ((first & FRAME_OPCODE_BITS) != FRAME_CONTINUATION) {
        set->sends_uncompressed = (flags & LWS_WRITE_UNCOMPRESSED) != 0;
        set->sends_binary = (first & FRAME_OPCODE_BITS) == FRAME_BINARY;
        for (size_t i = 0; i < set->count; i++)
            set->list[i].begun_sending = false;
    }
    sent = pass_on(&packing, 0, payload, length, true);
    saved = errno;
    engine_return_buffer(engine_of(wsi), buffer);
    errno = saved;
    return sent;
}
