/* Base64 (RFC 4648 section 4) between caller's buffers, over the cryptographic library's. */
#ifndef LWSLOOP_CODEC_BASE64_H
#define LWSLOOP_CODEC_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Writes the text and a NUL. Returns its length, or -1 if `size` is too small for both. */
ssize_t base64_encode(const unsigned char *in, size_t length, char *out, size_t size);

/*
 * Writes the bytes. Returns how many, or -1 for a text that is not base64 (padding included) or
 * does not fit. Bits of the last character that belong to no byte are not looked at. No NUL is
 * added.
 */
ssize_t base64_decode(const char *in, size_t length, unsigned char *out, size_t size);

#endif
