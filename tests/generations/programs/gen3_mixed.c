/*
 * Level 20110221 (to 2011-02-25). Generation 3: a poll array of its own and
 * libwebsocket_service(context, 0) in the same loop, as programs did that wanted to be sure.
 * Nothing may be delivered twice or lost.
 *
 * Uses: POLL_FD callbacks with the descriptor in `user`; callback_on_writable(context, wsi);
 * callback_on_writable_all_protocol, for which servers get CLIENT_WRITEABLE before 2011-03-07;
 * close_and_free_session(context, wsi), as it was before it took a status; broadcast in the same
 * process.
 *
 * Run: gen3_mixed PORT SESSIONS PAGE-FILE; SIGTERM ends it, too
 * Peers: SESSIONS WebSockets to "clock": each receives "1", "2", "3" ... with no gap, and between
 * them "all: WORDS" whenever one has sent "WORDS". Text "free me" has the server end that one.
 * Requests by http get PAGE-FILE, at any time.
 *
 * Prints "established", "broadcast 0", "freed", "closed", at the end "destroyed, polled 0,
 * mistakes 0". Never "unexpected". Exit status 0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static struct pollfd pollfds[100];
static int fds;
static int mistakes;
static int closed;
static const char *page;
static volatile sig_atomic_t force_exit;

struct session {
    int number;
};

static void interrupted(int signal_number)
{
    (void)signal_number;
    force_exit = 1;
}

static int callback_clock(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 256 + LWS_SEND_BUFFER_POST_PADDING];
    char *text = (char *)buf + LWS_SEND_BUFFER_PRE_PADDING;
    struct session *session = (struct session *)user;
    int n;

    switch (reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
        if (fds == 100)
            return 1;
        pollfds[fds].fd = (int)(long)user;
        pollfds[fds].events = (short)len;
        pollfds[fds++].revents = 0;
        return 0;
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        for (n = 0; n < fds; n++)
            if (pollfds[n].fd == (int)(long)user)
                break;
        if (n == fds)
            mistakes++;
        else if (reason == LWS_CALLBACK_DEL_POLL_FD)
            pollfds[n] = pollfds[--fds];
        else if (reason == LWS_CALLBACK_SET_MODE_POLL_FD)
            pollfds[n].events = (short)(pollfds[n].events | (int)len);
        else
            pollfds[n].events = (short)(pollfds[n].events & ~(int)len);
        return 0;

    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        break;
    case LWS_CALLBACK_HTTP:
        if (libwebsockets_serve_http_file(wsi, page, "text/html"))
            printf("unexpected result of serve_http_file\n");
        break;
    case LWS_CALLBACK_ESTABLISHED:
        session->number = 0;
        printf("established\n");
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        n = sprintf(text, "%d", ++session->number);
        if (libwebsocket_write(wsi, (unsigned char *)text, (size_t)n, LWS_WRITE_TEXT))
            printf("unexpected end of clock\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        if (len == 7 && memcmp(in, "free me", 7) == 0) {
            libwebsocket_close_and_free_session(context, wsi);
            printf("freed\n");
            return -1;
        }
        n = sprintf(text, "all: %.*s", len > 200 ? 200 : (int)len, (char *)in);
        printf("broadcast %d\n", libwebsockets_broadcast(libwebsockets_get_protocol(wsi),
                                     (unsigned char *)text, (size_t)n));
        break;
    case LWS_CALLBACK_BROADCAST:
        libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed++;
        break;
    default:
        printf("unexpected %d\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"clock", callback_clock, sizeof(struct session), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    int n;

    if (argc != 4)
        return 2;
    page = argv[3];
    signal(SIGTERM, interrupted);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(1200);
    context = libwebsocket_create_context(atoi(argv[1]), NULL, protocols, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    while (closed < atoi(argv[2]) && !force_exit) {
        if (poll(pollfds, (nfds_t)fds, 20) > 0)
            for (n = 0; n < fds; n++)
                if (pollfds[n].revents)
                    libwebsocket_service_fd(context, &pollfds[n]);
        libwebsocket_callback_on_writable_all_protocol(&protocols[0]);
        if (libwebsocket_service(context, 0) < 0)
            return 1;
    }
    libwebsocket_context_destroy(context);
    printf("destroyed, polled %d, mistakes %d\n", fds, mistakes);
    return mistakes != 0;
}
