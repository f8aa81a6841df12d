/*
 * What calls into the library cost the thread that makes them. The program stands between the
 * adapters and libwebsocket_service_fd(), so that each service call is measured; other calls are by
 * cost_begin() and cost_end().
 */
#ifndef LWSLOOP_TESTS_COST_H
#define LWSLOOP_TESTS_COST_H

#include <stdbool.h>

void cost_begin(void);
void cost_end(void);

/* The most CPU time that one call took, in microseconds, and the number of calls. */
long cost_most(void);
unsigned long cost_calls(void);

/* From now on each call is marked for whoever traces the system calls: a close() of COST_MARK_BEGIN
 * before it, and of COST_MARK_END behind it. */
void cost_mark_calls(void);
#define COST_MARK_BEGIN (-1001)
#define COST_MARK_END (-1002)

#endif
