/*
 * Notices that the process has been forked, without a system call for each look.
 *
 * A process has a number: that of the process that made the guard is 1, a child's is greater than
 * any that its parent had seen when it forked. So whoever keeps the number under which something
 * was made, and compares it, knows whether a fork lies in between. Two children of one parent may
 * have the same number; nothing that either of them keeps is ever seen by the other.
 */
#ifndef LWSLOOP_PLATFORM_FORK_GUARD_H
#define LWSLOOP_PLATFORM_FORK_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What a child finds wiped, where the system does that. */
struct fork_page;

struct fork_guard {
    struct fork_page *page;
    bool asks;        /* nothing is wiped: the system is asked who we are at each look */
    atomic_uint last; /* the highest number given so far */
};

/* False with errno where memory is short. */
bool fork_guard_open(struct fork_guard *guard);

/* The present process's number, never 0. From any thread and from a signal handler. */
uint32_t fork_guard_process(struct fork_guard *guard);

/* Harmless where it was not opened, or is all zero. */
void fork_guard_close(struct fork_guard *guard);

#endif
