/*
 * Partial and failing I/O: stands in for the system calls by which sockets are read and written,
 * in threads that ask for it.
 *
 * The environment's LWS_TEST_CUT says what happens: a number moves at most so many bytes per call,
 * "random" between 1 and 64, "eagain" has a third of the calls fail with EAGAIN, "eintr" with
 * EINTR, before they do anything. Failures are random and so never last. LWS_TEST_SEED repeats a
 * run; the seed is printed where a test fails.
 */
#ifndef LWSLOOP_TESTS_CUT_IO_H
#define LWSLOOP_TESTS_CUT_IO_H

#include <stdbool.h>

/* Whether LWS_TEST_CUT asks for anything. */
bool cut_io_wanted(void);

/* Begins or ends it for the calling thread. */
void cut_io_here(bool on);

/* The seed of this process, to be printed. */
unsigned int cut_io_seed(void);

#endif
