/* What another process has used, from /proc. */
#ifndef LWSLOOP_BENCH_USAGE_H
#define LWSLOOP_BENCH_USAGE_H

#include <stdbool.h>

/* Seconds of processor time of all threads, user and system together; false if it is not known. */
bool usage_cpu(int process, double *seconds);

/* Resident memory that is the process's own, in bytes. */
bool usage_memory(int process, double *bytes);

#endif
