/*
 * Level 20130206 (to 2013-02-08): rx_buffer_size is the protocols' fourth member; create_context
 * has its 11 arguments for the last days.
 *
 * Run: feb2013_rx PORT SESSIONS
 * Peers: a WebSocket to "ten" sends a text of 25 bytes, one of 10, and closes; one to "usual" sends
 * a binary of 10000 bytes and closes; one to "large" sends a binary of 70000 bytes and closes.
 *
 * Prints "ten: 10 rest 15", "ten: 10 rest 5", "ten: 5 rest 0", "ten: 10 rest 0",
 * "usual: 4096 rest 5904", "usual: 4096 rest 1808", "usual: 1808 rest 0", "large: 70000 rest 0",
 * "closed NAME", "done". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libwebsockets.h>

static int closed;

static int callback_any(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        printf("%s: %d rest %d\n", libwebsockets_get_protocol(wsi)->name, (int)len,
            (int)libwebsockets_remaining_packet_payload(wsi));
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed %s\n", libwebsockets_get_protocol(wsi)->name);
        closed++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_any, 0, 0, NULL, 0},
    {"ten", callback_any, 0, 10, NULL, 0}, {"usual", callback_any, 0, 0, NULL, 0},
    {"large", callback_any, 0, 100000, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    if (context == NULL)
        return 1;
    while (closed < atoi(argv[2]))
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
