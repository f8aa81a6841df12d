/*
 * Level 20110221 (to 2011-03-04). Generation 3: the program polls. Its array holds the library's
 * descriptors, told by the four POLL_FD callbacks with the descriptor in `user` and the bits in
 * `len`, and one of its own, a pipe that ticks.
 *
 * Uses: create_context with 8 arguments (with the interface, if one is given to the program);
 * callbacks with context; ADD/DEL/SET_MODE/CLEAR_MODE; service_fd; FILTER_NETWORK_CONNECTION with
 * the descriptor in `user`; get_peer_addresses(fd, ...); FILTER_PROTOCOL_CONNECTION with an array
 * of struct lws_tokens in `user`; hangup_on_client.
 *
 * Run: gen3_poll PORT SESSIONS PAGE-FILE [lo]; SIGTERM ends it, too
 * Peers: the very first connection is hung up on before anything is read or written. Then a
 * WebSocket to "/forbidden" is refused (403 today). Then SESSIONS WebSockets to "echo" with Origin
 * "http://origin.example" and path "/room?7": each sends texts and binaries, 1 byte to 100000, and
 * receives each back as a message with the same bytes; a text "hang up" makes the server end it.
 * Requests by http get PAGE-FILE, at any time.
 *
 * Prints:
 *   context made, polled yes       (ADD_POLL_FD came before create_context returned)
 *   filter network 127.0.0.1: no / filter network 127.0.0.1: yes (for each later connection)
 *   filter protocol /forbidden origin -: no
 *   filter protocol /room?7 origin http://origin.example: yes
 *   established
 *   hang up / closed
 *   ticks yes                      (the program's own descriptor got its turns)
 *   destroyed, polled 0, mistakes 0  (each ADD had its DEL; no SET or CLEAR outside or without
 *                                     effect)
 * "wrong fd" never. Exit status 0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#define MAX_POLL_ELEMENTS 100
#define LARGEST 131072

static struct pollfd pollfds[MAX_POLL_ELEMENTS];
static int count_pollfds;
static int mistakes;
static int refused;
static int closed;
static int hang_up_fd = -1;
static const char *page;
static volatile sig_atomic_t force_exit;

struct per_session_data__echo {
    unsigned char *message;
    size_t have;
};

static void interrupted(int signal_number)
{
    (void)signal_number;
    force_exit = 1;
}

static int position(int fd)
{
    int n;

    for (n = 0; n < count_pollfds; n++)
        if (pollfds[n].fd == fd)
            return n;
    return -1;
}

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    char name[128];
    char rip[64];
    int fd = (int)(long)user;
    int n;

    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        libwebsockets_get_peer_addresses(fd, name, sizeof(name), rip, sizeof(rip));
        n = !refused;
        refused = 1;
        printf("filter network %s: %s\n", rip, n ? "no" : "yes");
        return n;

    case LWS_CALLBACK_HTTP:
        if (libwebsockets_serve_http_file(wsi, page, "text/html"))
            printf("unexpected result of serve_http_file\n");
        break;

    case LWS_CALLBACK_ADD_POLL_FD:
        if (position(fd) >= 0 || count_pollfds == MAX_POLL_ELEMENTS ||
            libwebsocket_get_socket_fd(wsi) != fd) {
            printf("wrong fd %d in add\n", fd);
            mistakes++;
            break;
        }
        pollfds[count_pollfds].fd = fd;
        pollfds[count_pollfds].events = (short)len;
        pollfds[count_pollfds++].revents = 0;
        break;

    case LWS_CALLBACK_DEL_POLL_FD:
        n = position(fd);
        if (n < 0) {
            printf("wrong fd %d in del\n", fd);
            mistakes++;
            break;
        }
        /* the last one takes its place */
        pollfds[n] = pollfds[--count_pollfds];
        break;

    case LWS_CALLBACK_SET_MODE_POLL_FD:
        n = position(fd);
        if (n < 0 || (pollfds[n].events & (short)len) == (short)len) {
            printf("wrong fd %d in set\n", fd);
            mistakes++;
            break;
        }
        pollfds[n].events = (short)(pollfds[n].events | (short)len);
        break;

    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        n = position(fd);
        if (n < 0 || !(pollfds[n].events & (short)len)) {
            printf("wrong fd %d in clear\n", fd);
            mistakes++;
            break;
        }
        pollfds[n].events = (short)(pollfds[n].events & ~(short)len);
        break;

    default:
        printf("unexpected %d in http\n", (int)reason);
        break;
    }
    return 0;
}

