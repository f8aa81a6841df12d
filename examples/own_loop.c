/*
 * A program with a poll() loop of its own, which serves WebSockets beside a descriptor of its own:
 * what is typed goes to all clients. It needs nothing but the four POLL_FD callbacks, and so can be
 * carried over to any kind of loop. To try it:
 *
 *   ./own_loop 7681
 *   python3 -m websockets ws://localhost:7681
 */
#define _GNU_SOURCE 1 /* for ppoll() */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libwebsockets.h"

static struct pollfd *polled; /* the first is the program's own, the others are the engine's */
static size_t polled_count;
static unsigned char typed[LWS_SEND_BUFFER_PRE_PADDING + 512 + LWS_SEND_BUFFER_POST_PADDING];
static size_t typed_length;
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void add_polled(int fd, short events)
{
    struct pollfd *grown = realloc(polled, (polled_count + 1) * sizeof(*polled));

    if (!grown) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    polled = grown;
    polled[polled_count++] = (struct pollfd){.fd = fd, .events = events};
}

static size_t find_polled(int fd)
{
    size_t i;

    for (i = 1; polled[i].fd != fd; i++)
        ;
    return i;
}

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    int fd = (int)(intptr_t)in; /* in the four _POLL_FD callbacks, where len holds events */

    (void)context, (void)user;
    switch (reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
        add_polled(fd, (short)len);
        return 0;
    case LWS_CALLBACK_DEL_POLL_FD:
        polled[find_polled(fd)] = polled[--polled_count];
        return 0;
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        polled[find_polled(fd)].events |= (short)len;
        return 0;
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        polled[find_polled(fd)].events &= (short)~len;
        return 0;
    case LWS_CALLBACK_RECEIVE:
        printf("a client sent %zu bytes\n", len);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return libwebsocket_write(
                   wsi, typed + LWS_SEND_BUFFER_PRE_PADDING, typed_length, LWS_WRITE_TEXT) < 0;
    case LWS_CALLBACK_HTTP:
        return -1; /* no pages here, only WebSockets */
    default:
        return 0;
    }
}

static struct libwebsocket_protocols protocols[] = {
    {.name = NULL, .callback = callback},
    {.callback = NULL},
};

/* A client that is slow to take a line gets the newest one instead. */
static void read_typed(void)
{
    unsigned char *text = typed + LWS_SEND_BUFFER_PRE_PADDING;
    ssize_t count = read(STDIN_FILENO, text, 512);
    ssize_t i;

    if (count <= 0) {
        polled[0].fd = -1; /* poll() passes over it from now on */
        return;
    }
    if (text[count - 1] == '\n')
        count--;
    for (i = 0; i < count; i++)
        text[i] = text[i] < 128 ? text[i] : '?'; /* a text message has to be UTF-8 */
    typed_length = (size_t)count;
    libwebsocket_callback_on_writable_all_protocol(&protocols[0]);
}

int main(int argc, char **argv)
{
    struct lws_context_creation_info info = {.gid = -1, .uid = -1, .protocols = protocols};
    struct sigaction action = {.sa_handler = on_signal};
    struct libwebsocket_context *context;
    sigset_t stopping, before;
    size_t i;

    /* The two signals come only while ppoll() waits, so that none is missed. */
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGINT);
    sigaddset(&stopping, SIGTERM);
    sigprocmask(SIG_BLOCK, &stopping, &before);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    add_polled(STDIN_FILENO, POLLIN);
    info.port = argc > 1 ? atoi(argv[1]) : 7681;
    context = libwebsocket_create_context(&info);
    if (!context)
        return 1; /* the log says why */

    printf("listening on ws://localhost:%d\n", info.port);
    while (!stopped) {
        fflush(stdout);
        if (ppoll(polled, polled_count, NULL, &before) < 0) {
            stopped = stopped || errno != EINTR;
            continue;
        }
        if (polled[0].revents)
            read_typed();
        /* Callbacks may move the array and what is in it; who is passed over comes next time. */
        for (i = 1; i < polled_count; i++) {
            if (polled[i].revents)
                libwebsocket_service_fd(context, &polled[i]);
        }
    }
    libwebsocket_context_destroy(context);
    free(polled);
    return 0;
}
