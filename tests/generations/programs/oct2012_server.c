/*
 * Level 20121019 (to 2013-01-08): 10 arguments, the last one a pointer for the program's own use;
 * the library's extensions as the array libwebsocket_internal_extensions[].
 *
 * Run: oct2012_server PORT
 * Peer: a WebSocket to "count", with or without an offer of permessage-deflate; sends three texts,
 * each answered with "N of NAME", N counting over all sessions of the context and NAME the text;
 * then "leave", and is closed with 1001.
 *
 * Prints: "extension NAME" for each element of the array (any number), "context user mine",
 * "established", "received: ..." and "wrote 0" for each text, "closed", "done". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct app {
    int messages;
    int closed;
};

/* declared the way the library's header does it */
LWS_EXTERN int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len);

int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    return 0;
}

static int callback_count(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 512 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct app *app = (struct app *)libwebsocket_context_user(context);
    int n;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("established\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("received: %.*s\n", (int)len, (char *)in);
        if (len == 5 && memcmp(in, "leave", 5) == 0) {
            libwebsocket_close_and_free_session(context, wsi, LWS_CLOSE_STATUS_GOINGAWAY);
            break;
        }
        n = snprintf((char *)p, 512, "%d of %.*s", ++app->messages, (int)len, (char *)in);
        printf("wrote %d\n", libwebsocket_write(wsi, p, (size_t)n, LWS_WRITE_TEXT));
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        app->closed = 1;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"count", callback_count, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_extension *ext;
    struct libwebsocket_context *context;
    struct app app = {0, 0};

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    for (ext = libwebsocket_internal_extensions; ext->callback; ext++)
        printf("extension %s\n", ext->name);
    context = libwebsocket_create_context(atoi(argv[1]), NULL, protocols,
        libwebsocket_internal_extensions, NULL, NULL, -1, -1, 0, &app);
    if (context == NULL)
        return 1;
    printf("context user %s\n", libwebsocket_context_user(context) == &app ? "mine" : "lost");
    while (!app.closed)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
