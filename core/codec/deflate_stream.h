/* The compressing half of permessage-deflate (RFC 7692 section 7.2.1). */
#ifndef LWSLOOP_CODEC_DEFLATE_STREAM_H
#define LWSLOOP_CODEC_DEFLATE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/* What one message, or with context takeover one after the other, is compressed by. */
struct deflate_stream;

enum deflate_status {
    DEFLATE_MORE, /* the room is full: to be called again, with what is left of the input */
    DEFLATE_DONE, /* all of the input has been taken, and all that belongs to it been put out */
    DEFLATE_FAILED
};

/*
 *   level          1 to 9, as zlib has it
 *   memory_level   1 to 9, likewise
 *   window_bits    8 to 15: no distance goes beyond a window of that size. zlib has no window of 8
 *                  bits to compress with; its window of 9 never reaches as far as 256 bytes.
 *
 * NULL where memory is short.
 */
struct deflate_stream *deflate_stream_create(int level, int memory_level, int window_bits);

/* NULL is harmless. */
void deflate_stream_free(struct deflate_stream *stream);

/* Forgets all that has been compressed, and begins anew: what is put out next can be decompressed
 * after anything that ended at a byte. */
void deflate_stream_reset(struct deflate_stream *stream);

/*
 * Compresses a piece of a message, over as many calls as it takes. The piece ends at a byte, so
 * that the peer can decompress all of it; the last one is without the 00 00 ff ff that the peer
 * adds. A piece of nothing gives nothing; as the last one it gives a single byte.
 *
 *   in, in_length   what is left of the piece; moved on by what was taken
 *   ends_message    whether the piece is the message's last, in all calls of it
 *   out, size       room for at least one byte
 *   written         how many were put there
 */
enum deflate_status deflate_stream_next(struct deflate_stream *stream, const unsigned char **in,
    size_t *in_length, bool ends_message, unsigned char *out, size_t size, size_t *written);

#endif
