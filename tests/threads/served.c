#include "served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void give_up(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

void served_poll_fd(struct libwebsocket_context *context, enum libwebsocket_callback_reasons reason,
    int fd, short events)
{
    struct served *served = libwebsocket_context_user(context);
    nfds_t i = 0;

    while (i < served->polled_count && served->polled[i].fd != fd)
        i++;
    if (reason == LWS_CALLBACK_ADD_POLL_FD) {
        if (i == POLLED_MOST)
            give_up("more descriptors than there is room for");
        served->polled[i] = (struct pollfd){.fd = fd, .events = events};
        served->polled_count++;
    } else if (i == served->polled_count) {
        give_up("a descriptor that nobody has heard of");
    } else if (reason == LWS_CALLBACK_DEL_POLL_FD) {
        served->polled[i] = served->polled[--served->polled_count];
    } else if (reason == LWS_CALLBACK_SET_MODE_POLL_FD) {
        served->polled[i].events |= events;
    } else {
        served->polled[i].events &= (short)~events;
    }
}

static void run_own(struct served *served)
{
    struct pollfd ready[POLLED_MOST];

    while (!served->loop.stopped) {
        nfds_t count = served->polled_count;

        memcpy(ready, served->polled, sizeof(ready));
        if (poll(ready, count, -1) < 0)
            continue;
        for (nfds_t i = 0; i < count && !served->loop.stopped; i++)
            if (ready[i].revents)
                (void)libwebsocket_service_fd(served->loop.context, &ready[i]);
    }
}

static void *serve(void *argument)
{
    struct served *served = argument;

    if (strcmp(served->loop.name, "own") == 0)
        run_own(served);
    else if (!run_loop(&served->loop))
        give_up("the loop failed");
    return NULL;
}

void served_begin(struct served *served, const char *loop, struct libwebsocket_protocols *protocols)
{
    struct lws_context_creation_info info = {
        .protocols = protocols, .gid = -1, .uid = -1, .user = served};
    struct lws_context_extras extras = {
        .struct_size = sizeof(extras), .max_backlog = (size_t)256 << 20};
    int fd;

    memset(served, 0, sizeof(*served));
    fd = run_loop_listen("127.0.0.1", 64, &served->port);
    if (fd < 0)
        give_up("no port to listen on");
    extras.listen_fds = &fd;
    extras.listen_fd_count = 1;
    served->loop.name = loop;
    served->loop.context = lws_create_context(&info, &extras);
    if (!served->loop.context || pthread_create(&served->thread, NULL, serve, served))
        give_up("no context, or no thread");
}

void served_join(struct served *served)
{
    if (pthread_join(served->thread, NULL))
        give_up("a thread cannot be joined");
}

void served_end(struct served *served)
{
    if (!run_loop_stop(&served->loop))
        give_up("the loop cannot be stopped");
    served_join(served);
}
