/* A descriptor that becomes readable at a time (timerfd). */
#ifndef LWSLOOP_PLATFORM_TIMER_H
#define LWSLOOP_PLATFORM_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* Returns the descriptor, or -1 with errno. */
int timer_open(void);

/* Has it become readable when clock_now() reaches `at`; at once if that is past. */
bool timer_arm(int fd, uint64_t at);

bool timer_disarm(int fd);

/* Makes it unreadable again. */
void timer_clear(int fd);

#endif
