/*
 * A program without an event loop of its own: libwebsocket_service() is the loop.
 *
 * It echoes every message, in however many pieces it arrives, and does not read from a client that
 * does not read from it. To try it:
 *
 *   ./plain 7681
 *   python3 -m websockets ws://localhost:7681
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libwebsockets.h"
#include "lws_poll.h"

struct session {
    int inside_message; /* a part of the present message has been echoed */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static int echo(struct libwebsocket_context *context, struct libwebsocket *wsi,
    struct session *session, unsigned char *piece, size_t len)
{
    int message_ends =
        libwebsocket_is_final_fragment(wsi) && libwebsockets_remaining_packet_payload(wsi) == 0;
    int kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;

    if (session->inside_message)
        kind = LWS_WRITE_CONTINUATION;
    if (!message_ends)
        kind |= LWS_WRITE_NO_FIN;
    session->inside_message = !message_ends;

    /* What RECEIVE delivers has the room around it that a write needs. */
    if (libwebsocket_write(wsi, piece, len, (enum libwebsocket_write_protocol)kind) < 0)
        return -1;
    if (lws_send_pipe_choked(wsi)) {
        libwebsocket_rx_flow_control(wsi, 0);
        libwebsocket_callback_on_writable(context, wsi);
    }
    return 0;
}

static int callback_echo(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return echo(context, wsi, user, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        libwebsocket_rx_flow_control(wsi, 1);
        return 0;
    case LWS_CALLBACK_HTTP:
        return -1; /* no pages here, only WebSockets */
    default:
        return 0;
    }
}

static struct libwebsocket_protocols protocols[] = {
    {.name = NULL, .callback = callback_echo, .per_session_data_size = sizeof(struct session)},
    {.callback = NULL},
};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    struct libwebsocket_context *context;
    struct sigaction action;
    int result = 0;

    memset(&info, 0, sizeof(info));
    info.port = argc > 1 ? atoi(argv[1]) : 7681;
    info.protocols = protocols;
    info.gid = -1;
    info.uid = -1;
    context = libwebsocket_create_context(&info);
    if (!context)
        return 1; /* the log says why */

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    printf("listening on ws://localhost:%d\n", info.port);
    fflush(stdout);
    /* A signal ends the wait; one that comes just before it is seen a second later. */
    while (!stopped && result >= 0)
        result = libwebsocket_service(context, 1000);

    libwebsocket_context_destroy(context);
    return result < 0;
}
