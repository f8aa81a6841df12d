/*
 * Stands between the sources under test and some functions of the system: the name service, which
 * answers when a test wants it to; threads, which are counted; and memory, which runs short. The
 * linker puts it there (--wrap).
 *
 * Names it answers by itself, with 192.0.2.7; all others the system answers.
 *
 *   now.test     at once
 *   gate.test    once it was let through
 *   local.test   at once, but with an address of another family
 *   short.test   at once, but the thread that asked has no memory left
 *   error:N      at once, with this error number
 */
#ifndef LWSLOOP_TESTS_INTERPOSED_H
#define LWSLOOP_TESTS_INTERPOSED_H

#include <stdbool.h>

/* Forgets all that was counted, and closes the gate. No thread may run. */
void interposed_reset(void);

/* For the only thread that a fork leaves over: as interposed_reset. */
void interposed_after_fork(void);

void names_let_through(unsigned int count);
void names_let_all_through(void);

/* False where fewer than that many are at the gate and no more come. */
bool names_wait_at_gate(unsigned int count);

/* How often the name service was asked, and by how many threads at once at most. */
unsigned int names_asked(void);
unsigned int names_asked_at_once(void);

/* Signals that were not blocked where it was asked, over all calls. */
unsigned int names_open_signals(void);

/* The next `times` attempts to start a thread fail with this error number. */
void threads_refuse(int error, unsigned int times);

/* How many were started. */
unsigned int threads_started(void);

/* False where threads that were started do not end. */
bool threads_wait_for_end(void);

/* The calling thread's next allocation fails. */
void memory_fail_next(void);

#endif
