#include "connection/websocket_close.h"

#include "codec/close_payload.h"
#include "connection/receive.h"
#include "connection/websocket_input.h"
#include "connection/websocket_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LAST_READS = 16 };

static int misuse(const char *what)
{
    lwsl_warn("close: %s\n", what);
    errno = EINVAL;
    return -1;
}

/* A copy with a NUL behind it; NULL where memory is short. */
static char *copy_reason(const void *reason, size_t length)
{
    char *copy = malloc(length + 1);

    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, reason, length);
    copy[length] = '\0';
    return copy;
}

int websocket_stage_close(struct libwebsocket *wsi, int status, const void *reason, size_t length)
{
    unsigned char payload[FRAME_CONTROL_PAYLOAD_MAX];
    unsigned int code =
        status == LWS_CLOSE_STATUS_NOSTATUS ? CLOSE_NO_STATUS : (unsigned int)status;
    unsigned int checked;
    char *copy;

    if (status < 0 || (code != CLOSE_NO_STATUS && !close_code_is_valid(code)))
        return misuse("not a code that may be sent");
    if (status == CLOSE_NO_STATUS && status != LWS_CLOSE_STATUS_NOSTATUS)
        return misuse("1005 stands for no code and is never sent");
    if (length > CLOSE_REASON_MAX || (length > 0 && (!reason || code == CLOSE_NO_STATUS)))
        return misuse("a reason that does not fit");
    if (close_payload_decode(payload, close_payload_encode(payload, code, reason, length),
            &checked) != CLOSE_PAYLOAD_GOOD)
        return misuse("a reason that is not UTF-8");
    copy = copy_reason(reason, length);
    if (!copy || !connection_rarely(wsi)) {
        free(copy);
        errno = ENOMEM;
        return -1;
    }
    free(wsi->rarely->staged_reason);
    wsi->rarely->staged_reason = copy;
    wsi->rarely->staged_reason_length = (unsigned char)length;
    wsi->rarely->staged_code = (int)code;
    return 0;
}

void websocket_close_with(struct libwebsocket *wsi, const unsigned char *payload, size_t length)
{
    if (wsi->state != CONNECTION_OPEN)
        return;
    if (wsi->broken || !websocket_send_control(wsi, FRAME_CLOSE, payload, length)) {
        connection_die(wsi);
        return;
    }
    wsi->state = CONNECTION_CLOSE_SENT;
    /* What has come of a frame is of no use any more; the rest of it is passed over. */
    websocket_input_release(&wsi->websocket);
    wsi->wants_writable = false;
    connection_set_due(wsi, engine_of(wsi)->limits.close_timeout);
    connection_attend(wsi);
}

void websocket_close_staged(struct libwebsocket *wsi)
{
    unsigned char payload[FRAME_CONTROL_PAYLOAD_MAX];
    size_t length;

    if (wsi->rarely && wsi->rarely->staged_code)
        length = close_payload_encode(payload, (unsigned int)wsi->rarely->staged_code,
            wsi->rarely->staged_reason, wsi->rarely->staged_reason_length);
    else
        length = close_payload_encode(payload, CLOSE_NORMAL, NULL, 0);
    websocket_close_with(wsi, payload, length);
}

void websocket_fail(struct libwebsocket *wsi, unsigned int code, const char *why)
{
    unsigned char payload[FRAME_CONTROL_PAYLOAD_MAX];

    lwsl_notice("connection %d: failed with %u: %s\n", wsi->transport.fd, code, why);
    if (wsi->state == CONNECTION_OPEN)
        websocket_close_with(wsi, payload, close_payload_encode(payload, code, why, strlen(why)));
    if (wsi->state == CONNECTION_CLOSE_SENT)
        connection_drain(wsi);
}

static void remember(
    struct libwebsocket *wsi, unsigned int code, const unsigned char *reason, size_t length)
{
    struct rarely *rarely = connection_rarely(wsi);
    char *copy = copy_reason(reason, length);

    if (!rarely || !copy) {
        lwsl_err("connection %d: out of memory for a close reason\n", wsi->transport.fd);
        free(copy);
        return;
    }
    free(rarely->close_reason);
    rarely->close_reason = copy;
    rarely->close_reason_length = (unsigned char)length;
    rarely->close_code = (int)code;
}

void websocket_close_received(struct libwebsocket *wsi, const unsigned char *payload, size_t length)
{
    unsigned int code = CLOSE_NO_STATUS;

    /* Whatever it says, the peer has said its last. */
    wsi->both_closed = true;
    switch (close_payload_decode(payload, length, &code)) {
    case CLOSE_PAYLOAD_GOOD:
        break;
    case CLOSE_PAYLOAD_BAD_LENGTH:
        websocket_fail(wsi, CLOSE_PROTOCOL_ERROR, "close frame of bad length");
        return;
    case CLOSE_PAYLOAD_BAD_CODE:
        websocket_fail(wsi, CLOSE_PROTOCOL_ERROR, "close code that must not be sent");
        return;
    case CLOSE_PAYLOAD_BAD_REASON:
        websocket_fail(wsi, CLOSE_INVALID_PAYLOAD, "close reason is not UTF-8");
        return;
    }
    remember(wsi, code, payload + 2, length > 2 ? length - 2 : 0);
    websocket_close_with(wsi, payload, length);
    if (wsi->state == CONNECTION_CLOSE_SENT)
        connection_drain(wsi);
}

/* Empties the socket, because closing one with unread bytes resets what was sent before. */
static enum transport_result discard_input(struct libwebsocket *wsi)
{
    unsigned char *buffer = engine_take_buffer(engine_of(wsi));
    enum transport_result result = TRANSPORT_DONE;
    size_t length;

    if (!buffer)
        return TRANSPORT_FAILED;
    for (int i = 0; i < LAST_READS && result == TRANSPORT_DONE; i++)
        result = transport_receive(&wsi->transport, buffer, RECEIVE_SIZE, &length);
    engine_return_buffer(engine_of(wsi), buffer);
    return result;
}

void connection_drain_step(struct libwebsocket *wsi)
{
    if (wsi->state != CONNECTION_DRAINING || !backlog_empty(&wsi->backlog) || wsi->finished)
        return;
    wsi->finished = true;
    transport_finish(&wsi->transport);
    /* Where both sides have said all, a server is the first to hang up (RFC 6455, 7.1.1). */
    if (wsi->input_ended || (wsi->both_closed && discard_input(wsi) != TRANSPORT_DONE))
        connection_die(wsi);
}

void connection_leave(struct libwebsocket *wsi)
{
    if (connection_flush(wsi) && !wsi->finished) {
        transport_finish(&wsi->transport);
        (void)discard_input(wsi);
    }
    connection_die(wsi);
}

void websocket_close_at_once(struct libwebsocket *wsi, unsigned int code, const char *why)
{
    unsigned char payload[FRAME_CONTROL_PAYLOAD_MAX];

    websocket_close_with(wsi, payload, close_payload_encode(payload, code, why, strlen(why)));
    if (wsi->state != CONNECTION_DEAD)
        connection_leave(wsi);
}
