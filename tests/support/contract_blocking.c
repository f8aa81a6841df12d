/*
 * The contract checker: the engine never waits. Stands in for the functions that can, and ends the
 * test where the engine calls one of them in a way that would.
 */
#undef _FORTIFY_SOURCE

#include "contract_state.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

#define ORIGINAL(name)                                                                             \
    static __typeof__(&name) next;                                                                 \
    if (next == NULL)                                                                              \
    next = (__typeof__(&name))contract_next(#name)

static void never_waits(bool waits, const char *name)
{
    if (waits && contract_inside_engine())
        contract_trouble("the engine waits in %s", name);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    ORIGINAL(poll);
    never_waits(timeout != 0, "poll");
    return next(fds, count, timeout);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    ORIGINAL(ppoll);
    never_waits(timeout == NULL || timeout->tv_sec > 0 || timeout->tv_nsec > 0, "ppoll");
    return next(fds, count, timeout, mask);
}

int select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
    ORIGINAL(select);
    never_waits(timeout == NULL || timeout->tv_sec > 0 || timeout->tv_usec > 0, "select");
    return next(count, in, out, except, timeout);
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
    ORIGINAL(epoll_wait);
    never_waits(timeout != 0, "epoll_wait");
    return next(fd, events, count, timeout);
}

int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout, const sigset_t *mask)
{
    ORIGINAL(epoll_pwait);
    never_waits(timeout != 0, "epoll_pwait");
    return next(fd, events, count, timeout, mask);
}

unsigned int sleep(unsigned int seconds)
{
    ORIGINAL(sleep);
    never_waits(true, "sleep");
    return next(seconds);
}

int usleep(useconds_t microseconds)
{
    ORIGINAL(usleep);
    never_waits(true, "usleep");
    return next(microseconds);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    ORIGINAL(nanosleep);
    never_waits(true, "nanosleep");
    return next(wanted, left);
}

int pthread_join(pthread_t thread, void **result)
{
    ORIGINAL(pthread_join);
    never_waits(true, "pthread_join");
    return next(thread, result);
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    ORIGINAL(pthread_cond_wait);
    never_waits(true, "pthread_cond_wait");
    return next(condition, mutex);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    ORIGINAL(connect);
    never_waits((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0, "connect");
    return next(fd, address, length);
}
