/*
 * Has the n-th allocation, or the n-th call of a system function, that the library makes fail.
 *
 * The program stands between the libraries and the C library: allocations.c defines malloc() and
 * its relatives, system_calls.c the system functions. Only calls made while the thread is inside
 * INSIDE_LIBRARY() are counted and may fail, and of these only such as do not come from the program
 * itself; system functions only where liblwsloop calls them, allocations also where OpenSSL or the
 * C library make them on its behalf. Threads that liblwsloop makes are inside all the time.
 */
#ifndef LWSLOOP_TESTS_FAILURES_H
#define LWSLOOP_TESTS_FAILURES_H

#include <stdbool.h>
#include <stddef.h>

enum failing_call {
    FAIL_ALLOCATION,
    FAIL_ACCEPT4,
    FAIL_BIND,
    FAIL_CONNECT,
    FAIL_EVENTFD,
    FAIL_FCNTL,
    FAIL_FSTAT,
    FAIL_GETADDRINFO,
    FAIL_GETHOSTNAME,
    FAIL_GETIFADDRS,
    FAIL_GETPEERNAME,
    FAIL_GETSOCKOPT,
    FAIL_LISTEN,
    FAIL_LSTAT,
    FAIL_MEMFD_CREATE,
    FAIL_MMAP,
    FAIL_OPEN,
    FAIL_PTHREAD_CREATE,
    FAIL_READ,
    FAIL_RECV,
    FAIL_SENDFILE,
    FAIL_SENDMSG,
    FAIL_SETGROUPS,
    FAIL_SETRESGID,
    FAIL_SETRESUID,
    FAIL_SETSOCKOPT,
    FAIL_SHUTDOWN,
    FAIL_SOCKET,
    FAIL_SOCKETPAIR,
    FAIL_STAT,
    FAIL_TIMERFD_CREATE,
    FAIL_TIMERFD_SETTIME,
    FAIL_UNLINK,
    FAILING_CALLS,
    FAIL_NOTHING = FAILING_CALLS
};

/* OpenSSL makes many more allocations than everything else together. */
enum allocating { BY_ANYBODY, BY_ANYBODY_ELSE, BY_OPENSSL };

struct failure_plan {
    enum failing_call call;
    enum allocating by; /* FAIL_ALLOCATION: whose allocations count */
    unsigned int first; /* the number, from 1, of the call that fails */
    bool lasting;       /* and of all that follow it */
    int error;          /* errno, or what getaddrinfo() or pthread_create() returns */
};

/* The name of a function, and how many errors it is made to fail with, and which. */
const char *failures_name(enum failing_call call);
size_t failures_errors(enum failing_call call);
int failures_error(enum failing_call call, size_t which);

/* Starts to count anew. */
void failures_begin(const struct failure_plan *plan);

/* No more failures until failures_begin(). How many were made is kept. */
void failures_end(void);

/* Nothing fails, and nothing is counted, until it is called with false. */
void failures_pause(bool pause);

/* How many calls were made to fail. */
unsigned int failures_made(void);

/* Allocations made by liblwsloop or zlib and not yet freed, failures or not. */
size_t failures_outstanding(void);

/* For the functions that stand in: whether the call that returns to `caller` is to fail. */
bool failures_now(enum failing_call call, const void *caller);
int failures_planned_error(void);

/* Waits until no thread is left that liblwsloop has made. False where that takes long. */
bool failures_threads_ended(void);

/* Look-ups of slow.example take until they are let go; of talk.example there are two addresses, on
 * the second of which somebody may listen. */
void failures_hold_names(bool hold);

/* Whether an address is in liblwsloop, or in zlib. */
bool failures_from_library(const void *caller);
bool failures_from_zlib(const void *caller);

/* Nests; returns what it was before. */
bool failures_inside(bool inside);

#define INSIDE_LIBRARY(expression)                                                                 \
    do {                                                                                           \
        bool outside_before = failures_inside(true);                                               \
                                                                                                   \
        expression;                                                                                \
        (void)failures_inside(outside_before);                                                     \
    } while (0)

#endif
