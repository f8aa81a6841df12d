/*
 * Level 20110212 (to 2011-02-13). Generation 2: clients. client_connect with 9 arguments,
 * libwebsocket_client_close, pings, a client that cannot connect.
 *
 * There is no CLIENT_CONNECTION_ERROR yet: a connect that fails ends in CLOSED (or the call gives
 * NULL), and SERVER_WRITEABLE does not exist.
 *
 * Run: gen2_client PORT CLOSED-PORT [mask]
 * Peer: a server on 127.0.0.1:PORT that, asked for "second, first", chooses "first"; it answers
 * pings by itself, sends back what it gets. Nothing listens on CLOSED-PORT. With "mask" the
 * context has LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK, which changes nothing that the server sees.
 *
 * Prints: "wsi yes"; then of "first", in this order:
 *   first: established
 *   first: writeable
 *   first: pong ping-ping
 *   first: received: over to you
 *   first: closing
 *   first: closed
 * and of the one that fails "second: closed" exactly once, never established (at any place).
 * Then "done" and status 0. Never "unexpected".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static int left = 2;

static int callback_any(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 64 + LWS_SEND_BUFFER_POST_PADDING];
    const char *name = libwebsockets_get_protocol(wsi)->name;
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];

    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        printf("%s: established\n", name);
        libwebsocket_callback_on_writable(wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        printf("%s: writeable\n", name);
        memcpy(p, "ping-ping", 9);
        if (libwebsocket_write(wsi, p, 9, LWS_WRITE_PING))
            printf("no ping\n");
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        printf("%s: pong %.*s\n", name, (int)len, (char *)in);
        memcpy(p, "over to you", 11);
        if (libwebsocket_write(wsi, p, 11, LWS_WRITE_TEXT))
            printf("no text\n");
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        printf("%s: received: %.*s\n", name, (int)len, (char *)in);
        printf("%s: closing\n", name);
        libwebsocket_client_close(wsi);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("%s: closed\n", name);
        left--;
        break;
    default:
        printf("unexpected %d\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"first", callback_any, 0, NULL, 0, 0, 0},
    {"second", callback_any, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    struct libwebsocket *wsi;

    if (argc < 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(CONTEXT_PORT_NO_LISTEN, protocols, NULL, NULL, -1, -1,
        argc > 3 ? LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK : 0);
    if (context == NULL)
        return 1;
    wsi = libwebsocket_client_connect(context, "127.0.0.1", atoi(argv[1]), 0, "/path?x=1",
        "127.0.0.1", "origin.example", "second, first", -1);
    printf("wsi %s\n", wsi ? "yes" : "no");
    wsi = libwebsocket_client_connect(
        context, "127.0.0.1", atoi(argv[2]), 0, "/", "127.0.0.1", "origin.example", "second", -1);
    if (wsi == NULL) {
        printf("second: closed\n");
        left--;
    }
    while (left)
        if (libwebsocket_service(context, 50) < 0)
            break;
    libwebsocket_context_destroy(context);
    printf("done\n");
    return left;
}
