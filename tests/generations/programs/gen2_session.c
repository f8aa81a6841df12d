/*
 * Level 20110212 (to 2011-02-13). Generation 2: writes down each callback of a standard session,
 * in order.
 *
 * Run: gen2_session PORT PAGE-FILE
 * Peers, one after the other, each when the one before has ended:
 *   http GET /page, with Connection: close
 *   a WebSocket to "session": text "hello"; the fragments "frag" and "ment" of a text; a ping,
 *     which is answered; close frame 1000, which is answered
 *   a WebSocket to "session": text "write", receives the text "written"; close frame 1000
 *   a handshake to "unknown", which is refused
 *   a WebSocket to "session": text "finish"; the context is destroyed while it is open: code 1001
 *
 * A line is: the reason, the protocol, "nth" and how many callbacks had this session's memory
 * before (0 in ESTABLISHED: it was zeroed, and is the same until CLOSED), the data.
 * ../sessions/gen2_session.txt has them. Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct per_session_data__session {
    int callbacks;
};

static const char *page;
static int finish;

static const char *reason_name(enum libwebsocket_callback_reasons reason)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        return "ESTABLISHED";
    case LWS_CALLBACK_CLOSED:
        return "CLOSED";
    case LWS_CALLBACK_RECEIVE:
        return "RECEIVE";
    case LWS_CALLBACK_HTTP:
        return "HTTP";
    case LWS_CALLBACK_BROADCAST:
        return "BROADCAST";
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        return "CLIENT_ESTABLISHED";
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return "CLIENT_RECEIVE";
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        return "CLIENT_RECEIVE_PONG";
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return "CLIENT_WRITEABLE";
    default:
        return "a reason of another time";
    }
}

static int callback_http(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        printf("HTTP %s\n", (char *)in);
        if (libwebsockets_serve_http_file(wsi, page, "text/plain") < 0)
            return 1;
        break;
    default:
        printf("%s http-only\n", reason_name(reason));
        break;
    }
    return 0;
}

static int callback_session(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    struct per_session_data__session *pss = (struct per_session_data__session *)user;
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 8 + LWS_SEND_BUFFER_POST_PADDING];

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_CLOSED:
        printf("%s session nth %d\n", reason_name(reason), pss->callbacks++);
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("RECEIVE session nth %d %.*s rest %d\n", pss->callbacks++, (int)len, (char *)in,
            (int)libwebsockets_remaining_packet_payload(wsi));
        if (len == 6 && memcmp(in, "finish", 6) == 0)
            finish = 1;
        if (len == 5 && memcmp(in, "write", 5) == 0)
            libwebsocket_callback_on_writable(wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        printf("%s session nth %d\n", reason_name(reason), pss->callbacks++);
        memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], "written", 7);
        libwebsocket_write(wsi, &buf[LWS_SEND_BUFFER_PRE_PADDING], 7, LWS_WRITE_TEXT);
        break;
    default:
        printf("%s session\n", reason_name(reason));
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"session", callback_session, sizeof(struct per_session_data__session), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 3)
        return 2;
    page = argv[2];
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(atoi(argv[1]), protocols, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    while (!finish)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("destroyed\n");
    return 0;
}
