#include "platform/timer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int timer_open(void)
{
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

bool timer_arm(int fd, uint64_t at)
{
    struct itimerspec when = {0};

    when.it_value.tv_sec = (time_t)(at / 1000);
    when.it_value.tv_nsec = (long)(at % 1000) * 1000000;
    if (at == 0)
        when.it_value.tv_nsec = 1; /* all zero would disarm it */
    return timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) == 0;
}

bool timer_disarm(int fd)
{
    const struct itimerspec never = {0};

    return timerfd_settime(fd, 0, &never, NULL) == 0;
}

void timer_clear(int fd)
{
    uint64_t count;

    while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
}
