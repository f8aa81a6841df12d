/*
 * Level 20130110 (to 2013-01-11): lws_set_log_level(level) with one argument, create_context with
 * 11, get_reserved_bits.
 *
 * Run: jan2013_log_level PORT TAKEN-PORT
 * Peer: somebody else listens on TAKEN-PORT, on all addresses. A handshake that is refused; a
 * WebSocket to "bits" sends the text "more"; another handshake that is refused; the first one
 * closes.
 *
 * Prints on stdout: "quiet: no context", "loud: no context", "reserved bits 0", "more", "closed",
 * "done". On stderr nothing between the lines "(quiet)" and "(loud)" that the program writes there;
 * after "(loud)" what is an error, but nothing of the refused handshake; after "(more)", where it
 * has asked for LLL_INFO, that the other one is refused. Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static int closed;

static int callback_bits(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        printf("reserved bits %d\n", libwebsocket_get_reserved_bits(wsi));
        if (len == 4 && memcmp(in, "more", 4) == 0) {
            fprintf(stderr, "(more)\n");
            lws_set_log_level(LLL_INFO);
            printf("more\n");
        }
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
    {"bits", callback_bits, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

static struct libwebsocket_context *make(int port)
{
    return libwebsocket_create_context(
        port, NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
}

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    fprintf(stderr, "(quiet)\n");
    lws_set_log_level(0);
    printf("quiet: %s\n", make(atoi(argv[2])) ? "context" : "no context");
    fprintf(stderr, "(loud)\n");
    lws_set_log_level(LLL_ERR | LLL_WARN);
    printf("loud: %s\n", make(atoi(argv[2])) ? "context" : "no context");
    context = make(atoi(argv[1]));
    if (context == NULL)
        return 1;
    while (!closed)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
