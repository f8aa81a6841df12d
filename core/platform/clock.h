/* The clock deadlines are measured with. */
#ifndef LWSLOOP_PLATFORM_CLOCK_H
#define LWSLOOP_PLATFORM_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment in the past; never goes back. */
uint64_t clock_now(void);

#endif
