/* What a process of tests/processes/host.h does when it is asked to; see role.h. */
#ifndef LWSLOOP_TESTS_PROCESSES_PROGRAM_H
#define LWSLOOP_TESTS_PROCESSES_PROGRAM_H

#include "host.h"
#include "role.h"

/* Bytes that WRITE_LARGE writes. */
enum { PROGRAM_LARGE = 16 << 20 };

struct program_options {
    enum host_loop loop;
    unsigned int ping_interval_ms; /* 0: none */
    bool tls;
    bool extended;         /* it has the extension of probe.h */
    const char *unix_path; /* where it listens, too; NULL: nowhere */
};

/* Forks a process that plays the parent's role. Returns when it listens, with its port. */
int program_start(const struct program_options *options, pid_t *process);

#endif
