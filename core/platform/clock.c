#include "platform/clock.h"

#include <time.h>

uint64_t clock_now(void)
{
    struct timespec now = {0};

    /* CLOCK_MONOTONIC exists on every system this runs on, so the call cannot fail. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
