#include "connection/message_delivery.h"

#include "codec/close_payload.h"
#include "connection/websocket_close.h"

#include <string.h>

bool message_check_text(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    struct websocket_input *input = &wsi->websocket;

    if (wsi->state != CONNECTION_OPEN || input->message_opcode != FRAME_TEXT ||
        utf8_check(&input->utf8, bytes, length) == length)
        return true;
    websocket_fail(wsi, CLOSE_INVALID_PAYLOAD, "text is not UTF-8");
    return false;
}

void message_deliver(struct libwebsocket *wsi, unsigned char *payload, size_t length)
{
    unsigned char behind[LWS_SEND_BUFFER_POST_PADDING];
    int result;

    if (wsi->state != CONNECTION_OPEN)
        return;
    memcpy(behind, payload + length, sizeof(behind));
    payload[length] = '\0';
    result = connection_callback(
        wsi, wsi->is_client ? LWS_CALLBACK_CLIENT_RECEIVE : LWS_CALLBACK_RECEIVE, payload, length);
    memcpy(payload + length, behind, sizeof(behind));
    if (result < 0 || (result > 0 && wsi->is_client))
        websocket_close_staged(wsi);
}

void message_deliver_last(
    struct libwebsocket *wsi, unsigned char *payload, size_t length, bool ends_message)
{
    const struct websocket_input *input = &wsi->websocket;

    if (wsi->state == CONNECTION_OPEN && ends_message && input->message_opcode == FRAME_TEXT &&
        !utf8_complete(input->utf8)) {
        websocket_fail(wsi, CLOSE_INVALID_PAYLOAD, "text ends inside a character");
        return;
    }
    if (length > 0 || ends_message)
        message_deliver(wsi, payload, length);
}
