#include "connection/connection.h"

#include "connection/client.h"
#include "connection/drain.h"
#include "connection/extension.h"
#include "connection/http_exchange.h"
#include "connection/receive.h"
#include "connection/websocket_input.h"
#include "platform/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct libwebsocket *connection_create(struct engine *engine, int fd)
{
    struct libwebsocket *wsi = calloc(1, sizeof(*wsi));

    if (!wsi)
        return NULL;
    wsi->protocol = &engine->protocols[0];
    wsi->state = CONNECTION_HTTP_HEAD;
    transport_plain(&wsi->transport, fd);
    list_init(&wsi->protocol_node);
    deadline_init(&wsi->deadline);
    return wsi;
}

void connection_release(struct libwebsocket *wsi)
{
    if (wsi->established)
        websocket_input_release(wsi);
    else if (wsi->is_client)
        client_free(wsi);
    else if (!connection_is_internal(wsi))
        http_exchange_free(wsi);
    extension_release(wsi);
    list_cursors_leave(wsi->protocol->cursors, &wsi->protocol_node);
    list_remove(&wsi->protocol_node);
    deadline_cancel(&engine_of(wsi)->wheel, &wsi->deadline);
    receive_drop(wsi);
    backlog_clear(&wsi->backlog);
    if (wsi->rarely) {
        free(wsi->rarely->close_reason);
        free(wsi->rarely->staged_reason);
        free(wsi->rarely->pong);
        free(wsi->rarely);
        wsi->rarely = NULL;
    }
    if (!wsi->session_lent)
        free(wsi->session);
    wsi->session = NULL;
    transport_close(&wsi->transport);
}

const struct lws_tokens *connection_header_token(
    const struct libwebsocket *wsi, enum lws_token_indexes index)
{
    const struct header_tokens *tokens = NULL;

    if (connection_is_http(wsi) && wsi->http)
        tokens = &wsi->http->tokens;
    else if (wsi->state == CONNECTION_HANDSHAKE)
        tokens = &wsi->client->answer.tokens;
    if (!tokens || (int)index < 0 || index >= WSI_TOKEN_COUNT || !tokens->list[index].token)
        return NULL;
    return &tokens->list[index];
}

void connection_attend(struct libwebsocket *wsi)
{
    wsi->changed = true;
    queue_push(&engine_of(wsi)->attention, &wsi->attention);
}

void connection_schedule(struct libwebsocket *wsi)
{
    wsi->resume = true;
    queue_push(&engine_of(wsi)->work, &wsi->work);
}

int engine_callback(struct engine *engine, struct protocol *protocol,
    enum libwebsocket_callback_reasons reason, void *user)
{
    return protocol_call(protocol, engine->context, NULL, reason, user, NULL, 0);
}

void connection_begin_callback(struct libwebsocket *wsi)
{
    wsi->callbacks++;
}

void connection_end_callback(struct libwebsocket *wsi)
{
    wsi->callbacks--;
    /* Deadlines that are set from here on count from now, however long the program took. */
    engine_of(wsi)->now = clock_now();
    connection_attend(wsi);
}

int connection_callback_as(struct libwebsocket *wsi, struct protocol *protocol,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t length)
{
    int result;

    connection_begin_callback(wsi);
    result = protocol_call(protocol, engine_of(wsi)->context, wsi, reason, user, in, length);
    connection_end_callback(wsi);
    return result;
}

int connection_callback(
    struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *in, size_t length)
{
    return connection_callback_as(wsi, wsi->protocol, reason, wsi->session, in, length);
}

void *connection_session(struct libwebsocket *wsi)
{
    if (!wsi->session && wsi->protocol->session_size)
        wsi->session = calloc(1, wsi->protocol->session_size);
    return wsi->session;
}

/* Whether what runs is the time that a peer has for taking what was sent. */
static bool peer_is_to_take(const struct libwebsocket *wsi)
{
    switch ((enum connection_state)wsi->state) {
    case CONNECTION_HTTP_HEAD:
    case CONNECTION_HTTP_RESPONSE:
        return wsi->choked;
    case CONNECTION_OPEN:
        return wsi->choked && wsi->ping_waits;
    case CONNECTION_CLOSE_SENT:
    case CONNECTION_DRAINING:
        return true;
    default:
        return false;
    }
}

/* Where memory is short for that, only what the system says counts for the peer. */
static void note_untaken(struct libwebsocket *wsi)
{
    size_t untaken = peer_is_to_take(wsi) ? transport_untaken(&wsi->transport) : 0;

    if (untaken > 0 ? connection_rarely(wsi) != NULL : wsi->rarely != NULL)
        wsi->rarely->untaken = untaken;
}

/*
 * The system says that there is room only when a third of its buffer is free, which may be
 * megabytes, and where nothing more is to be sent it says nothing. So a slow peer is told from one
 * that takes nothing by asking.
 */
bool connection_is_taken_from(const struct libwebsocket *wsi)
{
    size_t untaken;

    if (!wsi->rarely || wsi->rarely->untaken == 0 || !peer_is_to_take(wsi))
        return false;
    untaken = transport_untaken(&wsi->transport);
    /* Where nothing is left, it is something else that it did not do in time. */
    return untaken > 0 && untaken < wsi->rarely->untaken;
}

void connection_choke(struct libwebsocket *wsi)
{
    wsi->choked = true;
    if (!wsi->rarely || wsi->rarely->untaken == 0)
        note_untaken(wsi);
    connection_attend(wsi);
}

