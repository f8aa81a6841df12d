/*
 * Level 20130211 (to 2013-02-11): the member is called `iface` now, and close_and_free_session is
 * public for the last day. The struct is initialised by position.
 *
 * Run: feb2013_iface PORT
 * Peer: one WebSocket to "last", from 127.0.0.1; it is closed with 1002 when it sends anything.
 *
 * Prints: "made", "user 17", "received: ...", "closed", "done". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libwebsockets.h>

static int closed;

static int callback_last(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        printf("received: %.*s\n", (int)len, (char *)in);
        libwebsocket_close_and_free_session(context, wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed = 1;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"last", callback_last, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    static int seventeen = 17;
    struct libwebsocket_context *context;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    {
        /* port, iface, protocols, extensions, cert, key, ca, gid, uid, options, user, ka_* */
        struct lws_context_creation_info info = {
            atoi(argv[1]), "lo", protocols, NULL, NULL, NULL, NULL, -1, -1, 0, &seventeen, 0, 0, 0};

        context = libwebsocket_create_context(&info);
    }
    if (context == NULL)
        return 1;
    printf("made\n");
    printf("user %d\n", *(int *)libwebsocket_context_user(context));
    while (!closed)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
