#include "codec/deflate_stream.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Has zlib's input pointer point to const bytes. */
#define ZLIB_CONST
#include <zlib.h>

enum {
    /* No distance of zlib's reaches into the last 262 bytes of its window: of 9 bits, 250 are
     * left, which is within a window of 8. */
    ZLIB_WINDOW_MIN = 9,
    /* 00 00 ff ff, the lengths of the empty stored block that ends a piece. */
    TAIL = 4,
    /* What is left of the block before it, and the empty block: at most six bytes. */
    ENDING_ROOM = 16
};

enum piece_state { PIECE_BEGIN, PIECE_BLOCKS, PIECE_ENDING, PIECE_FAILED };

struct deflate_stream {
    z_stream zlib;
    enum piece_state state;
    unsigned int ending_at;
    unsigned int ending_length;
    unsigned char ending[ENDING_ROOM];
};

struct deflate_stream *deflate_stream_create(int level, int memory_level, int window_bits)
{
    struct deflate_stream *stream = malloc(sizeof(*stream));
    int zlib_bits = window_bits > ZLIB_WINDOW_MIN ? window_bits : ZLIB_WINDOW_MIN;

    if (!stream)
        return NULL;
    *stream = (struct deflate_stream){.state = PIECE_BEGIN};
    if (deflateInit2(&stream->zlib, level, Z_DEFLATED, -zlib_bits, memory_level,
            Z_DEFAULT_STRATEGY) != Z_OK) {
        free(stream);
        return NULL;
    }
    return stream;
}

void deflate_stream_free(struct deflate_stream *stream)
{
    if (!stream)
        return;
    /* Its result only says whether anything was still to be put out. */
    (void)deflateEnd(&stream->zlib);
    free(stream);
}

void deflate_stream_reset(struct deflate_stream *stream)
{
    stream->state = deflateReset(&stream->zlib) == Z_OK ? PIECE_BEGIN : PIECE_FAILED;
}

static unsigned int zlib_length(size_t length)
{
    return length < UINT_MAX ? (unsigned int)length : UINT_MAX;
}

/*
 * Compresses the piece up to the end of a block. Not by Z_SYNC_FLUSH, which adds an empty block: if
 * that just fits, zlib does not tell it from one that has yet to come, and on another call makes
 * one more. To ask for the end of a block once more does nothing.
 */
static enum deflate_status put_blocks(struct deflate_stream *stream, const unsigned char **in,
    size_t *in_length, unsigned char *out, size_t size, size_t *written)
{
    z_stream *zlib = &stream->zlib;

    do {
        unsigned int in_given = zlib_length(*in_length);
        unsigned int out_given = zlib_length(size - *written);
        int result;

        if (out_given == 0)
            return DEFLATE_MORE;
        zlib->next_in = *in;
        zlib->avail_in = in_given;
        zlib->next_out = out + *written;
        zlib->avail_out = out_given;
        result = deflate(zlib, in_given < *in_length ? Z_NO_FLUSH : Z_BLOCK);
        if (in_given > 0)
            *in += in_given - zlib->avail_in;
        *in_length -= in_given - zlib->avail_in;
        *written += out_given - zlib->avail_out;
        if (result != Z_OK && result != Z_BUF_ERROR)
            return DEFLATE_FAILED;
    } while (*in_length > 0 || zlib->avail_out == 0);
    return DEFLATE_DONE;
}

/* Takes from zlib the bits that it holds back at the end of a block, and the empty block. */
static bool make_ending(struct deflate_stream *stream, bool ends_message)
{
    z_stream *zlib = &stream->zlib;

    zlib->next_in = NULL;
    zlib->avail_in = 0;
    zlib->next_out = stream->ending;
    zlib->avail_out = ENDING_ROOM;
    if (deflate(zlib, Z_SYNC_FLUSH) != Z_OK || zlib->avail_out == 0 ||
        ENDING_ROOM - zlib->avail_out < TAIL)
        return false;
    stream->ending_at = 0;
    stream->ending_length = ENDING_ROOM - zlib->avail_out - (ends_message ? TAIL : 0);
    return true;
}

/* The ending of a piece of nothing. zlib has nothing to flush then, but is at the beginning of a
 * byte: this one begins an empty stored block. */
static void make_empty_ending(struct deflate_stream *stream, bool ends_message)
{
    stream->ending[0] = 0;
    stream->ending_at = 0;
    stream->ending_length = ends_message ? 1 : 0;
}

static enum deflate_status put_ending(
    struct deflate_stream *stream, unsigned char *out, size_t size, size_t *written)
{
    size_t left = stream->ending_length - stream->ending_at;
    size_t count = size - *written < left ? size - *written : left;

    if (count > 0)
        memcpy(out + *written, stream->ending + stream->ending_at, count);
    *written += count;
    stream->ending_at += (unsigned int)count;
    return count == left ? DEFLATE_DONE : DEFLATE_MORE;
}

enum deflate_status deflate_stream_next(struct deflate_stream *stream, const unsigned char **in,
    size_t *in_length, bool ends_message, unsigned char *out, size_t size, size_t *written)
{
    enum deflate_status status = DEFLATE_DONE;

    *written = 0;
    while (status == DEFLATE_DONE) {
        switch (stream->state) {
        case PIECE_BEGIN:
            stream->state = *in_length > 0 ? PIECE_BLOCKS : PIECE_ENDING;
            if (stream->state == PIECE_ENDING)
                make_empty_ending(stream, ends_message);
            break;
        case PIECE_BLOCKS:
            status = put_blocks(stream, in, in_length, out, size, written);
            if (status != DEFLATE_DONE)
                break;
            if (make_ending(stream, ends_message))
                stream->state = PIECE_ENDING;
            else
                status = DEFLATE_FAILED;
            break;
        case PIECE_ENDING:
            status = put_ending(stream, out, size, written);
            if (status != DEFLATE_DONE)
                break;
            stream->state = PIECE_BEGIN;
            return DEFLATE_DONE;
        case PIECE_FAILED:
            status = DEFLATE_FAILED;
            break;
        }
    }
    if (status == DEFLATE_FAILED)
        stream->state = PIECE_FAILED;
    return status;
}
