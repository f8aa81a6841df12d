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
 * A line is: the reason, the protocol, and the arguments. "wsi" is the connection's own; "nth" is
 * this session's memory and how many callbacks had it before (0 in ESTABLISHED: it was zeroed, and
 * is the same until CLOSED).
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
static struct libwebsocket *peer;
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

static const char *whose(struct libwebsocket *wsi)
{
    if (wsi == NULL)
        return "no wsi";
    return wsi == peer ? "wsi" : "another wsi";
}

/* one line; what `user` and `in` are depends on the reason, so they come in words */
static void write_down(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    const char *protocol, const char *user, const char *in, size_t len)
{
    printf("%s %s: %s, user %s, in %s, len %d\n", reason_name(reason), protocol, whose(wsi), user,
        in, (int)len);
}

static const char *session(void *user)
{
    static char words[32];
    struct per_session_data__session *pss = (struct per_session_data__session *)user;

    if (pss == NULL)
        return "NULL";
    snprintf(words, sizeof(words), "nth %d", pss->callbacks++);
    return words;
}

static const char *text(void *in, size_t len)
{
    static char words[32];

    if (in == NULL)
        return "NULL";
    snprintf(words, sizeof(words), "\"%.*s\"", (int)len, (char *)in);
    return words;
}

static int callback_http(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        peer = wsi;
        write_down(wsi, reason, "http-only", text(user, 0), text(in, len), len);
        if (libwebsockets_serve_http_file(wsi, page, "text/plain") < 0)
            return 1;
        break;
    default:
        write_down(wsi, reason, "http-only", text(user, 0), text(in, len), len);
        break;
    }
    return 0;
}

static int callback_session(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 8 + LWS_SEND_BUFFER_POST_PADDING];

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        peer = wsi;
        write_down(wsi, reason, "session", session(user), text(in, len), len);
        break;
    case LWS_CALLBACK_CLOSED:
        write_down(wsi, reason, "session", session(user), text(in, len), len);
        break;
    case LWS_CALLBACK_RECEIVE:
        write_down(wsi, reason, "session", session(user), text(in, len), len);
        printf("rest %d\n", (int)libwebsockets_remaining_packet_payload(wsi));
        if (len == 6 && memcmp(in, "finish", 6) == 0)
            finish = 1;
        if (len == 5 && memcmp(in, "write", 5) == 0)
            libwebsocket_callback_on_writable(wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        write_down(wsi, reason, "session", session(user), text(in, len), len);
        memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], "written", 7);
        libwebsocket_write(wsi, &buf[LWS_SEND_BUFFER_PRE_PADDING], 7, LWS_WRITE_TEXT);
        break;
    default:
        write_down(wsi, reason, "session", text(user, 0), text(in, len), len);
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
