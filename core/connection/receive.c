#include "connection/receive.h"

#include "connection/client.h"
#include "connection/drain.h"
#include "connection/extension_chain.h"
#include "connection/extension_stream.h"
#include "connection/http_request.h"
#include "connection/websocket_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct stash {
    size_t start;
    size_t end;
    bool dropped; /* while it was being worked on */
    unsigned char bytes[];
};

enum { STASH_MARGIN = LWS_SEND_BUFFER_PRE_PADDING + LWS_SEND_BUFFER_POST_PADDING };

unsigned char *engine_take_buffer(struct engine *engine)
{
    unsigned char *buffer = engine->receive_buffer;

    engine->receive_buffer = NULL;
    if (!buffer)
        buffer = malloc(RECEIVE_SIZE + STASH_MARGIN);
    return buffer;
}

void engine_return_buffer(struct engine *engine, unsigned char *buffer)
{
    if (engine->receive_buffer)
        free(buffer);
    else
        engine->receive_buffer = buffer;
}

/* Returns how many of the bytes the present state took. */
static size_t consume(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    switch ((enum connection_state)wsi->state) {
    case CONNECTION_PROXY:
    case CONNECTION_HANDSHAKE:
        return client_input(wsi, bytes, length);
    case CONNECTION_HTTP_HEAD:
        return http_request_head(wsi, bytes, length);
    case CONNECTION_HTTP_BODY:
        return http_request_body(wsi, bytes, length);
    case CONNECTION_OPEN:
    case CONNECTION_CLOSE_SENT:
        if (!wsi->stream_extended)
            return websocket_input(wsi, bytes, length);
        extension_stream_input(wsi, bytes, length);
        return length;
    case CONNECTION_HTTP_RESPONSE:
    case CONNECTION_DRAINING:
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
    return length;
}

/* Returns how many bytes were taken before the state wanted no more. */
static size_t feed(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    size_t taken = 0;

    wsi->receiving = true;
    while (taken < length && connection_takes_input(wsi) && !wsi->paused && !engine_of(wsi)->ending)
        taken += consume(wsi, bytes + taken, length - taken);
    wsi->receiving = false;
    return taken;
}

static void keep(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    struct stash *stash = malloc(sizeof(*stash) + length + STASH_MARGIN);

    if (!stash) {
        lwsl_err("connection %d: out of memory for its input\n", wsi->transport.fd);
        connection_die(wsi);
        return;
    }
    stash->start = LWS_SEND_BUFFER_PRE_PADDING;
    stash->end = stash->start + length;
    stash->dropped = false;
    memcpy(stash->bytes + stash->start, bytes, length);
    wsi->stash = stash;
}

static bool still_of_use(const struct libwebsocket *wsi)
{
    return wsi->state != CONNECTION_DEAD && wsi->state != CONNECTION_DRAINING &&
           !engine_of(wsi)->ending;
}

static void feed_stash(struct libwebsocket *wsi)
{
    struct stash *stash = wsi->stash;

    stash->start += feed(wsi, stash->bytes + stash->start, stash->end - stash->start);
    if (stash->dropped || stash->start == stash->end || !still_of_use(wsi)) {
        wsi->stash = NULL;
        free(stash);
    }
    connection_attend(wsi);
}

static void input_ended(struct libwebsocket *wsi)
{
    wsi->input_ended = true;
    connection_attend(wsi);
    if (connection_is_connecting(wsi)) {
        client_hung_up(wsi);
        return;
    }
    if (wsi->state == CONNECTION_HTTP_RESPONSE) {
        /* The client may only have finished its own side; sending will tell. */
        return;
    }
    if (wsi->state != CONNECTION_DRAINING)
        connection_drain(wsi);
    else if (wsi->finished)
        connection_die(wsi);
}

static void receiving_failed(struct libwebsocket *wsi)
{
    char reason[CLIENT_FAILURE_SIZE];
    struct text words;

    text_init(&words, reason, sizeof(reason));
    transport_explain(&wsi->transport, &words);
    lwsl_info("connection %d: receiving failed: %s\n", wsi->transport.fd, reason);
    if (connection_is_connecting(wsi))
        client_fail_on_the_way(wsi, reason);
    else
        connection_die(wsi);
}

static void receive_from_transport(struct libwebsocket *wsi)
{
    unsigned char *buffer = engine_take_buffer(engine_of(wsi));
    unsigned char *bytes;
    size_t length = 0, taken;

    if (!buffer) {
        lwsl_err("connection %d: out of memory to receive\n", wsi->transport.fd);
        connection_die(wsi);
        return;
    }
    bytes = buffer + LWS_SEND_BUFFER_PRE_PADDING;
    wsi->transport.holds = false;
    switch (transport_receive(&wsi->transport, bytes, RECEIVE_SIZE, &length)) {
    case TRANSPORT_DONE:
        websocket_heard(wsi);
        taken = feed(wsi, bytes, length);
        if (taken < length && still_of_use(wsi))
            keep(wsi, bytes + taken, length - taken);
        connection_attend(wsi);
        break;
    case TRANSPORT_AGAIN:
        break;
    case TRANSPORT_END:
        input_ended(wsi);
        break;
    case TRANSPORT_FAILED:
        receiving_failed(wsi);
        break;
    }
    engine_return_buffer(engine_of(wsi), buffer);
}

static bool extensions_keep(const struct libwebsocket *wsi)
{
    return wsi->extended &&
           (websocket_input_keeps(wsi) || extension_chain_pending(wsi, CHAIN_STREAM));
}

static void resume_extensions(struct libwebsocket *wsi)
{
    wsi->receiving = true;
    if (websocket_input_keeps(wsi))
        websocket_input_resume(wsi);
    else
        extension_stream_resume(wsi);
    wsi->receiving = false;
    connection_attend(wsi);
}

bool receive_keeps(const struct libwebsocket *wsi)
{
    return wsi->stash || extensions_keep(wsi);
}

void receive_some(struct libwebsocket *wsi)
{
    if (wsi->receiving || !connection_takes_input(wsi))
        return;
    wsi->paused = false;
    if (wsi->extended)
        extension_set_of(wsi)->spent = 0;
    if (extensions_keep(wsi))
        resume_extensions(wsi);
    else if (wsi->stash)
        feed_stash(wsi);
    else if (!wsi->input_ended)
        receive_from_transport(wsi);
}

bool receive_given(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    if (receive_keeps(wsi) || wsi->receiving) {
        errno = EAGAIN;
        return false;
    }
    if (!still_of_use(wsi)) {
        errno = EPIPE;
        return false;
    }
    if (length == 0)
        return true;
    websocket_heard(wsi);
    keep(wsi, bytes, length);
    if (!wsi->stash) {
        errno = ENOMEM;
        return false;
    }
    receive_some(wsi);
    connection_attend(wsi);
    if (still_of_use(wsi))
        return true;
    errno = EPIPE;
    return false;
}

bool receive_can_resume(const struct libwebsocket *wsi)
{
    return (receive_keeps(wsi) || (wsi->transport.holds && !wsi->input_ended)) && !wsi->receiving &&
           connection_takes_input(wsi);
}

void receive_drop(struct libwebsocket *wsi)
{
    extension_chain_drop(wsi, CHAIN_PAYLOAD);
    extension_chain_drop(wsi, CHAIN_STREAM);
    if (wsi->stash && wsi->receiving) {
        /* The call that works on it frees it. */
        wsi->stash->dropped = true;
    } else {
        free(wsi->stash);
        wsi->stash = NULL;
    }
}
