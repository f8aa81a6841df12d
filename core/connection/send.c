/* Sending: gathered inside service, at once outside of it, in order always. */
#include "connection/connection.h"

#include "connection/drain.h"
#include "connection/extension_stream.h"
#include "connection/websocket_output.h"

#include <errno.h>
#include <poll.h>

bool connection_flush(struct libwebsocket *wsi)
{
    size_t before = wsi->backlog.bytes;
    bool was_choked = wsi->choked;
    enum transport_result result;

    if (wsi->state == CONNECTION_DEAD || wsi->broken)
        return false;
    if (backlog_empty(&wsi->backlog)) {
        wsi->choked = false;
        return true;
    }
    result = backlog_send(&wsi->backlog, &wsi->transport);
    if (result == TRANSPORT_FAILED) {
        connection_send_failed(wsi);
        return false;
    }
    wsi->choked = result == TRANSPORT_AGAIN;
    /* What the system takes at once says nothing about the peer of a WebSocket. */
    if (was_choked ? wsi->backlog.bytes < before : wsi->state != CONNECTION_OPEN)
        connection_progress(wsi);
    if (wsi->backlog.bytes < before)
        websocket_pong_sent(wsi, before - wsi->backlog.bytes);
    connection_attend(wsi);
    if (wsi->choked)
        return false;
    if (wsi->wants_writable)
        queue_push(&engine_of(wsi)->work, &wsi->work);
    return true;
}

/* Offers bytes to the transport when nothing waits before them. */
static bool send_directly(struct libwebsocket *wsi, const void *bytes, size_t length, size_t *moved)
{
    /* Only read through the pointer that the system's struct has as non-const. */
    const struct iovec piece = {(void *)(size_t)bytes, length};

    switch (transport_send(&wsi->transport, &piece, 1, moved)) {
    case TRANSPORT_DONE:
        wsi->choked = *moved < length;
        return true;
    case TRANSPORT_AGAIN:
        *moved = 0;
        wsi->choked = true;
        return true;
    case TRANSPORT_END:
    case TRANSPORT_FAILED:
        break;
    }
    connection_send_failed(wsi);
    return false;
}

bool connection_send(struct libwebsocket *wsi, const void *bytes, size_t length)
{
    return wsi->stream_extended ? extension_stream_send(wsi, bytes, length)
                                : connection_send_as_is(wsi, bytes, length);
}

bool connection_send_as_is(struct libwebsocket *wsi, const void *bytes, size_t length)
{
    bool at_once = !engine_of(wsi)->gathering || length >= GATHER_MAX;
    size_t moved = 0;
    bool had_room;

    if (at_once && !wsi->choked && !connection_flush(wsi) && !wsi->choked)
        return false;
    had_room = !wsi->choked;
    if (at_once && had_room && length > 0 && !send_directly(wsi, bytes, length, &moved))
        return false;
    if (!backlog_append(&wsi->backlog, (const unsigned char *)bytes + moved, length - moved)) {
        lwsl_err("connection %d: out of memory for what it has to send\n", wsi->transport.fd);
        /* A part of it may be on its way, so that nothing sensible can follow. */
        connection_die(wsi);
        errno = ENOMEM;
        return false;
    }
    /* From here the peer has its time, or an answer that the program goes on with. */
    if ((had_room && wsi->choked) || (moved > 0 && engine_of(wsi)->limits.http_left_timeout &&
                                         wsi->state == CONNECTION_HTTP_RESPONSE))
        connection_progress(wsi);
    connection_attend(wsi);
    if (!wsi->choked && wsi->backlog.bytes > GATHER_MAX)
        return connection_flush(wsi) || wsi->choked;
    return true;
}
