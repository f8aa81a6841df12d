/* The public functions about one connection: each checks, enters, and leaves it to its layer. */
#include "connection/connection.h"
#include "connection/drain.h"
#include "connection/extension.h"
#include "connection/http_exchange.h"
#include "connection/http_file.h"
#include "connection/http_response.h"
#include "connection/lifecycle.h"
#include "connection/payload_input.h"
#include "connection/payload_output.h"
#include "connection/receive.h"
#include "connection/websocket_close.h"
#include "connection/websocket_output.h"
#include "platform/socket.h"
#include "service/context.h"

#include <errno.h>
#include <string.h>

static int misuse(const char *what)
{
    lwsl_warn("%s: no connection that this can be done with\n", what);
    errno = EINVAL;
    return -1;
}

int libwebsocket_write(struct libwebsocket *wsi, unsigned char *buf, size_t len,
    enum libwebsocket_write_protocol protocol)
{
    bool http = (protocol & FRAME_OPCODE_BITS) == LWS_WRITE_HTTP;
    int result, saved;

    if (!wsi || connection_is_internal(wsi) || http == wsi->established ||
        (http ? wsi->is_client : connection_is_http(wsi)))
        return misuse("libwebsocket_write");
    if (!context_enter(context_of(wsi), CALL_PLAIN))
        return -1;
    result = http ? http_response_write(wsi, buf, len) : websocket_write(wsi, buf, len, protocol);
    saved = errno;
    (void)context_leave(context_of(wsi), CALL_PLAIN);
    errno = saved;
    return result;
}

int libwebsocket_read(
    struct libwebsocket_context *context, struct libwebsocket *wsi, unsigned char *buf, size_t len)
{
    struct libwebsocket_context *owner;
    bool taken;
    int saved;

    (void)context;
    if (!wsi || connection_is_internal(wsi) || connection_is_connecting(wsi) || (!buf && len > 0) ||
        wsi->transport.holds)
        return misuse("libwebsocket_read");
    owner = context_of(wsi);
    if (!context_enter(owner, CALL_SERVICE))
        return -1;
    taken = receive_given(wsi, buf, len);
    saved = errno;
    (void)context_leave(owner, CALL_SERVICE);
    errno = saved;
    return taken ? 0 : -1;
}

int libwebsocket_callback_on_writable(
    struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    (void)context;
    if (!wsi || wsi->broken ||
        (wsi->state != CONNECTION_OPEN && wsi->state != CONNECTION_HTTP_RESPONSE))
        return -1;
    if (wsi->wants_writable)
        return 1;
    if (!context_enter(context_of(wsi), CALL_PLAIN))
        return -1;
    if (!extension_call_active(wsi, LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE)) {
        wsi->wants_writable = true;
        if (!wsi->choked)
            queue_push(&engine_of(wsi)->work, &wsi->work);
    }
    (void)context_leave(context_of(wsi), CALL_PLAIN);
    return 1;
}

int lws_send_pipe_choked(struct libwebsocket *wsi)
{
    int choked;

    if (!wsi || wsi->state < CONNECTION_HTTP_HEAD || wsi->state == CONNECTION_DEAD || wsi->broken)
        return 1;
    if (!context_enter(context_of(wsi), CALL_PLAIN))
        return 1;
    if (!wsi->choked && !backlog_empty(&wsi->backlog))
        (void)connection_flush(wsi);
    choked = wsi->choked || wsi->state == CONNECTION_DEAD || wsi->broken;
    (void)context_leave(context_of(wsi), CALL_PLAIN);
    return choked;
}

int libwebsocket_rx_flow_control(struct libwebsocket *wsi, int enable)
{
    if (!wsi || !wsi->established)
        return misuse("libwebsocket_rx_flow_control");
    if (!context_enter(context_of(wsi), CALL_PLAIN))
        return -1;
    wsi->flow_stopped = !enable;
    connection_attend(wsi);
    (void)context_leave(context_of(wsi), CALL_PLAIN);
    return 0;
}

size_t libwebsockets_remaining_packet_payload(struct libwebsocket *wsi)
{
    if (!wsi || !wsi->established || !wsi->receiving)
        return 0;
    return wsi->websocket.in_payload ? (size_t)wsi->websocket.remaining + payload_input_known(wsi)
                                     : 0;
}

int libwebsocket_is_final_fragment(struct libwebsocket *wsi)
{
    return wsi && wsi->established && (wsi->websocket.first & FRAME_FIN);
}

unsigned char libwebsocket_get_reserved_bits(struct libwebsocket *wsi)
{
    return wsi && wsi->established ? wsi->websocket.first & FRAME_RESERVED_BITS : 0;
}

int lws_frame_is_binary(struct libwebsocket *wsi)
{
    return wsi && wsi->established && wsi->websocket.message_opcode == FRAME_BINARY;
}

