/*
 * Level 20110307 (to 2012-10-18): create_context with 9 arguments. What a server's connection gets
 * when it may write is LWS_CALLBACK_SERVER_WRITEABLE here.
 *
 * Run: mar2011_writeable PORT
 * Peer: one WebSocket to "numbers"; receives "3", "2", "1", "0", and then is closed with code 1000.
 *
 * Prints: "established", four times "SERVER_WRITEABLE N wrote 0" with N from 3 to 0,
 * "closed", "done". Never "other reason". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libwebsockets.h>

static int closed;

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    return 0;
}

static int callback_numbers(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 16 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    int *left = (int *)user;
    int n;

    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        break;
    case LWS_CALLBACK_ESTABLISHED:
        printf("established\n");
        *left = 3;
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        n = libwebsocket_write(wsi, p, (size_t)sprintf((char *)p, "%d", *left), LWS_WRITE_TEXT);
        printf("SERVER_WRITEABLE %d wrote %d\n", *left, n);
        if ((*left)--)
            libwebsocket_callback_on_writable(context, wsi);
        else
            libwebsocket_close_and_free_session(context, wsi, LWS_CLOSE_STATUS_NORMAL);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed = 1;
        break;
    default:
        printf("other reason %d\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"numbers", callback_numbers, sizeof(int), NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context =
        libwebsocket_create_context(atoi(argv[1]), NULL, protocols, NULL, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    while (!closed)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
