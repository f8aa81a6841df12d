/* Waiting with epoll(7). */
#include "wait.h"

#if LWS_POLL_WAIT_EPOLL

#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct lws_poll_wait {
    int epoll_fd;
};

struct lws_poll_wait *lws_poll_wait_create(void)
{
    struct lws_poll_wait *wait = malloc(sizeof(*wait));

    if (!wait)
        return NULL;
    wait->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (wait->epoll_fd < 0) {
        free(wait);
        return NULL;
    }
    return wait;
}

void lws_poll_wait_destroy(struct lws_poll_wait *wait)
{
    close(wait->epoll_fd);
    free(wait);
}

static int control(const struct lws_poll_wait *wait, int operation, int fd, int events)
{
    struct epoll_event event = {.data.fd = fd};

    if (events & POLLIN)
        event.events |= EPOLLIN;
    if (events & POLLOUT)
        event.events |= EPOLLOUT;
    return epoll_ctl(wait->epoll_fd, operation, fd, &event);
}

int lws_poll_wait_add(struct lws_poll_wait *wait, int fd, int events)
{
    return control(wait, EPOLL_CTL_ADD, fd, events);
}

int lws_poll_wait_change(struct lws_poll_wait *wait, int fd, int events)
{
    return control(wait, EPOLL_CTL_MOD, fd, events);
}

int lws_poll_wait_remove(struct lws_poll_wait *wait, int fd)
{
    return control(wait, EPOLL_CTL_DEL, fd, 0);
}

static short events_to_poll(uint32_t events)
{
    short result = 0;

    if (events & EPOLLIN)
        result |= POLLIN;
    if (events & EPOLLOUT)
        result |= POLLOUT;
    if (events & EPOLLERR)
        result |= POLLERR;
    if (events & EPOLLHUP)
        result |= POLLHUP;
    return result;
}

int lws_poll_wait_for(
    struct lws_poll_wait *wait, struct pollfd ready[LWS_POLL_WAIT_MOST], int timeout_ms)
{
    struct epoll_event events[LWS_POLL_WAIT_MOST];
    int count;
    int i;

    count = epoll_wait(wait->epoll_fd, events, LWS_POLL_WAIT_MOST, timeout_ms);
    for (i = 0; i < count; i++) {
        ready[i] =
            (struct pollfd){.fd = events[i].data.fd, .revents = events_to_poll(events[i].events)};
    }
    return count;
}

#endif
