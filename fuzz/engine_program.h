/* The program that uses the engine under test: what it does in its callbacks is part of the input.
 */
#ifndef LWSLOOP_FUZZ_ENGINE_PROGRAM_H
#define LWSLOOP_FUZZ_ENGINE_PROGRAM_H

#include "fuzz.h"

#include <libwebsockets.h>

/* What the program does for one connection, and what it has seen. */
struct engine_program {
    const uint8_t *actions; /* one byte each, taken in turn by each kind of callback */
    size_t actions_count;
    bool refuses;    /* the handshake, or a server's answer to it */
    bool narrow;     /* the system takes little at a time */
    size_t received; /* how many of each have come */
    size_t requested;

    struct libwebsocket *wsi; /* where the program has been told of one */
    bool established;
    bool failed; /* to become a client */
    bool in_http;
    bool stopped;       /* receiving */
    bool asked;         /* for WRITEABLE, which has not come */
    bool file_waits;    /* has been given, and is not known to have been sent */
    bool closing;       /* as the program has asked */
    bool compresses;    /* permessage-deflate is active */
    bool in_pieces;     /* the other extension is */
    bool write_refused; /* for lack of room, which depends on when the client reads */

    char *told; /* what came, in words */
    size_t told_length;
};

extern struct libwebsocket_protocols engine_protocols[];

/* Files to be served; made before anything else. */
bool engine_program_prepare(void);

/* From now on callbacks are about this one. */
void engine_program_begin(struct engine_program *program);

#endif
