/* What the targets share: the entry point, properties, and input cut to measure. */
#ifndef LWSLOOP_FUZZ_H
#define LWSLOOP_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A property that has to hold for every input; where it does not, the fuzzer keeps the input. */
#define REQUIRE(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

/* libFuzzer's name for what it calls with each input; replay.c calls it too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn static inline void fuzz_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* Memory of exactly this size, so that a sanitizer sees the first byte too many. */
static inline void *fuzz_allocate(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (!memory)
        abort();
    return memory;
}

/* A text of its own, up to the first NUL of the input. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t length = end ? (size_t)(end - data) : size;
    char *text = fuzz_allocate(length + 1);

    if (length > 0)
        memcpy(text, data, length);
    text[length] = '\0';
    return text;
}

/* The first byte of the input, taken off it; 0 where there is none. */
static inline unsigned int fuzz_take_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

/* The first eight bytes of the input as a number, taken off it. */
static inline uint64_t fuzz_take_number(const uint8_t **data, size_t *size)
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number = number << 8 | fuzz_take_byte(data, size);
    return number;
}

/*
 * How a stream is cut. 0 is not at all, 1 is byte by byte, and others are a sequence of lengths of
 * their own.
 */
struct fuzz_pieces {
    uint32_t sequence;
};

static inline size_t fuzz_next_piece(struct fuzz_pieces *pieces, size_t left)
{
    size_t length;

    if (pieces->sequence == 0)
        return left;
    if (pieces->sequence == 1)
        return left > 0 ? 1 : 0;
    pieces->sequence = pieces->sequence * 1664525u + 1013904223u;
    if (pieces->sequence < 2)
        pieces->sequence = 2;
    length = pieces->sequence >> 24 & 15;
    return length < left ? length : left;
}

#endif
