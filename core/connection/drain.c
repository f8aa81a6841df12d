#include "connection/drain.h"

#include "connection/extension_stream.h"
#include "connection/http_exchange.h"
#include "connection/receive.h"

enum {
    LAST_BYTES = 1048576, /* of what comes still, to be thrown away in one service call */
    EACH_READ = 512       /* counts for so many besides */
};

void connection_die(struct libwebsocket *wsi)
{
    wsi->state = CONNECTION_DEAD;
    receive_drop(wsi);
    connection_attend(wsi);
}

void connection_drain(struct libwebsocket *wsi)
{
    wsi->state = CONNECTION_DRAINING;
    receive_drop(wsi);
    connection_progress(wsi);
    connection_attend(wsi);
}

/* Empties the socket, because closing one with unread bytes resets what was sent before. */
static enum transport_result discard_input(struct libwebsocket *wsi)
{
    unsigned char *buffer = engine_take_buffer(engine_of(wsi));
    enum transport_result result = TRANSPORT_DONE;
    size_t total = 0;

    if (!buffer)
        return TRANSPORT_FAILED;
    while (total < LAST_BYTES && result == TRANSPORT_DONE) {
        size_t length = 0;

        result = transport_receive(&wsi->transport, buffer, RECEIVE_SIZE, &length);
        total += length + EACH_READ;
    }
    engine_return_buffer(engine_of(wsi), buffer);
    return result;
}

void connection_drain_step(struct libwebsocket *wsi)
{
    if (wsi->state != CONNECTION_DRAINING || !backlog_empty(&wsi->backlog) || wsi->choked ||
        wsi->finished)
        return;
    /* Where both sides have said all, it is the server that hangs up first (RFC 6455, 7.1.1). */
    if (wsi->is_client && wsi->both_closed && !wsi->input_ended)
        return;
    if (!extension_stream_finish(wsi))
        return;
    if (transport_finish(&wsi->transport) == TRANSPORT_AGAIN) {
        wsi->choked = true;
        return;
    }
    wsi->finished = true;
    if (wsi->input_ended || (wsi->both_closed && discard_input(wsi) != TRANSPORT_DONE))
        connection_die(wsi);
}

/* Where an answer has no length, the end of the stream is what says that it is complete. */
static bool is_inside_an_answer(const struct libwebsocket *wsi)
{
    return !wsi->established && !wsi->is_client &&
           (http_exchange_ignores_input(wsi) || http_exchange_sends_file(wsi));
}

void connection_say_farewell(struct libwebsocket *wsi)
{
    if (wsi->transport.fd < 0 || wsi->finished || wsi->broken || wsi->choked ||
        !backlog_empty(&wsi->backlog) || is_inside_an_answer(wsi))
        return;
    /* What does not go at once does not go: nobody waits for it. */
    (void)transport_finish(&wsi->transport);
    wsi->finished = true;
}

/* Whether all of it went, as long as the transport takes something at each try. */
static bool send_all(struct libwebsocket *wsi)
{
    size_t before;

    do {
        before = wsi->backlog.bytes;
        if (connection_flush(wsi))
            return true;
    } while (wsi->backlog.bytes > 0 && wsi->backlog.bytes < before);
    return false;
}

void connection_leave(struct libwebsocket *wsi)
{
    extension_stream_flush(wsi);
    if (send_all(wsi) && !wsi->finished) {
        (void)transport_finish(&wsi->transport);
        wsi->finished = true;
        (void)discard_input(wsi);
    }
    connection_die(wsi);
}
