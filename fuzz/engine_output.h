/* What the engine under test has sent to its client. */
#ifndef LWSLOOP_FUZZ_ENGINE_OUTPUT_H
#define LWSLOOP_FUZZ_ENGINE_OUTPUT_H

#include "fuzz.h"

struct engine_output {
    char *bytes;
    size_t length;
    size_t room;
    bool ended;
};

/* Takes what is there to be read from a socket that does not block. */
void engine_output_read(struct engine_output *output, int fd);

/*
 * Checks that it is what a client can read. `reserved` are the bits that messages may
 * have. Takes out what need not be the same for the same input: pongs, of which only the newest is
 * sent where several are due, dates, 100 Continue, and
 * where messages are compressed the words of a close frame.
 */
void engine_output_settle(struct engine_output *output, unsigned int reserved);

/* The same for what a server can read, from `start` on, where the frames of a client begin. */
void engine_output_settle_client(struct engine_output *output, size_t start, unsigned int reserved);

#endif
