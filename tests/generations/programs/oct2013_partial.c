/*
 * Level 20131017: no_buffer_all_partial_tx stands between rx_buffer_size and owning_server.
 *
 * Run: oct2013_partial PORT
 * (Compile it with -DLWS_API_LEVEL=20131017. It must not compile with warnings as errors at
 * 20130316, where a pointer would stand in the place of a number.)
 * Peer: one WebSocket to "bulk" and one to "bulk-unbuffered"; each sends "go", receives binaries of
 * 100000 bytes until it has 20, reads slowly at first, and closes.
 *
 * The program writes by WRITEABLE; what it gets from write is at most what it gave, and where it
 * is less it goes on from there in the next WRITEABLE.
 *
 * Prints: "index 0 1 2, owner ok, partial 0 0 1", "established NAME", "all written NAME",
 * "closed NAME", "done". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#define MESSAGE 100000
#define MESSAGES 20

struct bulk {
    int message;
    size_t sent;
};

static unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + MESSAGE + LWS_SEND_BUFFER_POST_PADDING];
static int closed;

/* declared the way the library's header does it */
LWS_VISIBLE LWS_EXTERN int callback_http(struct libwebsocket_context *context,
    struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *user, void *in,
    size_t len);

int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    return 0;
}

static int callback_bulk(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const struct libwebsocket_protocols *protocol = libwebsockets_get_protocol(wsi);
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct bulk *bulk = (struct bulk *)user;
    int n;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("established %s\n", protocol->name);
        break;
    case LWS_CALLBACK_RECEIVE:
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (bulk->message == MESSAGES)
            break;
        memset(p, 'a' + bulk->message, MESSAGE);
        n = libwebsocket_write(wsi, p + bulk->sent, MESSAGE - bulk->sent, LWS_WRITE_BINARY);
        if (n < 0)
            return -1;
        bulk->sent += (size_t)n;
        if (bulk->sent == MESSAGE) {
            bulk->sent = 0;
            if (++bulk->message == MESSAGES)
                printf("all written %s\n", protocol->name);
        }
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed %s\n", protocol->name);
        closed++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, 0, 0, NULL, 0},
    {"bulk", callback_bulk, sizeof(struct bulk), 4096, 0, NULL, 0},
    {"bulk-unbuffered", callback_bulk, sizeof(struct bulk), 4096, 1, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    struct libwebsocket_context *context;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    memset(&info, 0, sizeof(info));
    info.port = atoi(argv[1]);
    info.protocols = protocols;
    info.gid = -1;
    info.uid = -1;
    context = libwebsocket_create_context(&info);
    if (context == NULL)
        return 1;
    printf("index %d %d %d, owner %s, partial %d %d %d\n", protocols[0].protocol_index,
        protocols[1].protocol_index, protocols[2].protocol_index,
        protocols[2].owning_server == context ? "ok" : "wrong",
        protocols[0].no_buffer_all_partial_tx, protocols[1].no_buffer_all_partial_tx,
        protocols[2].no_buffer_all_partial_tx);
    while (closed < 2)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
