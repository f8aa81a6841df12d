/*
 * Level 20101218 (to 2011-01-18). Generation 1: a page, and a counter that is sent by broadcast
 * from the process that called libwebsocket_create_server(), while the library's own process
 * serves.
 *
 * Uses: create_server with 6 arguments; callback without context; seven-member positional
 * protocols; broadcast from another process; serve_http_file(wsi, file, type); LWS_WRITE_HTTP.
 *
 * Run: gen1_counter PORT PAGE-FILE COUNT
 * Peer: first http GET / (gets PAGE-FILE) and GET /words (gets "six words are enough for this\n"),
 * then one WebSocket to subprotocol "counter"; it must receive the texts "0" ... "COUNT-1", each
 * once, in order, and close after the last one.
 *
 * Prints, in any interleaving of the two processes, each line whole:
 *   main: create_server returned 0
 *   main: protocol I NAME index I owner set port 0         (I = 0, 1; port: broadcast_socket_port)
 *   service: in another process yes
 *   service: http /            service: file sent 0
 *   service: http /words       service: page written 0     (write returns 0 before 2013-02-23)
 *   service: established counter zero
 *   main: client is there
 *   main: sent COUNT
 *   service: closed counter COUNT                          (what the session memory counted)
 *   main: bye
 * and never "service: unexpected ...". Exit status 0; no process of it is left a moment later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct per_session_data__counter {
    int sent;
};

static const char *page;
static int news[2];
static pid_t main_pid;

static int callback_http(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    static const char words[] = "HTTP/1.0 200 OK\x0d\x0a"
                                "Content-Type: text/plain\x0d\x0a"
                                "Content-Length: 30\x0d\x0a\x0d\x0a"
                                "six words are enough for this\n";
    unsigned char buf[sizeof(words)];

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        printf("service: http %s\n", (char *)in);
        if (strcmp((char *)in, "/words") == 0) {
            memcpy(buf, words, sizeof(words));
            printf("service: page written %d\n",
                libwebsocket_write(wsi, buf, sizeof(words) - 1, LWS_WRITE_HTTP));
            break;
        }
        printf("service: file sent %d\n", libwebsockets_serve_http_file(wsi, page, "text/html"));
        break;
    default:
        printf("service: unexpected %d in http\n", (int)reason);
        break;
    }
    return 0;
}

static int callback_counter(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    struct per_session_data__counter *pss = (struct per_session_data__counter *)user;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("service: in another process %s\n", getpid() == main_pid ? "no" : "yes");
        printf("service: established %s %s\n", libwebsockets_get_protocol(wsi)->name,
            pss->sent == 0 ? "zero" : "dirty");
        if (write(news[1], "e", 1) != 1)
            perror("write");
        break;

    case LWS_CALLBACK_BROADCAST:
        if (libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT) < 0) {
            printf("service: unexpected write error\n");
            return 1;
        }
        pss->sent++;
        break;

    case LWS_CALLBACK_CLOSED:
        printf("service: closed %s %d\n", libwebsockets_get_protocol(wsi)->name, pss->sent);
        if (write(news[1], "c", 1) != 1)
            perror("write");
        break;

    default:
        printf("service: unexpected %d in counter\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"counter", callback_counter, sizeof(struct per_session_data__counter), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 32 + LWS_SEND_BUFFER_POST_PADDING];
    char *text = (char *)&buf[LWS_SEND_BUFFER_PRE_PADDING];
    char what;
    int n;
    int count;

    if (argc != 4)
        return 2;
    page = argv[2];
    count = atoi(argv[3]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    main_pid = getpid();
    if (pipe(news) < 0)
        return 2;

    n = libwebsocket_create_server(atoi(argv[1]), protocols, NULL, NULL, -1, -1);
    printf("main: create_server returned %d\n", n);
    if (n < 0)
        return 1;
    for (n = 0; protocols[n].callback; n++)
        printf("main: protocol %d %s index %d owner %s port %d\n", n, protocols[n].name,
            protocols[n].protocol_index, protocols[n].owning_server ? "set" : "not set",
            protocols[n].broadcast_socket_port);

    if (read(news[0], &what, 1) != 1 || what != 'e')
        return 1;
    printf("main: client is there\n");
    for (n = 0; n < count; n++) {
        int len = sprintf(text, "%d", n);

        if (libwebsockets_broadcast(&protocols[1], &buf[LWS_SEND_BUFFER_PRE_PADDING], (size_t)len) <
            0) {
            printf("main: broadcast failed\n");
            return 1;
        }
        usleep(1000);
    }
    printf("main: sent %d\n", n);
    if (read(news[0], &what, 1) != 1 || what != 'c')
        return 1;
    printf("main: bye\n");
    return 0;
}
