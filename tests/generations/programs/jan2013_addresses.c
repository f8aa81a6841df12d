/*
 * Level 20130130 (to 2013-01-30): get_peer_addresses has got context and wsi, lws_frame_is_binary
 * has come; the protocols have 7 members for the last day.
 *
 * Run: jan2013_addresses PORT SESSIONS
 * Peers: SESSIONS WebSockets to "kind" (from 127.0.0.1); each sends texts and binaries, answered by
 * "text" and "binary"; "hang up" as a text ends the connection from the server's side.
 *
 * Prints "established 127.0.0.1", "too short 127.", "frame text 5" / "frame binary 3" (kind and
 * length), "closed", "done". Exit status 0.
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

static int callback_kind(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 16 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    const char *kind;
    char name[64];
    char rip[64];

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        libwebsockets_get_peer_addresses(
            context, wsi, libwebsocket_get_socket_fd(wsi), name, sizeof(name), rip, sizeof(rip));
        printf("established %s\n", rip);
        libwebsockets_get_peer_addresses(
            context, wsi, libwebsocket_get_socket_fd(wsi), name, 5, rip, 5);
        printf("too short %s\n", rip);
        break;
    case LWS_CALLBACK_RECEIVE:
        kind = lws_frame_is_binary(wsi) ? "binary" : "text";
        printf("frame %s %d\n", kind, (int)len);
        if (len == 7 && memcmp(in, "hang up", 7) == 0) {
            libwebsockets_hangup_on_client(context, libwebsocket_get_socket_fd(wsi));
            break;
        }
        memcpy(p, kind, strlen(kind));
        if (libwebsocket_write(wsi, p, strlen(kind), LWS_WRITE_TEXT) != 0)
            printf("unexpected result of write\n");
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"kind", callback_kind, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

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