static int callback_echo(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct per_session_data__echo *pss = (struct per_session_data__echo *)user;
    struct lws_tokens *tokens = (struct lws_tokens *)user;
    const char *origin;
    int no;

    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        origin = tokens[WSI_TOKEN_ORIGIN].token_len ? tokens[WSI_TOKEN_ORIGIN].token : "-";
        no = strcmp(tokens[WSI_TOKEN_GET_URI].token, "/forbidden") == 0;
        printf("filter protocol %s origin %s: %s\n", tokens[WSI_TOKEN_GET_URI].token, origin,
            no ? "no" : "yes");
        return no;

    case LWS_CALLBACK_ESTABLISHED:
        printf("established\n");
        pss->message = (unsigned char *)malloc(
            LWS_SEND_BUFFER_PRE_PADDING + LARGEST + LWS_SEND_BUFFER_POST_PADDING);
        pss->have = 0;
        break;

    case LWS_CALLBACK_RECEIVE:
        if (pss->message == NULL || pss->have + len > LARGEST)
            break;
        memcpy(pss->message + LWS_SEND_BUFFER_PRE_PADDING + pss->have, in, len);
        pss->have += len;
        if (libwebsockets_remaining_packet_payload(wsi))
            break;
        if (pss->have == 7 && memcmp(in, "hang up", 7) == 0) {
            printf("hang up\n");
            hang_up_fd = libwebsocket_get_socket_fd(wsi);
            break;
        }
        if (libwebsocket_write(
                wsi, pss->message + LWS_SEND_BUFFER_PRE_PADDING, pss->have, LWS_WRITE_BINARY))
            printf("unexpected result of write\n");
        pss->have = 0;
        break;

    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        free(pss->message);
        closed++;
        break;

    default:
        printf("unexpected %d in echo\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"echo", callback_echo, sizeof(struct per_session_data__echo), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    int own[2];
    int ticks = 0;
    int sessions;
    char c = 't';
    int n;

    if (argc < 4)
        return 2;
    sessions = atoi(argv[2]);
    page = argv[3];
    signal(SIGTERM, interrupted);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(1200);
    if (pipe(own) < 0 || write(own[1], &c, 1) != 1)
        return 2;
    pollfds[0].fd = own[0];
    pollfds[0].events = POLLIN;
    count_pollfds = 1;

    context = libwebsocket_create_context(
        atoi(argv[1]), argc > 4 ? argv[4] : NULL, protocols, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    printf("context made, polled %s\n", count_pollfds > 1 ? "yes" : "no");

    while (closed < sessions && !force_exit) {
        n = poll(pollfds, (nfds_t)count_pollfds, 50);
        if (n < 0)
            continue;
        for (n = 0; n < count_pollfds; n++) {
            if (!pollfds[n].revents)
                continue;
            if (pollfds[n].fd != own[0]) {
                libwebsocket_service_fd(context, &pollfds[n]);
                continue;
            }
            if (read(own[0], &c, 1) != 1 || (ticks < 50 && write(own[1], &c, 1) != 1))
                return 1;
            ticks++;
        }
        if (hang_up_fd >= 0) {
            n = hang_up_fd;
            hang_up_fd = -1;
            libwebsockets_hangup_on_client(context, n);
        }
    }
    printf("ticks %s\n", ticks ? "yes" : "no");
    libwebsocket_context_destroy(context);
    printf("destroyed, polled %d, mistakes %d\n", count_pollfds - 1, mistakes);
    return mistakes != 0;
}
