/*
 * Level 20130115 (to 2013-01-30). Generation 4: a client with the library's extensions, which the
 * program may suppress, and a header line of its own.
 *
 * Run: gen4_client PORT [plain]
 * Peer: a server on 127.0.0.1:PORT that speaks "telegraph", sends the request's Cookie and then
 * "extensions: " and the Sec-WebSocket-Extensions of the request (or "-"), each a text, and closes
 * with 1000 when it has got "stop" in two fragments, "st" and "op". With "plain" the program
 * suppresses each extension.
 *
 * Prints: "offer NAME" for each extension that is about to be offered, "established user mine",
 * "received: a=b", "received: extensions: ..." (with "plain": "-"), "closed", "done". Exit status
 * 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static int plain;
static int over;
static int mine;

static int callback_telegraph(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 16 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    char **line = (char **)in;

    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED:
        printf("offer %s\n", (char *)in);
        return plain;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        if (len < 100)
            return 1;
        *line += sprintf(*line, "Cookie: a=b\x0d\x0a");
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        printf("established user %s\n", user == &mine ? "mine" : "other");
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        printf("received: %.*s\n", (int)len, (char *)in);
        if (len > 11 && memcmp(in, "extensions:", 11) == 0)
            libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        memcpy(p, "st", 2);
        if (libwebsocket_write(
                wsi, p, 2, (enum libwebsocket_write_protocol)(LWS_WRITE_TEXT | LWS_WRITE_NO_FIN)))
            printf("unexpected result of write\n");
        memcpy(p, "op", 2);
        if (libwebsocket_write(wsi, p, 2, LWS_WRITE_CONTINUATION))
            printf("unexpected result of write\n");
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        printf("connection error\n");
        over = 1;
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        over = 1;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"telegraph", callback_telegraph, 64, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc < 2)
        return 2;
    plain = argc > 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(CONTEXT_PORT_NO_LISTEN, NULL, protocols,
        libwebsocket_internal_extensions, NULL, NULL, NULL, -1, -1, 0, NULL);
    if (context == NULL)
        return 1;
    if (!libwebsocket_client_connect_extended(context, "127.0.0.1", atoi(argv[1]), 0, "/wire",
            "127.0.0.1", NULL, "telegraph", -1, &mine))
        return 1;
    while (!over)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
