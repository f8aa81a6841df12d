/*
 * Level 20110226 (to 2011-03-04): close_and_free_session() has got a status, create_context has 8
 * arguments still.
 *
 * Run: feb2011_close PORT SESSIONS
 * Peers: SESSIONS WebSockets to "exit". Each sends one of the texts "normal", "away", "protocol",
 * "opcode", "large", "none" and is closed, with code 1000, 1001, 1002, 1003, 1009 or a close frame
 * without a code.
 *
 * Prints per session "established", "asked: WORD", "closed", each once and in this order; at the
 * end "done". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static const struct {
    const char *word;
    enum lws_close_status status;
} ways[] = {
    {"normal", LWS_CLOSE_STATUS_NORMAL},
    {"away", LWS_CLOSE_STATUS_GOINGAWAY},
    {"protocol", LWS_CLOSE_STATUS_PROTOCOL_ERR},
    {"opcode", LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE},
    {"large", LWS_CLOSE_STATUS_PAYLOAD_TOO_LARGE},
    {"none", LWS_CLOSE_STATUS_NOSTATUS},
};

static int closed;

static int callback_exit(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    size_t n;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("established\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("asked: %.*s\n", (int)len, (char *)in);
        for (n = 0; n < sizeof(ways) / sizeof(ways[0]); n++)
            if (strlen(ways[n].word) == len && memcmp(in, ways[n].word, len) == 0)
                libwebsocket_close_and_free_session(context, wsi, ways[n].status);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed++;
        break;
    default:
        /* the four of external polling come here too; they are not wanted */
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"exit", callback_exit, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(atoi(argv[1]), NULL, protocols, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    while (closed < atoi(argv[2]) && libwebsocket_service(context, 50) >= 0)
        ;
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
