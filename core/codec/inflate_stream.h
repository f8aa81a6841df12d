/* The decompressing half of permessage-deflate (RFC 7692 section 7.2.2). */
#ifndef LWSLOOP_CODEC_INFLATE_STREAM_H
#define LWSLOOP_CODEC_INFLATE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/* What one message, or with context takeover one after the other, is decompressed by. */
struct inflate_stream;

enum inflate_status {
    INFLATE_MORE,   /* there may be more than fitted: to be called again, with what is left */
    INFLATE_DONE,   /* all of the input has been taken, and all that it holds been put out */
    INFLATE_BROKEN, /* it is not a compressed message, or not all of one */
    INFLATE_NO_MEMORY
};

/* NULL where memory is short. Window bits from 8 to 15. */
struct inflate_stream *inflate_stream_create(int window_bits);

/* NULL is harmless. */
void inflate_stream_free(struct inflate_stream *stream);

/* Forgets all that has been decompressed, and begins anew, with this window. */
void inflate_stream_reset(struct inflate_stream *stream, int window_bits);

/*
 * Decompresses what has come of a message, over as many calls as it takes. After BROKEN and
 * NO_MEMORY the stream is good for nothing but a reset.
 *
 *   in, in_length   what is left of it; moved on by what was taken
 *   ends_message    whether the message ends with this input, in all calls of it. The 00 00 ff ff
 *                   that the peer has left out is added here.
 *   out, size       room for at least one byte
 *   written         how many were put there, whatever is returned; may be 0
 *
 * A message has to end in the first byte of an empty stored block (7.2.1), so that one that was cut
 * off is BROKEN, unless where it was cut a stored block's lengths were to follow: what came until
 * there is a message by itself. MORE with nothing left of the last input of a good message means
 * that there is at least one more byte.
 *
 * A distance that leaves the window is BROKEN; one that goes beyond it by less than the window's
 * own size, or by less than `size`, may be let through. A block that says it is the last (7.2.3.4)
 * ends neither the message nor what later ones may refer to. Neither does it, or a block that is
 * empty, make the time for a byte of input depend on the window's size.
 */
enum inflate_status inflate_stream_next(struct inflate_stream *stream, const unsigned char **in,
    size_t *in_length, bool ends_message, unsigned char *out, size_t size, size_t *written);

#endif
