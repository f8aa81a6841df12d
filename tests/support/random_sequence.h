/* Numbers that look random and are the same in each run, so that a failure can be repeated. */
#ifndef LWSLOOP_TESTS_RANDOM_SEQUENCE_H
#define LWSLOOP_TESTS_RANDOM_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>

struct random_sequence {
    uint64_t state; /* any starting value */
};

/* SplitMix64. */
static inline uint64_t random_next(struct random_sequence *sequence)
{
    uint64_t z = sequence->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* From 0 to bound - 1. */
static inline uint64_t random_below(struct random_sequence *sequence, uint64_t bound)
{
    return random_next(sequence) % bound;
}

static inline void random_bytes(
    struct random_sequence *sequence, unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)random_next(sequence);
}

#endif
