#include "connection/websocket_output.h"

#include "codec/close_payload.h"
#include "codec/mask.h"
#include "connection/drain.h"
#include "connection/extension.h"
#include "connection/payload_output.h"
#include "connection/websocket_close.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The payload is the caller's, and is put back to what it was. */
static bool send_masked(struct libwebsocket *wsi, unsigned char first, unsigned char *payload,
    size_t length, bool with_zeros)
{
    struct engine *engine = engine_of(wsi);
    unsigned char mask[4] = {0};
    size_t header;
    bool sent;
    int saved;

    if (!with_zeros && !engine->defeat_masks &&
        !mask_pool_take(&engine->masks, fork_guard_process(&engine->guard), mask)) {
        lwsl_err("connection %d: no random numbers for a mask\n", wsi->transport.fd);
        connection_die(wsi);
        errno = EIO;
        return false;
    }
    header = frame_encode(payload, first, length, mask);
    (void)mask_apply(payload, length, mask, 0);
    sent = connection_send(wsi, payload - header, header + length);
    saved = errno;
    (void)mask_apply(payload, length, mask, 0);
    errno = saved;
    return sent;
}

bool websocket_send_frame(struct libwebsocket *wsi, unsigned char first, unsigned char *payload,
    size_t length, bool with_zeros)
{
    size_t header;

    if (wsi->is_client)
        return send_masked(wsi, first, payload, length, with_zeros);
    header = frame_encode(payload, first, length, NULL);
    return connection_send(wsi, payload - header, header + length);
}

static bool send_control(struct libwebsocket *wsi, unsigned char opcode, const void *payload,
    size_t length, bool with_zeros)
{
    unsigned char frame[FRAME_HEADER_MAX + FRAME_CONTROL_PAYLOAD_MAX];

    if (length > 0)
        memcpy(frame + FRAME_HEADER_MAX, payload, length);
    return websocket_send_frame(
        wsi, FRAME_FIN | opcode, frame + FRAME_HEADER_MAX, length, with_zeros);
}

bool websocket_send_control(
    struct libwebsocket *wsi, unsigned char opcode, const void *payload, size_t length)
{
    return send_control(wsi, opcode, payload, length, false);
}

struct waiting_pong {
    unsigned char length;
    unsigned char payload[];
};

/* In place of one that waits already. */
static void keep_pong(struct libwebsocket *wsi, const unsigned char *payload, size_t length)
{
    struct waiting_pong *pong = realloc(wsi->rarely->pong, sizeof(*pong) + length);

    if (!pong) {
        lwsl_err("connection %d: out of memory for a pong\n", wsi->transport.fd);
        connection_die(wsi);
        return;
    }
    wsi->rarely->pong = pong;
    pong->length = (unsigned char)length;
    if (length > 0)
        memcpy(pong->payload, payload, length);
}

void websocket_send_pong(struct libwebsocket *wsi, const unsigned char *payload, size_t length)
{
    bool choked = wsi->choked;

    if (wsi->state != CONNECTION_OPEN || wsi->broken)
        return;
    if (choked && !connection_rarely(wsi)) {
        lwsl_err("connection %d: out of memory for a pong\n", wsi->transport.fd);
        connection_die(wsi);
        return;
    }
    if (choked && wsi->rarely->pong_ahead > 0) {
        keep_pong(wsi, payload, length);
        return;
    }
    /* A failure has ended the connection, which is all there is to do about it. */
    (void)websocket_send_control(wsi, FRAME_PONG, payload, length);
    if (choked)
        wsi->rarely->pong_ahead = wsi->backlog.bytes;
}

void websocket_pong_sent(struct libwebsocket *wsi, size_t moved)
{
    struct rarely *rarely = wsi->rarely;

    if (rarely)
        rarely->pong_ahead -= moved < rarely->pong_ahead ? moved : rarely->pong_ahead;
    websocket_send_waiting_pong(wsi);
}

void websocket_send_waiting_pong(struct libwebsocket *wsi)
{
    struct waiting_pong *pong = wsi->rarely ? wsi->rarely->pong : NULL;

    if (!pong || wsi->rarely->pong_ahead > 0 || (wsi->extended && extension_set_of(wsi)->sending))
        return;
    wsi->rarely->pong = NULL;
    websocket_send_pong(wsi, pong->payload, pong->length);
    free(pong);
}

