#include "platform/wake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wake_open(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void wake_signal(int fd)
{
    const uint64_t one = 1;
    int saved = errno;

    /* EAGAIN means that the counter is full, and so that the descriptor is readable. */
    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
    errno = saved;
}

void wake_clear(int fd)
{
    uint64_t count;

    while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
}
