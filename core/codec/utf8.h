/* UTF-8 (RFC 3629) checked as bytes arrive, in any number of pieces. */
#ifndef LWSLOOP_CODEC_UTF8_H
#define LWSLOOP_CODEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the bytes so far ask of the next one. Starts at UTF8_START. */
typedef uint32_t utf8_state;

#define UTF8_START ((utf8_state)0)

/*
 * Checks the next bytes. Returns `length` if all may be part of valid UTF-8, else the index of
 * the first byte that cannot (surrogates, overlong forms and values above U+10FFFF are found at
 * the byte that makes them so).
 */
size_t utf8_check(utf8_state *state, const unsigned char *bytes, size_t length);

/* Whether the text may end here, that is, not in the middle of a character. */
static inline bool utf8_complete(utf8_state state)
{
    return state == UTF8_START;
}

#endif
