/* Masking of payload bytes (RFC 6455 section 5.3); the same call masks and unmasks. */
#ifndef LWSLOOP_CODEC_MASK_H
#define LWSLOOP_CODEC_MASK_H

#include <stddef.h>

/*
 * XORs `length` bytes in place with the masking key, starting at byte `at` (0 to 3) of the key.
 * Returns the place in the key at which the next byte goes on.
 */
unsigned int mask_apply(
    unsigned char *bytes, size_t length, const unsigned char key[4], unsigned int at);

#endif
