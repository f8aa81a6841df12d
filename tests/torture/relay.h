/* A proxy on the stage: it answers CONNECT with 200, and hands on what both sides say. */
#ifndef LWSLOOP_TESTS_RELAY_H
#define LWSLOOP_TESTS_RELAY_H

#include <poll.h>

#define RELAY_DESCRIPTORS 33

/* Begins to listen, for the rest of the process. */
void relay_open(void);
int relay_port(void);

/* What it waits for, at most RELAY_DESCRIPTORS; returns how many. */
nfds_t relay_wants(struct pollfd *fds);

/* Does whatever can be done now. */
void relay_turn(void);

/* Hangs up on everybody. */
void relay_reset(void);

#endif
