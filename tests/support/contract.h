/*
 * The contract checker: watches everything that passes between the engine, its loop and the
 * program, and ends the test with a message where a rule of the contract (lws_poll_fd.h,
 * docs/architecture.md) is broken.
 *
 * It is on in every program that this is linked into with -export-dynamic, because the program then
 * defines the library's functions itself, and calls the real ones. A test has nothing to do but to
 * call contract_finish() at its end.
 */
#ifndef LWSLOOP_TESTS_CONTRACT_H
#define LWSLOOP_TESTS_CONTRACT_H

#include <libwebsockets.h>

/* Sees every callback to every protocol, after the checks and before the program's function. */
typedef void(contract_observer)(struct libwebsocket_context *context, struct libwebsocket *wsi,
    int protocol, enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len);
void contract_observe(contract_observer *observer);

/* Calls of libwebsocket_service_fd so far, in all threads. */
unsigned long contract_service_calls(void);

/* The most time of the processor's that one of them has taken so far, in microseconds, the
 * callbacks inside it included. */
long contract_longest_service_us(void);

/* Whether the engine has announced a descriptor and not taken it back, to any listener; and the
 * events it wants there, or -1. */
int contract_is_announced(int fd);
int contract_events(int fd);

/* Expects that no context is left and everything is balanced. */
void contract_finish(void);

/*
 * In a child of fork(): forgets everything, because the child's copies of descriptors are closed
 * without the callbacks that belong to them.
 */
void contract_forget(void);

#endif
