/*
 * Level 20130115 (to 2013-01-29). Generation 4: external poll with the descriptor in `user`, a
 * counter by callback_on_writable_all_protocol, and a mirror that the peers' speed decides about.
 *
 * Run: gen4_poll PORT SESSIONS PAGE-FILE; SIGTERM ends it, too
 * Peers: SESSIONS WebSockets, to "dumb-counter" (receives "0", "1", "2" ... without a gap; sends
 * "reset", after which it starts again from "0") and to "backpressure" (sends binaries of up to
 * 4000 bytes and receives them back in order; while the answer waits the program holds the
 * receiving with rx_flow_control, so a peer that sends a lot before it reads gets all of it).
 * Requests by http get PAGE-FILE, at any time.
 *
 * Prints: "context made", "network filter 127.0.0.1", "protocol filter NAME uri URI" (NAME is the
 * protocol's own), "established NAME", "reset", "closed NAME", then "destroyed, polled 0,
 * mistakes 0". Exit status 0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <libwebsockets.h>

#define MAX_FD 1024

/* one slot for each descriptor, as programs with few of them did */
static struct pollfd polls[MAX_FD];
static int polled;
static int mistakes;
static int closed;
static const char *page;
static volatile sig_atomic_t force_exit;

struct pss_counter {
    int number;
};

struct pss_mirror {
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 4096 + LWS_SEND_BUFFER_POST_PADDING];
    size_t len;
};

static void interrupted(int signal_number)
{
    (void)signal_number;
    force_exit = 1;
}

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    int fd = (int)(long)user;
    char name[64];
    char rip[64];

    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        libwebsockets_get_peer_addresses(fd, name, sizeof(name), rip, sizeof(rip));
        printf("network filter %s\n", rip);
        break;
    case LWS_CALLBACK_HTTP:
        return libwebsockets_serve_http_file(context, wsi, page, "text/html");
    case LWS_CALLBACK_ADD_POLL_FD:
        if (fd < 0 || fd >= MAX_FD || polls[fd].fd != -1) {
            mistakes++;
            return 1;
        }
        polls[fd].fd = fd;
        polls[fd].events = (short)len;
        polled++;
        break;
    case LWS_CALLBACK_DEL_POLL_FD:
        if (fd < 0 || fd >= MAX_FD || polls[fd].fd != fd) {
            mistakes++;
            return 1;
        }
        polls[fd].fd = -1;
        polls[fd].revents = 0;
        polled--;
        break;
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        if (polls[fd].fd != fd)
            mistakes++;
        polls[fd].events = (short)(polls[fd].events | (short)len);
        break;
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        if (polls[fd].fd != fd)
            mistakes++;
        polls[fd].events = (short)(polls[fd].events & ~(short)len);
        break;
    default:
        break;
    }
    return 0;
}

static void filter(const char *name, void *user)
{
    struct lws_tokens *tokens = (struct lws_tokens *)user;

    printf("protocol filter %s uri %s\n", name, tokens[WSI_TOKEN_GET_URI].token);
}

static int callback_dumb_counter(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 16 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct pss_counter *pss = (struct pss_counter *)user;
    int n;

    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        filter("dumb-counter", user);
        break;
    case LWS_CALLBACK_ESTABLISHED:
        pss->number = 0;
        printf("established dumb-counter\n");
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        n = sprintf((char *)p, "%d", pss->number++);
        if (libwebsocket_write(wsi, p, (size_t)n, LWS_WRITE_TEXT) < 0)
            return -1;
        break;
    case LWS_CALLBACK_RECEIVE:
        if (len == 5 && memcmp(in, "reset", 5) == 0) {
            printf("reset\n");
            pss->number = 0;
        }
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed dumb-counter\n");
        closed++;
        break;
    default:
        break;
    }
    return 0;
}

static int callback_mirror(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct pss_mirror *pss = (struct pss_mirror *)user;

    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        filter("backpressure", user);
        break;
    case LWS_CALLBACK_ESTABLISHED:
        pss->len = 0;
        printf("established backpressure\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        if (pss->len || len > 4096) {
            printf("unexpected receive\n");
            break;
        }
        memcpy(pss->buf + LWS_SEND_BUFFER_PRE_PADDING, in, len);
        pss->len = len;
        libwebsocket_rx_flow_control(wsi, 0);
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (!pss->len)
            break;
        if (libwebsocket_write(
                wsi, pss->buf + LWS_SEND_BUFFER_PRE_PADDING, pss->len, LWS_WRITE_BINARY) < 0)
            break;
        pss->len = 0;
        libwebsocket_rx_flow_control(wsi, 1);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed backpressure\n");
        closed++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"dumb-counter", callback_dumb_counter, sizeof(struct pss_counter), NULL, 0, 0, 0},
    {"backpressure", callback_mirror, sizeof(struct pss_mirror), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    struct timeval now;
    long last = 0;
    int n;

    if (argc != 4)
        return 2;
    page = argv[3];
    signal(SIGTERM, interrupted);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(1200);
    for (n = 0; n < MAX_FD; n++)
        polls[n].fd = -1;
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    if (context == NULL)
        return 1;
    printf("context made\n");
    while (closed < atoi(argv[2]) && !force_exit) {
        if (poll(polls, MAX_FD, 20) < 0)
            continue;
        for (n = 0; n < MAX_FD; n++)
            if (polls[n].fd >= 0 && polls[n].revents)
                libwebsocket_service_fd(context, &polls[n]);
        gettimeofday(&now, NULL);
        if (now.tv_usec / 2000 != last) {
            last = now.tv_usec / 2000;
            libwebsocket_callback_on_writable_all_protocol(&protocols[1]);
        }
    }
    libwebsocket_context_destroy(context);
    printf("destroyed, polled %d, mistakes %d\n", polled, mistakes);
    return mistakes != 0;
}
