/*
 * Waiting for many descriptors at once, level-triggered: what the poll adapter needs of the system.
 *
 * wait_epoll.c and wait_poll.c both implement it. Each compiles to nothing where the other is
 * chosen, so that both can stand in the list of sources: epoll on Linux, poll(2) elsewhere and
 * where LWS_POLL_PORTABLE is defined.
 */
#ifndef LWSLOOP_ADAPTERS_POLL_WAIT_H
#define LWSLOOP_ADAPTERS_POLL_WAIT_H

#include <poll.h>

#if defined(__linux__) && !defined(LWS_POLL_PORTABLE)
#define LWS_POLL_WAIT_EPOLL 1
#else
#define LWS_POLL_WAIT_EPOLL 0
#endif

/* The most descriptors that one wait reports. */
#define LWS_POLL_WAIT_MOST 64

struct lws_poll_wait;

/* Returns NULL with errno where memory or descriptors are short. */
struct lws_poll_wait *lws_poll_wait_create(void);

void lws_poll_wait_destroy(struct lws_poll_wait *wait);

/*
 * events are POLLIN and POLLOUT, or neither: hang-up and error are reported in any case. A
 * descriptor is added once, and changed and removed only while it is open and added. They return 0;
 * -1 with errno where the system will not.
 */
int lws_poll_wait_add(struct lws_poll_wait *wait, int fd, int events);
int lws_poll_wait_change(struct lws_poll_wait *wait, int fd, int events);
int lws_poll_wait_remove(struct lws_poll_wait *wait, int fd);

/*
 * Waits until a descriptor is ready or timeout_ms milliseconds are over; a negative timeout_ms is
 * never over. Each ready descriptor has a turn, also where there are always more than are reported.
 *
 *   ready   gets fd and revents of those that are, with events 0
 *
 * Returns their number; 0 where the time is over; -1 with errno, EINTR among others.
 */
int lws_poll_wait_for(
    struct lws_poll_wait *wait, struct pollfd ready[LWS_POLL_WAIT_MOST], int timeout_ms);

#endif
