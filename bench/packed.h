/*
 * Messages of text like JSON, all of them different, and permessage-deflate as a client has it:
 * frames to send, and what comes back.
 */
#ifndef LWSLOOP_BENCH_PACKED_H
#define LWSLOOP_BENCH_PACKED_H

#include <stdbool.h>
#include <stddef.h>

enum { PACKED_MESSAGES = 64 };

/* A round of messages. Only the first refers to nothing before it, so that rounds may follow each
 * other, and be many. */
struct packed_round {
    size_t length;  /* of each message */
    char *messages; /* one behind the other */
    unsigned char *frames;
    size_t frames_size;
    size_t sizes[PACKED_MESSAGES]; /* of each frame */
};

/* `packs`: they are compressed; `keeps`: each may refer to those before it. False without memory.
 */
bool packed_round_make(struct packed_round *round, size_t length, bool packs, bool keeps);

/* What a server says to the messages, which is the same. */
struct packed_reader;

struct packed_reader *packed_reader_create(const struct packed_round *round);

/* Returns how many messages have become complete, or -1 where something else has come. */
int packed_reader_take(struct packed_reader *reader, const unsigned char *bytes, size_t length);

#endif
