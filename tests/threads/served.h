/* A context that a thread of its own serves, on a loop chosen by name. */
#ifndef LWSLOOP_TESTS_THREADS_SERVED_H
#define LWSLOOP_TESTS_THREADS_SERVED_H

#include <libwebsockets.h>

#include <poll.h>
#include <pthread.h>

#include "../support/run_loop.h"

enum { POLLED_MOST = 64 };

struct served {
    struct run_loop loop;
    pthread_t thread;
    int port;                          /* 0 where it does not listen */
    struct pollfd polled[POLLED_MOST]; /* of the hand-written loop */
    nfds_t polled_count;
};

/* Ends the program with a line where something fails. */
void served_begin(
    struct served *served, const char *loop, struct libwebsocket_protocols *protocols);

/* Has it end, and waits for that. */
void served_end(struct served *served);

/* Only waits. */
void served_join(struct served *served);

/* What protocols[0] is told of descriptors. */
void served_poll_fd(struct libwebsocket_context *context, enum libwebsocket_callback_reasons reason,
    int fd, short events);

_Noreturn void give_up(const char *what);

#endif
