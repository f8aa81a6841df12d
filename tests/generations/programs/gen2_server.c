/*
 * Level 20110212 (to 2011-02-13). Generation 2: one process, libwebsocket_service() in the
 * program's main loop, files by http, an answer sent when the socket is writable, flow control.
 *
 * Uses: create_context with 7 arguments; callbacks without context; callback_on_writable(wsi), for
 * which a server gets CLIENT_WRITEABLE, there being nothing else yet; get_socket_fd;
 * rx_flow_control; remaining_packet_payload; callback_on_writable_all_protocol; nonzero returns
 * that mean nothing (RECEIVE and HTTP before 2013).
 *
 * Run: gen2_server PORT PAGE-FILE
 * Peers: http GET /, twice on one connection (both must be answered with PAGE-FILE: HTTP's return
 * of 1 does not close in this generation). Then a WebSocket to "reverse": text "stressed" ->
 * receives "desserts". Then text "pause", and at once text "next": "next" is delivered only after
 * ten turns of the loop. Then a binary message of 10000 bytes. Then text "all" (writeable for the
 * protocol), receives "all writable". Then closes. Then a client asking for "nonsense" is refused.
 *
 * Prints:
 *   context made; host HOSTNAME
 *   index 0 1, owner ok, port 0 0
 *   http / returned 0                                   (twice)
 *   established fd ok
 *   received 8 rest 0 / writeable client / wrote 0
 *   received 5 rest 0 / paused 0 / resumed 0 / received 4 rest 0 after pause
 *   binary piece 4096 rest 5904, binary piece 4096 rest 1808, binary piece 1808 rest 0
 *     (sizes other than these only if they add up; no piece above 4096)
 *   received 3 rest 0 / all 0 / writeable client / wrote 0
 *   closed
 *   destroyed
 * and never "unexpected". The refused client leads to no callback of "reverse". Exit status 0 when
 * the WebSocket has closed and a "nonsense" handshake has been tried, or two seconds later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#define LONGEST 64

struct per_session_data__reverse {
    char text[LONGEST];
    int len;
    struct libwebsocket *wsi;
};

static const char *page;
static struct libwebsocket *paused;
static int turns;
static int was_paused;
static int closed;

static int callback_http(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    if (reason != LWS_CALLBACK_HTTP) {
        printf("unexpected %d in http\n", (int)reason);
        return -1;
    }
    printf(
        "http %s returned %d\n", (char *)in, libwebsockets_serve_http_file(wsi, page, "text/html"));
    return 1;
}

static int callback_reverse(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    struct per_session_data__reverse *pss = (struct per_session_data__reverse *)user;
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + LONGEST + LWS_SEND_BUFFER_POST_PADDING];
    char *text = (char *)in;
    int n;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("established fd %s\n", libwebsocket_get_socket_fd(wsi) > 2 ? "ok" : "wrong");
        pss->wsi = wsi;
        pss->len = 0;
        break;

    case LWS_CALLBACK_RECEIVE:
        if (len >= LONGEST || libwebsockets_remaining_packet_payload(wsi)) {
            printf("binary piece %d rest %d\n", (int)len,
                (int)libwebsockets_remaining_packet_payload(wsi));
            return -1;
        }
        printf("received %d rest %d%s\n", (int)len,
            (int)libwebsockets_remaining_packet_payload(wsi), was_paused ? " after pause" : "");
        was_paused = 0;
        if (len == 5 && memcmp(in, "pause", 5) == 0) {
            printf("paused %d\n", libwebsocket_rx_flow_control(wsi, 0));
            paused = wsi;
            turns = 0;
            return -1;
        }
        if (len == 3 && memcmp(in, "all", 3) == 0) {
            strcpy(pss->text, "all writable");
            pss->len = 12;
            printf("all %d\n",
                libwebsocket_callback_on_writable_all_protocol(libwebsockets_get_protocol(wsi)));
            return -1;
        }
        if (len == 4)
            return -1;
        for (n = 0; n < (int)len; n++)
            pss->text[n] = text[(int)len - 1 - n];
        pss->len = (int)len;
        libwebsocket_callback_on_writable(wsi);
        return -1; /* nobody looks at it */

    case LWS_CALLBACK_CLIENT_WRITEABLE:
        printf("writeable client\n");
        memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], pss->text, (size_t)pss->len);
        printf("wrote %d\n", libwebsocket_write(wsi, &buf[LWS_SEND_BUFFER_PRE_PADDING],
                                 (size_t)pss->len, LWS_WRITE_TEXT));
        return 1; /* nor at this */

    case LWS_CALLBACK_CLOSED:
        printf("closed%s\n", pss->wsi == wsi ? "" : " somebody else");
        closed = 1;
        break;

    default:
        printf("unexpected %d in reverse\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"reverse", callback_reverse, sizeof(struct per_session_data__reverse), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    int after = 0;

    if (argc != 3)
        return 2;
    page = argv[2];
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(atoi(argv[1]), protocols, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    printf("context made; host %s\n", libwebsocket_canonical_hostname(context));
    printf("index %d %d, owner %s, port %d %d\n", protocols[0].protocol_index,
        protocols[1].protocol_index,
        protocols[0].owning_server == context && protocols[1].owning_server == context ? "ok"
                                                                                       : "wrong",
        protocols[0].broadcast_socket_port, protocols[1].broadcast_socket_port);
    while (after < 100) {
        if (libwebsocket_service(context, 20) < 0)
            break;
        if (closed)
            after++;
        if (paused && ++turns == 10) {
            was_paused = 1;
            printf("resumed %d\n", libwebsocket_rx_flow_control(paused, 1));
            paused = NULL;
        }
    }
    libwebsocket_context_destroy(context);
    printf("destroyed\n");
    return 0;
}
