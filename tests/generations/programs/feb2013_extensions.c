/*
 * Level 20130213 (to 2013-10-16): the library's extensions come from a function. The context has
 * some of them and one of the program's own.
 *
 * Run: feb2013_extensions PORT
 * Peer: one WebSocket to "any" with an offer of "x-counting" (and of others, as the peer likes);
 * sends three texts, and receives each back.
 *
 * Prints: "internal extensions N" (any number), "offered x-counting" (from CONFIRM_EXTENSION_OKAY
 * at protocols[0]; other names may come too), "received: ..." three times, "counting saw N,
 * payload of M", N from 1 up (reads in which bytes for the connection came: three texts may have
 * come in one) and M the bytes of the texts,
 * "closed", "done". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct counting {
    int pieces;
    int payload;
};

static int closed;

static int counting_callback(struct libwebsocket_context *context,
    struct libwebsocket_extension *ext, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, void *user, void *in, size_t len)
{
    struct counting *counting = (struct counting *)user;

    switch (reason) {
    case LWS_EXT_CALLBACK_PACKET_RX_PREPARSE:
        counting->pieces++;
        break;
    case LWS_EXT_CALLBACK_PAYLOAD_RX:
        counting->payload += ((struct lws_tokens *)in)->token_len;
        break;
    case LWS_EXT_CALLBACK_DESTROY:
        printf("counting saw %d, payload of %d\n", counting->pieces, counting->payload);
        break;
    default:
        break;
    }
    return 0;
}

static int callback_any(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
        printf("offered %s\n", (char *)in);
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("received: %.*s\n", (int)len, (char *)in);
        libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT);
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
    {"any", callback_any, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    static const struct libwebsocket_extension mine = {
        "x-counting", counting_callback, sizeof(struct counting), NULL};
    struct libwebsocket_extension extensions[16];
    struct libwebsocket_extension *ext = libwebsocket_get_internal_extensions();
    struct lws_context_creation_info info;
    struct libwebsocket_context *context;
    int n = 0;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    memset(extensions, 0, sizeof(extensions));
    extensions[0] = mine;
    while (ext && ext->callback && n < 14)
        extensions[++n] = *ext++;
    printf("internal extensions %d\n", n);

    memset(&info, 0, sizeof(info));
    info.port = atoi(argv[1]);
    info.protocols = protocols;
    info.extensions = extensions;
    info.gid = -1;
    info.uid = -1;
    context = libwebsocket_create_context(&info);
    if (context == NULL)
        return 1;
    while (!closed)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
