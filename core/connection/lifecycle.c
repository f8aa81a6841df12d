#include "connection/lifecycle.h"

#include "codec/close_payload.h"
#include "connection/client.h"
#include "connection/drain.h"
#include "connection/extension.h"
#include "connection/http_exchange.h"
#include "connection/http_file.h"
#include "connection/http_response.h"
#include "connection/receive.h"
#include "connection/starting.h"
#include "connection/websocket_close.h"
#include "connection/websocket_output.h"

#include <poll.h>

void connection_ready(struct libwebsocket *wsi, short events)
{
    unsigned char ready = (unsigned char)(events & wsi->announced);

    if (wsi->extended)
        extension_set_of(wsi)->asked = false;
    if (events & (POLLHUP | POLLERR | POLLNVAL)) {
        ready |= wsi->announced;
        if (wsi->announced == 0) {
            /* Nobody waits for anything: a stopped WebSocket is kept, an HTTP client has gone. */
            if (connection_is_http(wsi))
                connection_die(wsi);
            else
                wsi->hung_up = true;
            connection_attend(wsi);
            return;
        }
    }
    if (wsi->state == CONNECTION_STARTING) {
        if (ready)
            starting_continue(wsi);
        return;
    }
    if (wsi->choked && (ready & wsi->transport.write_events) && connection_flush(wsi) &&
        wsi->state == CONNECTION_HTTP_RESPONSE)
        http_file_continue(wsi);
    if (ready & wsi->transport.read_events)
        receive_some(wsi);
    connection_attend(wsi);
}

static bool program_may_write(const struct libwebsocket *wsi)
{
    if (!connection_is_writable(wsi) || engine_of(wsi)->ending)
        return false;
    return wsi->state == CONNECTION_OPEN || wsi->http->answer == HTTP_ANSWER_NONE ||
           wsi->http->answer == HTTP_ANSWER_RAW;
}

static void say_writeable(struct libwebsocket *wsi)
{
    wsi->wants_writable = false;
    if (wsi->extended) {
        if (extension_call_active(wsi, LWS_EXT_CALLBACK_IS_WRITEABLE))
            return;
        /* It may have written something, which has to go first. */
        wsi->wants_writable = !program_may_write(wsi);
        if (wsi->wants_writable)
            return;
    }
    if (wsi->state == CONNECTION_OPEN) {
        if (connection_callback(wsi,
                wsi->is_client ? LWS_CALLBACK_CLIENT_WRITEABLE : LWS_CALLBACK_SERVER_WRITEABLE,
                NULL, 0))
            connection_close_gracefully(wsi);
    } else if (connection_callback(wsi, LWS_CALLBACK_HTTP_WRITEABLE, NULL, 0) < 0) {
        connection_close_gracefully(wsi);
    }
}

static void ask_extensions(struct libwebsocket *wsi)
{
    wsi->asked_for_all = false;
    if (wsi->state == CONNECTION_OPEN && !wsi->broken && !wsi->wants_writable &&
        !extension_call_active(wsi, LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE))
        wsi->wants_writable = true;
}

void connection_work(struct libwebsocket *wsi)
{
    connection_attend(wsi);
    /* What cannot be done inside its own callback is queued again as that returns. */
    if (wsi->callbacks > 0)
        return;
    if (wsi->resume) {
        wsi->resume = false;
        if (wsi->state == CONNECTION_HTTP_RESPONSE)
            http_file_continue(wsi);
        if (receive_can_resume(wsi))
            receive_some(wsi);
    }
    if (wsi->asked_for_all)
        ask_extensions(wsi);
    if (wsi->wants_writable) {
        if (!wsi->choked)
            (void)connection_flush(wsi);
        if (program_may_write(wsi))
            say_writeable(wsi);
    }
}

static void ping_or_give_up(struct libwebsocket *wsi)
{
    const struct limits *limits = &engine_of(wsi)->limits;

    if (wsi->flow_stopped || receive_keeps(wsi)) {
        /* What the peer says is not being read, and so its silence means nothing. */
        connection_set_due(wsi, limits->ping_interval);
    } else if (wsi->ping_waits) {
        lwsl_notice("connection %d: no answer to a ping\n", wsi->transport.fd);
        websocket_close_at_once(wsi, CLOSE_UNEXPECTED, "no answer to a ping");
    } else {
        wsi->ping_waits = true;
        connection_progress(wsi);
        (void)websocket_send_control(wsi, FRAME_PING, NULL, 0);
    }
}

static void engine_deadline(struct libwebsocket *wsi)
{
    if (connection_is_taken_from(wsi)) {
        connection_progress(wsi);
        return;
    }
    switch ((enum connection_state)wsi->state) {
    case CONNECTION_HTTP_HEAD:
    case CONNECTION_HTTP_BODY:
    case CONNECTION_HTTP_RESPONSE:
        http_response_late(wsi);
        break;
    case CONNECTION_OPEN:
        if (wsi->broken)
            connection_die(wsi);
        else
            ping_or_give_up(wsi);
        break;
    case CONNECTION_CLOSE_SENT:
    case CONNECTION_DRAINING:
        lwsl_info("connection %d: the peer did not end it in time\n", wsi->transport.fd);
        connection_die(wsi);
        break;
    case CONNECTION_STARTING:
        starting_late(wsi);
        break;
    case CONNECTION_CONNECTING:
    case CONNECTION_PROXY:
    case CONNECTION_HANDSHAKE:
        client_late(wsi);
        break;
    case CONNECTION_LISTENER:
    case CONNECTION_WAKE:
    case CONNECTION_TIMER:
    case CONNECTION_BROADCASTS:
    case CONNECTION_LOOKUP:
    case CONNECTION_ATTEMPT:
    case CONNECTION_DEAD:
        break;
    }
}

void connection_late(struct libwebsocket *wsi)
{
    bool user =
        wsi->rarely && wsi->rarely->user_due && wsi->rarely->user_due <= engine_of(wsi)->now;
    bool engine = wsi->engine_due && wsi->engine_due <= engine_of(wsi)->now;

    connection_attend(wsi);
    if (engine) {
        connection_set_due(wsi, 0);
        engine_deadline(wsi);
    }
    if (user) {
        (void)connection_set_user_due(wsi, 0);
        connection_close_gracefully(wsi);
    }
}

void connection_settle(struct libwebsocket *wsi)
{
    if (!wsi->choked && !backlog_empty(&wsi->backlog))
        (void)connection_flush(wsi);
    connection_drain_step(wsi);
    if (wsi->callbacks > 0)
        return;
    if (receive_can_resume(wsi))
        wsi->resume = true;
    if (wsi->resume || wsi->asked_for_all || (wsi->wants_writable && program_may_write(wsi)))
        queue_push(&engine_of(wsi)->work, &wsi->work);
}

void connection_close_gracefully(struct libwebsocket *wsi)
{
    if (wsi->state == CONNECTION_OPEN)
        websocket_close_staged(wsi);
    else if (connection_is_connecting(wsi))
        client_fail(wsi, "given up by the program");
    else if (wsi->state == CONNECTION_STARTING)
        connection_die(wsi);
    else
        http_response_abandon(wsi);
}

void connection_close_at_once(struct libwebsocket *wsi, unsigned int code, const char *words)
{
    if (wsi->state == CONNECTION_OPEN)
        websocket_close_at_once(wsi, code, "");
    else if (connection_is_connecting(wsi))
        client_fail(wsi, words);
    else if (wsi->state == CONNECTION_STARTING)
        connection_die(wsi);
    else if (wsi->state != CONNECTION_DEAD)
        connection_leave(wsi);
}
