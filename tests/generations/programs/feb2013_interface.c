/*
 * Level 20130209 (to 2013-02-10): the first days of struct lws_context_creation_info, whose second
 * member was called `interface`. The program fills in every member there was and clears nothing:
 * what is on its stack before is not zero.
 *
 * Run: feb2013_interface PORT INTERFACE      (lo, or - for NULL)
 * Peer: one WebSocket to "where"; the text "here" is answered with "yes", then it closes.
 *
 * Prints: "made", "user 42", "index 0 1, owner ok", "established", "received: here", "wrote 0",
 * "closed", "done". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static int closed;

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    return 0;
}

static int callback_where(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 16 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("established\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("received: %.*s\n", (int)len, (char *)in);
        memcpy(p, "yes", 3);
        printf("wrote %d\n", libwebsocket_write(wsi, p, 3, LWS_WRITE_TEXT));
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

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, 0, NULL, 0},
    {"where", callback_where, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    struct {
        struct lws_context_creation_info info;
        unsigned char behind[256];
    } stack;
    struct lws_context_creation_info *info = &stack.info;
    int number = 42;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    memset(&stack, 0xa5, sizeof(stack));
    info->port = atoi(argv[1]);
    info->interface = strcmp(argv[2], "-") ? argv[2] : NULL;
    info->protocols = protocols;
    info->extensions = NULL;
    info->ssl_cert_filepath = NULL;
    info->ssl_private_key_filepath = NULL;
    info->ssl_ca_filepath = NULL;
    info->gid = -1;
    info->uid = -1;
    info->options = 0;
    info->user = &number;
    info->ka_time = 60;
    info->ka_probes = 3;
    info->ka_interval = 5;
    context = libwebsocket_create_context(info);
    if (context == NULL)
        return 1;
    printf("made\n");
    printf("user %d\n", *(int *)libwebsocket_context_user(context));
    printf("index %d %d, owner %s\n", protocols[0].protocol_index, protocols[1].protocol_index,
        protocols[1].owning_server == context ? "ok" : "wrong");
    while (!closed)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
