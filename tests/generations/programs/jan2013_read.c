/*
 * Level 20130131 (to 2013-02-05): protocols with 5 members, the broadcast ones gone; and
 * libwebsocket_read(), with which a program hands in bytes as if they had come from the socket.
 * LWS_CALLBACK_BROADCAST is still declared.
 *
 * Run: jan2013_read PORT
 * Peer: one WebSocket to "fed", which sends the text "from the wire", waits for "got it" twice, and
 * closes.
 *
 * The program hands in a whole masked text frame "by hand" for that connection, between two service
 * calls, when "from the wire" has come.
 *
 * Prints: "index 0 1, owner ok", "established", "received: from the wire", "read ok" (a result that
 * is not negative), "received: by hand" (before or after "read ok"), "closed", "done". Status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static struct libwebsocket *hungry;
static int closed;

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    return 0;
}

static int callback_fed(struct libwebsocket_context *context, struct libwebsocket *wsi,
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
        memcpy(p, "got it", 6);
        libwebsocket_write(wsi, p, 6, LWS_WRITE_TEXT);
        if (len > 7)
            hungry = wsi;
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

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0},
    {"fed", callback_fed, 0, NULL, 0}, {NULL, NULL, 0, NULL, 0}};

int main(int argc, char **argv)
{
    static const unsigned char key[4] = {0x12, 0x34, 0x56, 0x78};
    static const char text[] = "by hand";
    unsigned char frame[2 + 4 + sizeof(text) - 1];
    struct libwebsocket_context *context;
    size_t n;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    if (context == NULL)
        return 1;
    printf("index %d %d, owner %s\n", protocols[0].protocol_index, protocols[1].protocol_index,
        protocols[0].owning_server == context && protocols[1].owning_server == context ? "ok"
                                                                                       : "wrong");
    frame[0] = 0x81;
    frame[1] = (unsigned char)(0x80 | (sizeof(text) - 1));
    memcpy(&frame[2], key, 4);
    for (n = 0; n < sizeof(text) - 1; n++)
        frame[6 + n] = (unsigned char)(text[n] ^ key[n % 4]);
    while (!closed) {
        libwebsocket_service(context, 50);
        if (hungry) {
            int result;

            result = libwebsocket_read(context, hungry, frame, sizeof(frame));
            printf("read %s\n", result < 0 ? "failed" : "ok");
            hungry = NULL;
        }
    }
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