static int misuse(const struct libwebsocket *wsi, const char *what)
{
    lwsl_warn("libwebsocket_write: connection %d: %s\n", wsi->transport.fd, what);
    errno = EINVAL;
    return -1;
}

static int write_close(struct libwebsocket *wsi, const unsigned char *payload, size_t length)
{
    unsigned int code;

    if (close_payload_decode(payload, length, &code) != CLOSE_PAYLOAD_GOOD)
        return misuse(wsi, "no valid close code and reason");
    return websocket_close_with(wsi, payload, length) ? (int)length : -1;
}

/* Whether another frame may be kept where the system does not take it. */
static bool has_room(struct libwebsocket *wsi)
{
    size_t limit = engine_of(wsi)->limits.backlog;

    if (wsi->backlog.bytes >= limit && !wsi->choked)
        (void)connection_flush(wsi);
    if (wsi->state != CONNECTION_OPEN || wsi->broken)
        errno = EPIPE;
    else if (wsi->backlog.bytes >= limit)
        errno = EAGAIN;
    else
        return true;
    return false;
}

static int write_control(struct libwebsocket *wsi, unsigned char *payload, size_t length,
    enum libwebsocket_write_protocol kind, bool with_zeros)
{
    if (length > FRAME_CONTROL_PAYLOAD_MAX)
        return misuse(wsi, "more than 125 bytes in a control frame");
    if (kind == LWS_WRITE_CLOSE)
        return write_close(wsi, payload, length);
    if (!has_room(wsi) || !send_control(wsi, kind == LWS_WRITE_PING ? FRAME_PING : FRAME_PONG,
                              payload, length, with_zeros))
        return -1;
    return (int)length;
}

int websocket_write(struct libwebsocket *wsi, unsigned char *payload, size_t length,
    enum libwebsocket_write_protocol protocol)
{
    enum libwebsocket_write_protocol kind =
        (enum libwebsocket_write_protocol)(protocol & FRAME_OPCODE_BITS);
    unsigned char first = (protocol & LWS_WRITE_NO_FIN) ? 0 : FRAME_FIN;
    unsigned char empty[LWS_SEND_BUFFER_PRE_PADDING + LWS_SEND_BUFFER_POST_PADDING];
    bool with_zeros = (protocol & LWS_WRITE_CLIENT_IGNORE_XOR_MASK) != 0;
    bool sent;

    if (payload_output_is_busy(wsi)) {
        lwsl_warn("libwebsocket_write: connection %d: from inside an extension that is sending\n",
            wsi->transport.fd);
        errno = EBUSY;
        return -1;
    }
    if (wsi->state != CONNECTION_OPEN || wsi->broken) {
        errno = EPIPE;
        return -1;
    }
    if (!payload && length > 0)
        return misuse(wsi, "no payload");
    if (length > INT_MAX)
        return misuse(wsi, "more than 2 GiB in one call");
    switch (kind) {
    case LWS_WRITE_TEXT:
    case LWS_WRITE_BINARY:
        if (wsi->in_message)
            return misuse(wsi, "a new message inside another");
        first |= kind == LWS_WRITE_TEXT ? FRAME_TEXT : FRAME_BINARY;
        break;
    case LWS_WRITE_CONTINUATION:
        if (!wsi->in_message)
            return misuse(wsi, "a continuation of nothing");
        first |= FRAME_CONTINUATION;
        break;
    case LWS_WRITE_CLOSE:
    case LWS_WRITE_PING:
    case LWS_WRITE_PONG:
        return write_control(wsi, payload, length, kind, with_zeros);
    default:
        return misuse(wsi, "no kind of frame");
    }
    if (!has_room(wsi))
        return -1;
    if (!payload)
        payload = empty + LWS_SEND_BUFFER_PRE_PADDING;
    if (wsi->extended)
        sent = payload_output_send(wsi, first, payload, length, protocol);
    else
        sent = websocket_send_frame(wsi, first, payload, length, with_zeros);
    if (!sent)
        return -1;
    wsi->in_message = !(first & FRAME_FIN);
    return (int)length;
}
