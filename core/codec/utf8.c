#include "codec/utf8.h"

#include <string.h>

/*
 * An automaton whose transitions out of all states fit into one word for each byte value: a state
 * is the place of its six bits in that word, and the bits are the next state. A step is then one
 * look-up and one shift, without a branch. A byte value for which a state has no entry would lead
 * to zero, UTF8_START, so every row names all states.
 */
enum {
    START = 0,
    LAST = 6,    /* one continuation byte to come */
    LAST_2 = 12, /* two */
    LAST_3 = 18, /* three */
    AFTER_E0 = 24,
    AFTER_ED = 30,
    AFTER_F0 = 36,
    AFTER_F4 = 42,
    WRONG = 48
};

_Static_assert(START == UTF8_START, "a zero state is the start");

#define STEP(from, to) ((uint64_t)(to) << (from))

/* Where a character is not over yet, only some of the continuation bytes can follow. */
#define INSIDE_WRONG                                                                               \
    (STEP(LAST, WRONG) | STEP(LAST_2, WRONG) | STEP(LAST_3, WRONG) | STEP(AFTER_E0, WRONG) |       \
        STEP(AFTER_ED, WRONG) | STEP(AFTER_F0, WRONG) | STEP(AFTER_F4, WRONG) |                    \
        STEP(WRONG, WRONG))

#define FIRST(to) (STEP(START, to) | INSIDE_WRONG)

#define CONTINUATION(after_e0, after_ed, after_f0, after_f4)                                       \
    (STEP(START, WRONG) | STEP(LAST, START) | STEP(LAST_2, LAST) | STEP(LAST_3, LAST_2) |          \
        STEP(AFTER_E0, after_e0) | STEP(AFTER_ED, after_ed) | STEP(AFTER_F0, after_f0) |           \
        STEP(AFTER_F4, after_f4) | STEP(WRONG, WRONG))

#define TIMES_4(row) row, row, row, row
#define TIMES_16(row) TIMES_4(row), TIMES_4(row), TIMES_4(row), TIMES_4(row)
#define TIMES_32(row) TIMES_16(row), TIMES_16(row)

static const uint64_t rows[256] = {
    /* 00 to 7F */
    TIMES_32(FIRST(START)),
    TIMES_32(FIRST(START)),
    TIMES_32(FIRST(START)),
    TIMES_32(FIRST(START)),
    /* 80 to 8F: overlong after E0 and after F0 */
    TIMES_16(CONTINUATION(WRONG, LAST, WRONG, LAST_2)),
    /* 90 to 9F: overlong after E0, too large after F4 */
    TIMES_16(CONTINUATION(WRONG, LAST, LAST_2, WRONG)),
    /* A0 to BF: a surrogate after ED, too large after F4 */
    TIMES_32(CONTINUATION(LAST, WRONG, LAST_2, WRONG)),
    /* C0 and C1 only begin overlong forms */
    FIRST(WRONG),
    FIRST(WRONG),
    /* C2 to DF */
    FIRST(LAST),
    FIRST(LAST),
    TIMES_4(FIRST(LAST)),
    TIMES_4(FIRST(LAST)),
    TIMES_4(FIRST(LAST)),
    TIMES_16(FIRST(LAST)),
    /* E0 to EF */
    FIRST(AFTER_E0),
    TIMES_4(FIRST(LAST_2)),
    TIMES_4(FIRST(LAST_2)),
    TIMES_4(FIRST(LAST_2)),
    FIRST(AFTER_ED),
    FIRST(LAST_2),
    FIRST(LAST_2),
    /* F0 to FF */
    FIRST(AFTER_F0),
    FIRST(LAST_3),
    FIRST(LAST_3),
    FIRST(LAST_3),
    FIRST(AFTER_F4),
    FIRST(WRONG),
    FIRST(WRONG),
    FIRST(WRONG),
    TIMES_4(FIRST(WRONG)),
    TIMES_4(FIRST(WRONG)),
};

enum { WORD = sizeof(uint64_t), BLOCK = 2 * WORD };

static inline utf8_state step(utf8_state state, unsigned char byte)
{
    return (utf8_state)(rows[byte] >> state & 0x3f);
}

static bool block_is_ascii(const unsigned char *bytes)
{
    uint64_t words[2];

    memcpy(words, bytes, BLOCK);
    return ((words[0] | words[1]) & UINT64_C(0x8080808080808080)) == 0;
}

size_t utf8_check(utf8_state *state, const unsigned char *bytes, size_t length)
{
    utf8_state now = *state;
    size_t i = 0;

    while (length - i >= BLOCK) {
        utf8_state before = now;

        if (now == UTF8_START && block_is_ascii(bytes + i)) {
            i += BLOCK;
            continue;
        }
        for (unsigned int k = 0; k < BLOCK; k++)
            now = step(now, bytes[i + k]);
        if (now == WRONG) {
            /* The bytes below find out where. */
            now = before;
            break;
        }
        i += BLOCK;
    }
    for (; i < length; i++) {
        now = step(now, bytes[i]);
        if (now == WRONG)
            break;
    }
    *state = now;
    return i;
}
