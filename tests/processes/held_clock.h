/*
 * Time that goes on only when it is told to, for the library's deadlines: the monotonic clock and
 * the timer, which are the system's until the clock is held. For a process with one thread and one
 * context.
 */
#ifndef LWSLOOP_TESTS_PROCESSES_HELD_CLOCK_H
#define LWSLOOP_TESTS_PROCESSES_HELD_CLOCK_H

/* From now on. Before the context is made. */
void clock_hold(void);

void clock_go_on(int seconds);

#endif
