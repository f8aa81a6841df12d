#include "connection/websocket_close.h"

#include "codec/close_payload.h"
#include "connection/drain.h"
#include "connection/extension_stream.h"
#include "connection/websocket_input.h"
#include "connection/websocket_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int misuse(const char *what)
{
    lwsl_warn("close: %s\n", what);
    errno = EINVAL;
    return -1;
}

/* A frame without a code is asked for by 0, and known by the code that stands for none. */
static unsigned int wire_code(int status)
{
    return status == LWS_CLOSE_STATUS_NOSTATUS ? CLOSE_NO_STATUS : (unsigned int)status;
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

int websocket_check_close(int status, const void *reason, size_t length)
{
    unsigned char payload[FRAME_CONTROL_PAYLOAD_MAX];
    unsigned int code = wire_code(status);

    if (status < 0 || status == CLOSE_NO_STATUS ||
        (code != CLOSE_NO_STATUS && !close_code_is_valid(code)))
        return misuse("not a code that may be sent");
    if (length > CLOSE_REASON_MAX || (length > 0 && (!reason || code == CLOSE_NO_STATUS)))
        return misuse("a reason that does not fit");
    length = close_payload_encode(payload, code, reason, length);
    if (close_payload_decode(payload, length, &code) != CLOSE_PAYLOAD_GOOD)
        return misuse("a reason that is not UTF-8");
    return 0;
}

int websocket_stage_close(struct libwebsocket *wsi, int status, const void *reason, size_t length)
{
    char *copy;

    if (websocket_check_close(status, reason, length) < 0)
        return -1;
    copy = copy_reason(reason, length);
    if (!copy || !connection_rarely(wsi)) {
        free(copy);
        errno = ENOMEM;
        return -1;
    }
    free(wsi->rarely->staged_reason);
    wsi->rarely->staged_reason = copy;
    wsi->rarely->staged_reason_length = (unsigned char)length;
    wsi->rarely->staged_code = (int)wire_code(status);
    return 0;
}

bool websocket_close_with(struct libwebsocket *wsi, const unsigned char *payload, size_t length)
{
    if (wsi->state != CONNECTION_OPEN)
        return true;
    if (wsi->broken || !websocket_send_control(wsi, FRAME_CLOSE, payload, length)) {
        connection_die(wsi);
        return false;
    }
    wsi->state = CONNECTION_CLOSE_SENT;
    extension_stream_flush(wsi);
    if (wsi->state != CONNECTION_CLOSE_SENT)
        return false;
    /* What has come of a data frame is of no use any more; the rest of it is passed over. */
    if (!frame_is_control(wsi->websocket.first))
        websocket_input_release(wsi);
    wsi->wants_writable = false;
    connection_progress(wsi);
    connection_attend(wsi);
    return true;
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
    (void)websocket_close_with(wsi, payload, length);
}

void websocket_fail(struct libwebsocket *wsi, unsigned int code, const char *why)
{
    unsigned char payload[FRAME_CONTROL_PAYLOAD_MAX];

    lwsl_notice("connection %d: failed with %u: %s\n", wsi->transport.fd, code, why);
    if (wsi->state == CONNECTION_OPEN)
        (void)websocket_close_with(
            wsi, payload, close_payload_encode(payload, code, why, strlen(why)));
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
    (void)websocket_close_with(wsi, payload, length);
    if (wsi->state == CONNECTION_CLOSE_SENT)
        connection_drain(wsi);
}

void websocket_close_at_once(struct libwebsocket *wsi, unsigned int code, const char *why)
{
    unsigned char payload[FRAME_CONTROL_PAYLOAD_MAX];

    (void)websocket_close_with(wsi, payload, close_payload_encode(payload, code, why, strlen(why)));
    if (wsi->state != CONNECTION_DEAD)
        connection_leave(wsi);
}
