#include "connection/starting.h"

#include "connection/client.h"
#include "connection/drain.h"

static void failed(struct libwebsocket *wsi, const char *why)
{
    if (wsi->is_client) {
        client_fail(wsi, why);
        return;
    }
    lwsl_notice("connection %d: %s\n", wsi->transport.fd, why);
    connection_die(wsi);
}

static void done(struct libwebsocket *wsi)
{
    /* What was read together with the last bytes of its start does not make the socket ready. */
    wsi->transport.holds = true;
    connection_attend(wsi);
    if (wsi->is_client) {
        client_transport_ready(wsi);
    } else {
        wsi->state = CONNECTION_HTTP_HEAD;
        connection_set_due(wsi, engine_of(wsi)->limits.request_timeout);
    }
}

void starting_continue(struct libwebsocket *wsi)
{
    char reason[CLIENT_FAILURE_SIZE];
    struct text words;

    connection_attend(wsi);
    switch (transport_start(&wsi->transport)) {
    case TRANSPORT_DONE:
        done(wsi);
        break;
    case TRANSPORT_AGAIN:
        break;
    case TRANSPORT_END:
    case TRANSPORT_FAILED:
        text_init(&words, reason, sizeof(reason));
        transport_explain(&wsi->transport, &words);
        failed(wsi, reason);
        break;
    }
}

void starting_begin(struct libwebsocket *wsi)
{
    wsi->state = CONNECTION_STARTING;
    connection_set_due(wsi, engine_of(wsi)->limits.tls_timeout);
    connection_attend(wsi);
    /* A server waits for its turn: many that are accepted at once would be a long call. */
    if (wsi->is_client)
        starting_continue(wsi);
}

void starting_late(struct libwebsocket *wsi)
{
    failed(wsi, "TLS handshake timed out");
}