void connection_progress(struct libwebsocket *wsi)
{
    const struct limits *limits = &engine_of(wsi)->limits;
    bool waits = !backlog_empty(&wsi->backlog);

    note_untaken(wsi);
    switch ((enum connection_state)wsi->state) {
    case CONNECTION_HTTP_HEAD:
        if (waits)
            connection_set_due(wsi, limits->http_stall_timeout);
        else
            connection_set_due(wsi, wsi->http && http_head_started(&wsi->http->head)
                                        ? limits->request_timeout
                                        : limits->http_idle_timeout);
        break;
    case CONNECTION_HTTP_RESPONSE:
        connection_set_due(wsi, waits || http_exchange_sends_file(wsi) ? limits->http_stall_timeout
                                                                       : limits->http_left_timeout);
        break;
    case CONNECTION_DRAINING:
        connection_set_due(
            wsi, waits && !wsi->established ? limits->http_stall_timeout : limits->close_timeout);
        break;
    case CONNECTION_OPEN:
        /* It cannot answer a ping before it has taken what was sent before that. */
        if (limits->ping_interval && !wsi->broken)
            connection_set_due(wsi, wsi->ping_waits ? limits->ping_timeout : limits->ping_interval);
        break;
    case CONNECTION_CLOSE_SENT:
        connection_set_due(wsi, limits->close_timeout);
        break;
    default:
        break;
    }
}

void connection_send_failed(struct libwebsocket *wsi)
{
    char reason[CLIENT_FAILURE_SIZE];
    struct text words;
    int error = errno;

    text_init(&words, reason, sizeof(reason));
    transport_explain(&wsi->transport, &words);
    lwsl_info("connection %d: sending failed: %s\n", wsi->transport.fd, reason);
    backlog_clear(&wsi->backlog);
    wsi->choked = false;
    if (connection_is_connecting(wsi)) {
        client_fail_on_the_way(wsi, reason);
        errno = error;
        return;
    }
    /* What the peer sent before it went away is still to be delivered. */
    if (wsi->state != CONNECTION_OPEN || wsi->flow_stopped || wsi->input_ended) {
        connection_die(wsi);
        errno = error;
        return;
    }
    wsi->broken = true;
    connection_set_due(wsi, engine_of(wsi)->limits.close_timeout);
    connection_attend(wsi);
    errno = error;
}

struct rarely *connection_rarely(struct libwebsocket *wsi)
{
    if (!wsi->rarely)
        wsi->rarely = calloc(1, sizeof(*wsi->rarely));
    return wsi->rarely;
}

static void move_deadline(struct libwebsocket *wsi)
{
    uint64_t at = wsi->engine_due;

    if (wsi->rarely && wsi->rarely->user_due && (at == 0 || wsi->rarely->user_due < at))
        at = wsi->rarely->user_due;
    if (at)
        deadline_set(&engine_of(wsi)->wheel, &wsi->deadline, at);
    else
        deadline_cancel(&engine_of(wsi)->wheel, &wsi->deadline);
}

void connection_set_due(struct libwebsocket *wsi, unsigned int milliseconds)
{
    wsi->engine_due = milliseconds ? engine_of(wsi)->now + milliseconds : 0;
    move_deadline(wsi);
}

bool connection_set_user_due(struct libwebsocket *wsi, uint64_t at)
{
    if (at == 0 && !wsi->rarely)
        return true;
    if (!connection_rarely(wsi))
        return false;
    wsi->rarely->user_due = at;
    move_deadline(wsi);
    return true;
}

bool connection_takes_input(const struct libwebsocket *wsi)
{
    switch ((enum connection_state)wsi->state) {
    case CONNECTION_HTTP_HEAD:
        /* A client that sends requests but takes no answers gets no more of them. */
        return !wsi->choked;
    case CONNECTION_HTTP_RESPONSE:
        return http_exchange_ignores_input(wsi);
    case CONNECTION_OPEN:
        return !wsi->flow_stopped;
    case CONNECTION_PROXY:
    case CONNECTION_HANDSHAKE:
    case CONNECTION_HTTP_BODY:
    case CONNECTION_CLOSE_SENT:
    case CONNECTION_DRAINING:
        return true;
    case CONNECTION_LISTENER:
    case CONNECTION_WAKE:
    case CONNECTION_TIMER:
    case CONNECTION_BROADCASTS:
    case CONNECTION_LOOKUP:
    case CONNECTION_ATTEMPT:
    case CONNECTION_CONNECTING:
    case CONNECTION_STARTING:
    case CONNECTION_DEAD:
        break;
    }
    return false;
}

unsigned char connection_wanted_events(const struct libwebsocket *wsi)
{
    unsigned char events = 0;

    if (wsi->state == CONNECTION_DEAD)
        return 0;
    if (connection_is_internal(wsi))
        return wsi->flow_stopped ? 0 : wsi->transport.read_events;
    if (wsi->state == CONNECTION_STARTING)
        return wsi->transport.read_events;
    /* While a call further out works on its input, a loop inside would only spin. */
    if (connection_takes_input(wsi) && !wsi->input_ended && !receive_keeps(wsi) && !wsi->receiving)
        events |= wsi->transport.read_events;
    if (wsi->choked)
        events |= wsi->transport.write_events;
    return events;
}
