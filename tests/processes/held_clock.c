#include "held_clock.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

static bool held;
static struct timespec now;
static int timer = -1;
static struct itimerspec timer_at;

static void *original(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function)
        abort();
    return function;
}

#define ORIGINAL(name)                                                                             \
    static __typeof__(&name) next;                                                                 \
    if (!next)                                                                                     \
    next = (__typeof__(&name))original(#name)

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

int clock_gettime(clockid_t clock, struct timespec *time)
{
    ORIGINAL(clock_gettime);
    if (!held || clock != CLOCK_MONOTONIC)
        return next(clock, time);
    *time = now;
    return 0;
}

/* While the clock is held it is over at once, or does not run. */
int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *before)
{
    const struct timespec *at = &value->it_value;
    struct itimerspec real = {0};

    ORIGINAL(timerfd_settime);
    if (!held)
        return next(fd, flags, value, before);
    timer = fd;
    timer_at = *value;
    if (at->tv_sec == 0 && at->tv_nsec == 0)
        return next(fd, 0, &real, before);
    if (!(flags & TFD_TIMER_ABSTIME))
        abort();
    if (at->tv_sec < now.tv_sec || (at->tv_sec == now.tv_sec && at->tv_nsec <= now.tv_nsec))
        real.it_value.tv_nsec = 1;
    return next(fd, 0, &real, before);
}

#pragma GCC visibility pop

void clock_hold(void)
{
    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        abort();
    held = true;
}

void clock_go_on(int seconds)
{
    const struct itimerspec value = timer_at;

    now.tv_sec += seconds;
    if (timer >= 0 && timerfd_settime(timer, TFD_TIMER_ABSTIME, &value, NULL) < 0)
        abort();
}
