/* The program's side of the stage: the protocols, and the events its loop waits for. */
#ifndef LWSLOOP_TESTS_PROGRAM_H
#define LWSLOOP_TESTS_PROGRAM_H

#include <libwebsockets.h>

#include <poll.h>

#define PROGRAM_DESCRIPTORS 64

extern struct libwebsocket_protocols program_protocols[];

/* What the engine wants to be told of. */
extern struct pollfd program_fds[PROGRAM_DESCRIPTORS];
extern nfds_t program_fd_count;

/* Writes to a connection, with the padding. */
int program_write(
    struct libwebsocket *wsi, const char *text, size_t length, enum libwebsocket_write_protocol as);

#endif
