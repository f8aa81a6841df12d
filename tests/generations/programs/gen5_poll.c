/*
 * Level 20130316 (to 2013-10-16). Generation 5: external poll; all ready descriptors, the
 * program's own too, are given to libwebsocket_service_fd(), which leaves alone what it does not
 * know; and libwebsocket_service(context, 0) is mixed in.
 *
 * Run: gen5_poll PORT SESSIONS PAGE-FILE [mixed]; SIGTERM ends it, too
 * Peers: SESSIONS WebSockets to "relay": each text goes to all others ("relay" is done by writable
 * callbacks of the protocol, from one place, so that a slow one may miss some but sees them in
 * order); binaries come back to the one who sent them. Then they close.
 * Requests by http get PAGE-FILE, at any time.
 *
 * Prints: "made", "joined", "left", "own N" (N > 0: turns of its own descriptor), "foreign left
 * alone yes" (revents stood after service_fd), "ours cleared yes" (0 afterwards), "unknown
 * descriptor gave 0", "destroyed, polled 0, mistakes 0". Exit status 0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#define MAX_FDS 200
#define RING 64
#define WORDS 256

static struct pollfd fds[MAX_FDS];
static int count;
static int mistakes;
static int left_count;
static const char *page;
static volatile sig_atomic_t force_exit;
static struct libwebsocket_protocols *relay_protocol;

static struct {
    struct libwebsocket *from;
    char words[WORDS];
    size_t len;
} ring[RING];
static unsigned int head;

struct relay {
    unsigned int tail;
};

static void interrupted(int signal_number)
{
    (void)signal_number;
    force_exit = 1;
}

static int look(int fd)
{
    int n;

    for (n = 0; n < count; n++)
        if (fds[n].fd == fd)
            return n;
    return -1;
}

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    int fd = (int)(long)in;
    int n;

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return libwebsockets_serve_http_file(context, wsi, page, "text/html") < 0;
    case LWS_CALLBACK_ADD_POLL_FD:
        if (wsi == NULL || look(fd) >= 0 || count == MAX_FDS) {
            mistakes++;
            break;
        }
        fds[count].fd = fd;
        fds[count].events = (short)len;
        fds[count++].revents = 0;
        break;
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        n = look(fd);
        if (n < 0) {
            mistakes++;
            break;
        }
        if (reason == LWS_CALLBACK_DEL_POLL_FD)
            fds[n] = fds[--count];
        else if (reason == LWS_CALLBACK_SET_MODE_POLL_FD)
            fds[n].events = (short)(fds[n].events | (short)len);
        else
            fds[n].events = (short)(fds[n].events & ~(short)len);
        break;
    default:
        break;
    }
    return 0;
}

static int callback_relay(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + WORDS + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct relay *relay = (struct relay *)user;
    unsigned int n;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        relay->tail = head;
        printf("joined\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        if (lws_frame_is_binary(wsi)) {
            /* straight back: RECEIVE's bytes have room around them */
            if (libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_BINARY) < 0)
                return -1;
            break;
        }
        n = head++ % RING;
        ring[n].from = wsi;
        ring[n].len = len > WORDS ? WORDS : len;
        memcpy(ring[n].words, in, ring[n].len);
        libwebsocket_callback_on_writable_all_protocol(relay_protocol);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (head - relay->tail > RING)
            relay->tail = head - RING;
        while (relay->tail != head) {
            n = relay->tail++ % RING;
            if (ring[n].from == wsi)
                continue;
            memcpy(p, ring[n].words, ring[n].len);
            if (libwebsocket_write(wsi, p, ring[n].len, LWS_WRITE_TEXT) < 0)
                return -1;
            if (lws_send_pipe_choked(wsi))
                break;
        }
        if (relay->tail != head)
            libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_CLOSED:
        for (n = 0; n < RING; n++)
            if (ring[n].from == wsi)
                ring[n].from = NULL;
        printf("left\n");
        left_count++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, 0, NULL, 0},
    {"relay", callback_relay, sizeof(struct relay), WORDS, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    struct libwebsocket_context *context;
    struct pollfd stranger;
    int left_alone = 1;
    int cleared = 1;
    int turns = 0;
    int own[2];
    char c = 'x';
    int n;

    if (argc < 4)
        return 2;
    page = argv[3];
    signal(SIGTERM, interrupted);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(1200);
    relay_protocol = &protocols[1];
    if (pipe(own) < 0 || write(own[1], &c, 1) != 1)
        return 2;
    fds[0].fd = own[0];
    fds[0].events = POLLIN;
    count = 1;
    memset(&info, 0, sizeof(info));
    info.port = atoi(argv[1]);
    info.protocols = protocols;
    info.gid = -1;
    info.uid = -1;
    context = libwebsocket_create_context(&info);
    if (context == NULL)
        return 1;
    printf("made\n");
    while (left_count < atoi(argv[2]) && !force_exit) {
        if (poll(fds, (nfds_t)count, 50) < 0)
            continue;
        for (n = 0; n < count; n++) {
            int fd = fds[n].fd;

            if (!fds[n].revents)
                continue;
            if (libwebsocket_service_fd(context, &fds[n]) < 0)
                mistakes++;
            if (fd == own[0]) {
                if (!(fds[n].revents & POLLIN))
                    left_alone = 0;
                if (turns++ < 100 && (read(own[0], &c, 1) != 1 || write(own[1], &c, 1) != 1))
                    return 1;
                if (turns == 100 && read(own[0], &c, 1) != 1)
                    return 1;
            } else if (n < count && fds[n].fd == fd && fds[n].revents) {
                cleared = 0;
            }
        }
        if (argc > 4 && libwebsocket_service(context, 0) < 0)
            mistakes++;
    }
    stranger.fd = own[0];
    stranger.events = POLLIN;
    stranger.revents = POLLIN;
    n = libwebsocket_service_fd(context, &stranger);
    printf("own %d\n", turns);
    printf("foreign left alone %s\n", left_alone && stranger.revents == POLLIN ? "yes" : "no");
    printf("ours cleared %s\n", cleared ? "yes" : "no");
    printf("unknown descriptor gave %d\n", n);
    libwebsocket_context_destroy(context);
    printf("destroyed, polled %d, mistakes %d\n", count - 1, mistakes);
    return mistakes != 0;
}
