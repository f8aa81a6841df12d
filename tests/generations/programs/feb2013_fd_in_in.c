/*
 * Level 20130215 (to 2013-10-16): the descriptor of the four POLL_FD callbacks and of
 * FILTER_NETWORK_CONNECTION is in `in` from now on. PROTOCOL_INIT and PROTOCOL_DESTROY have come.
 *
 * Run: feb2013_fd_in_in PORT
 * Peer: one WebSocket to "pulse"; receives "beat 1" to "beat 5", each when it has sent "next", and
 * closes.
 *
 * Prints "init http-only" and "init pulse" (any order), then "made, polled yes", then
 * "network 127.0.0.1", "established", five times "beat", "closed", "destroy http-only" and "destroy
 * pulse" (any order), "destroyed, polled 0, mistakes 0". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static struct pollfd pollfds[64];
static int fds;
static int mistakes;
static int closed;

static int find(int fd)
{
    int n = 0;

    while (n < fds && pollfds[n].fd != fd)
        n++;
    return n;
}

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    int n = find((int)(long)in);
    char name[128];
    char rip[64];

    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        libwebsockets_get_peer_addresses(
            context, wsi, (int)(long)in, name, sizeof(name), rip, sizeof(rip));
        printf("network %s\n", rip);
        break;
    case LWS_CALLBACK_PROTOCOL_INIT:
        printf("init http-only\n");
        break;
    case LWS_CALLBACK_PROTOCOL_DESTROY:
        printf("destroy http-only\n");
        break;
    case LWS_CALLBACK_ADD_POLL_FD:
        if (n < fds || n == 64) {
            mistakes++;
            break;
        }
        pollfds[n].fd = (int)(long)in;
        pollfds[n].events = (short)len;
        pollfds[n].revents = 0;
        fds++;
        break;
    case LWS_CALLBACK_DEL_POLL_FD:
        if (n == fds)
            mistakes++;
        else
            pollfds[n] = pollfds[--fds];
        break;
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        if (n == fds)
            mistakes++;
        else
            pollfds[n].events = (short)(pollfds[n].events | (short)len);
        break;
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        if (n == fds)
            mistakes++;
        else
            pollfds[n].events = (short)(pollfds[n].events & ~(short)len);
        break;
    default:
        break;
    }
    return 0;
}

static int callback_pulse(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 16 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    int *beats = (int *)user;
    int n;

    switch (reason) {
    case LWS_CALLBACK_PROTOCOL_INIT:
        printf("init pulse\n");
        break;
    case LWS_CALLBACK_PROTOCOL_DESTROY:
        printf("destroy pulse\n");
        break;
    case LWS_CALLBACK_ESTABLISHED:
        printf("established\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        n = sprintf((char *)p, "beat %d", ++*beats);
        if (libwebsocket_write(wsi, p, (size_t)n, LWS_WRITE_TEXT) < 0)
            return -1;
        printf("beat\n");
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

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, 0, NULL, 0},
    {"pulse", callback_pulse, sizeof(int), 0, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    struct libwebsocket_context *context;
    int n;

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
    printf("made, polled %s\n", fds ? "yes" : "no");
    while (!closed) {
        if (poll(pollfds, (nfds_t)fds, 1000) < 0)
            return 1;
        for (n = 0; n < fds; n++)
            if (pollfds[n].revents)
                libwebsocket_service_fd(context, &pollfds[n]);
    }
    libwebsocket_context_destroy(context);
    printf("destroyed, polled %d, mistakes %d\n", fds, mistakes);
    return mistakes != 0;
}
