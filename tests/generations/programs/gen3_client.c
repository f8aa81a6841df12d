/*
 * Level 20110221 (to 2011-02-25). Generation 3: server and client in one context and one process,
 * the client through the program's own poll loop.
 *
 * Run: gen3_client PORT
 * Peer: none; it talks to itself, on 127.0.0.1:PORT.
 *
 * Prints, in this order for each side, the two sides in any interleaving:
 *   client wsi yes
 *   server established / client established
 *   server received: question
 *   client received: answer 8
 *   client closed / server closed
 *   peer 127.0.0.1
 *   polled 0
 * Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct both {
    char is_client;
};

static struct pollfd pollfds[32];
static int fds;
static int over;

static int callback_both(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 64 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = buf + LWS_SEND_BUFFER_PRE_PADDING;
    struct both *both = (struct both *)user;
    char name[100];
    char rip[100];
    int n;

    switch (reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
        pollfds[fds].fd = (int)(long)user;
        pollfds[fds++].events = (short)len;
        break;
    case LWS_CALLBACK_DEL_POLL_FD:
        for (n = 0; n < fds; n++)
            if (pollfds[n].fd == (int)(long)user)
                pollfds[n] = pollfds[--fds];
        break;
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        for (n = 0; n < fds; n++)
            if (pollfds[n].fd == (int)(long)user)
                pollfds[n].events = (short)(pollfds[n].events | (int)len);
        break;
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        for (n = 0; n < fds; n++)
            if (pollfds[n].fd == (int)(long)user)
                pollfds[n].events = (short)(pollfds[n].events & ~(int)len);
        break;

    case LWS_CALLBACK_ESTABLISHED:
        both->is_client = 0;
        printf("server established\n");
        libwebsockets_get_peer_addresses(
            libwebsocket_get_socket_fd(wsi), name, (int)sizeof(name), rip, (int)sizeof(rip));
        printf("peer %s\n", rip);
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        both->is_client = 1;
        printf("client established\n");
        memcpy(p, "question", 8);
        libwebsocket_write(wsi, p, 8, LWS_WRITE_TEXT);
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("server received: %.*s\n", (int)len, (char *)in);
        n = sprintf((char *)p, "answer %d", (int)len);
        libwebsocket_write(wsi, p, (size_t)n, LWS_WRITE_TEXT);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        printf("client received: %.*s\n", (int)len, (char *)in);
        libwebsocket_close_and_free_session(context, wsi);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("%s closed\n", both->is_client ? "client" : "server");
        over++;
        break;
    case LWS_CALLBACK_BROADCAST:
        printf("unexpected broadcast\n");
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"both-ways", callback_both, sizeof(struct both), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    int n;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, NULL, NULL, -1, -1, LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK);
    if (context == NULL)
        return 1;
    printf("client wsi %s\n", libwebsocket_client_connect(context, "127.0.0.1", atoi(argv[1]), 0,
                                  "/", "127.0.0.1", "127.0.0.1", "both-ways", -1)
                                  ? "yes"
                                  : "no");
    while (over < 2) {
        if (poll(pollfds, (nfds_t)fds, 1000) < 0)
            return 1;
        for (n = 0; n < fds; n++)
            if (pollfds[n].revents)
                libwebsocket_service_fd(context, &pollfds[n]);
    }
    libwebsocket_context_destroy(context);
    printf("polled %d\n", fds);
    return 0;
}