int lws_get_close(struct libwebsocket *wsi, const char **reason, size_t *len)
{
    const struct rarely *rarely = wsi && !connection_is_internal(wsi) ? wsi->rarely : NULL;

    if (reason)
        *reason = rarely && rarely->close_reason ? rarely->close_reason : "";
    if (len)
        *len = rarely && rarely->close_reason ? rarely->close_reason_length : 0;
    return rarely && rarely->close_code ? rarely->close_code : LWS_CLOSE_STATUS_ABNORMAL_CLOSE;
}

int lws_close_reason(struct libwebsocket *wsi, int status, const void *reason, size_t len)
{
    if (!wsi || wsi->state != CONNECTION_OPEN)
        return misuse("lws_close_reason");
    return websocket_stage_close(wsi, status, reason, len);
}

int lws_close(struct libwebsocket *wsi, int status, const void *reason, size_t len)
{
    struct libwebsocket_context *context;

    if (!wsi || connection_is_internal(wsi))
        return misuse("lws_close");
    if (payload_output_is_busy(wsi)) {
        lwsl_warn("lws_close: from inside an extension that is sending\n");
        errno = EBUSY;
        return -1;
    }
    if (websocket_check_close(status, reason, len) < 0 ||
        (wsi->state == CONNECTION_OPEN && websocket_stage_close(wsi, status, reason, len) < 0))
        return -1;
    context = context_of(wsi);
    if (!context_enter(context, CALL_ENDING))
        return -1;
    connection_close_gracefully(wsi);
    (void)context_leave(context, CALL_ENDING);
    return 0;
}

void libwebsocket_set_timeout(struct libwebsocket *wsi, enum pending_timeout reason, int secs)
{
    uint64_t wait = secs > 0 ? (uint64_t)secs * 1000 : 0;

    if (!wsi || connection_is_internal(wsi) || wsi->state == CONNECTION_DEAD)
        return;
    if (!context_enter(context_of(wsi), CALL_PLAIN))
        return;
    if (!connection_set_user_due(
            wsi, reason == NO_PENDING_TIMEOUT ? 0 : engine_of(wsi)->now + wait)) {
        lwsl_err("connection %d: out of memory for a deadline\n", wsi->transport.fd);
        connection_die(wsi);
    }
    (void)context_leave(context_of(wsi), CALL_PLAIN);
}

int libwebsocket_get_socket_fd(struct libwebsocket *wsi)
{
    return wsi ? wsi->transport.fd : -1;
}

const struct libwebsocket_protocols *libwebsockets_get_protocol(struct libwebsocket *wsi)
{
    return wsi ? wsi->protocol->element : NULL;
}

void libwebsockets_get_peer_addresses(struct libwebsocket_context *context,
    struct libwebsocket *wsi, int fd, char *name, int name_len, char *rip, int rip_len)
{
    (void)context;
    (void)wsi;
    if (name && name_len > 0)
        socket_peer(fd, name, (size_t)name_len);
    if (rip && rip_len > 0)
        socket_peer(fd, rip, (size_t)rip_len);
}

int libwebsockets_serve_http_file(struct libwebsocket_context *context, struct libwebsocket *wsi,
    const char *file, const char *content_type)
{
    int result, saved;

    (void)context;
    if (!wsi || !connection_is_http(wsi))
        return misuse("libwebsockets_serve_http_file");
    if (!context_enter(context_of(wsi), CALL_PLAIN))
        return -1;
    result = http_file_serve(wsi, file, content_type);
    saved = errno;
    (void)context_leave(context_of(wsi), CALL_PLAIN);
    errno = saved;
    return result;
}

int libwebsockets_serve_http_file_fragment(
    struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    (void)context;
    if (!wsi || !connection_is_http(wsi) || !http_exchange_sends_file(wsi))
        return misuse("libwebsockets_serve_http_file_fragment");
    if (!context_enter(context_of(wsi), CALL_PLAIN))
        return -1;
    connection_schedule(wsi);
    (void)context_leave(context_of(wsi), CALL_PLAIN);
    return 0;
}

int lws_hdr_total_length(struct libwebsocket *wsi, enum lws_token_indexes h)
{
    const struct lws_tokens *token = wsi ? connection_header_token(wsi, h) : NULL;

    return token ? token->token_len : 0;
}

int lws_hdr_copy(struct libwebsocket *wsi, char *dest, int len, enum lws_token_indexes h)
{
    const struct lws_tokens *token = wsi ? connection_header_token(wsi, h) : NULL;

    if (!token)
        return 0;
    if (!dest || len <= token->token_len)
        return -1;
    memcpy(dest, token->token, (size_t)token->token_len + 1);
    return token->token_len;
}
