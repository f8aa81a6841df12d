/*
 * Level 20110119 (to 2011-01-21): libwebsocket_create_server() returns the context and no longer
 * forks; the program calls libwebsocket_service().
 *
 * Run: jan2011_server PORT
 * Peer: one WebSocket to "upper"; sends "abc", receives "ABC", closes.
 *
 * Prints: "server made", "same process yes", "established", "received: abc", "wrote 0", "closed",
 * "destroyed". Exit status 0.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libwebsockets.h>

static int closed;
static pid_t starter;

static int callback_upper(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    char *p = (char *)in;
    size_t n;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("same process %s\n", getpid() == starter ? "yes" : "no");
        printf("established\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("received: %.*s\n", (int)len, p);
        for (n = 0; n < len; n++)
            p[n] = (char)toupper((unsigned char)p[n]);
        printf("wrote %d\n", libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT));
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed = 1;
        break;
    default:
        printf("unexpected %d\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"upper", callback_upper, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    starter = getpid();
    context = libwebsocket_create_server(atoi(argv[1]), protocols, NULL, NULL, -1, -1);
    if (context == NULL)
        return 1;
    printf("server made\n");
    while (!closed)
        if (libwebsocket_service(context, 100) < 0)
            return 1;
    libwebsocket_context_destroy(context);
    printf("destroyed\n");
    return 0;
}
