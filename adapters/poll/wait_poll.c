/* Waiting with poll(2), for systems that have nothing better. */
#include "wait.h"

#if !LWS_POLL_WAIT_EPOLL

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "../slots.h"

struct lws_poll_wait {
    struct pollfd *polled; /* without gaps */
    size_t count;
    size_t size;
    size_t first; /* where the next search for ready ones begins */

    size_t *place; /* by descriptor number: where it stands in polled */
    size_t place_count;
};

struct lws_poll_wait *lws_poll_wait_create(void)
{
    return calloc(1, sizeof(struct lws_poll_wait));
}

void lws_poll_wait_destroy(struct lws_poll_wait *wait)
{
    free(wait->polled);
    free(wait->place);
    free(wait);
}

int lws_poll_wait_add(struct lws_poll_wait *wait, int fd, int events)
{
    struct pollfd *polled;
    size_t *place;

    place = lws_slots_for(wait->place, &wait->place_count, sizeof(*place), fd);
    if (!place) {
        errno = ENOMEM;
        return -1;
    }
    wait->place = place;
    polled = lws_slots_for(wait->polled, &wait->size, sizeof(*polled), (int)wait->count);
    if (!polled) {
        errno = ENOMEM;
        return -1;
    }
    wait->polled = polled;

    place[fd] = wait->count;
    polled[wait->count++] = (struct pollfd){.fd = fd, .events = (short)events};
    return 0;
}

int lws_poll_wait_change(struct lws_poll_wait *wait, int fd, int events)
{
    wait->polled[wait->place[fd]].events = (short)events;
    return 0;
}

int lws_poll_wait_remove(struct lws_poll_wait *wait, int fd)
{
    const struct pollfd last = wait->polled[--wait->count];

    wait->place[last.fd] = wait->place[fd];
    wait->polled[wait->place[fd]] = last;
    return 0;
}

int lws_poll_wait_for(
    struct lws_poll_wait *wait, struct pollfd ready[LWS_POLL_WAIT_MOST], int timeout_ms)
{
    int found = 0;
    int count;
    size_t at;

    count = poll(wait->polled, (nfds_t)wait->count, timeout_ms);
    if (count < 0)
        return -1;
    if (count > LWS_POLL_WAIT_MOST)
        count = LWS_POLL_WAIT_MOST;
    at = wait->first;
    while (found < count) {
        if (at >= wait->count)
            at = 0;
        if (wait->polled[at].revents) {
            ready[found++] =
                (struct pollfd){.fd = wait->polled[at].fd, .revents = wait->polled[at].revents};
        }
        at++;
    }
    wait->first = at;
    return count;
}

#endif
