/*
 * Level 20110122 (to 2011-01-29): create_context with 6 arguments, client_connect with 7.
 *
 * Run: jan2011_client PORT
 * Peer: a server on 127.0.0.1:PORT that speaks "chat": it waits for the text "hi there", answers
 * "and hello to you", and closes when it has received "bye".
 *
 * Prints: "connecting", "client established", "client received: and hello to you",
 * "client closed", "destroyed". Exit status 0. The context listens nowhere (port 0).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static int over;

static void say(struct libwebsocket *wsi, const char *words)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 128 + LWS_SEND_BUFFER_POST_PADDING];
    size_t len = strlen(words);

    memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], words, len);
    if (libwebsocket_write(wsi, &buf[LWS_SEND_BUFFER_PRE_PADDING], len, LWS_WRITE_TEXT))
        printf("could not say %s\n", words);
}

static int callback_chat(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        printf("client established\n");
        say(wsi, "hi there");
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        printf("client received: %.*s\n", (int)len, (char *)in);
        say(wsi, "bye");
        break;
    case LWS_CALLBACK_CLOSED:
        printf("client closed\n");
        over = 1;
        break;
    default:
        printf("unexpected %d\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"chat", callback_chat, 16, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(0, protocols, NULL, NULL, -1, -1);
    if (context == NULL)
        return 1;
    printf("connecting\n");
    if (libwebsocket_client_connect(
            context, "127.0.0.1", atoi(argv[1]), "/", "127.0.0.1", "127.0.0.1", "chat") == NULL)
        return 1;
    while (!over)
        if (libwebsocket_service(context, 100) < 0)
            return 1;
    libwebsocket_context_destroy(context);
    printf("destroyed\n");
    return 0;
}
