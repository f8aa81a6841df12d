#include "codec/inflate_stream.h"

#include <limits.h>
#include <stdlib.h>

/* Has zlib's input pointer point to const bytes. */
#define ZLIB_CONST
#include <zlib.h>

enum { WINDOW_BITS_MAX = 15 };

struct inflate_stream {
    z_stream zlib;
    unsigned int room_limit; /* of one call of zlib's */
    bool unusable;
};

/*
 * zlib lets a distance reach as far back as its window and what it has put out in the same call
 * together do. No distance can be beyond the largest window, so that there a call can be of any
 * size.
 */
static unsigned int room_limit(int window_bits)
{
    return window_bits < WINDOW_BITS_MAX ? 1U << window_bits : UINT_MAX;
}

struct inflate_stream *inflate_stream_create(int window_bits)
{
    struct inflate_stream *stream = malloc(sizeof(*stream));

    if (!stream)
        return NULL;
    *stream = (struct inflate_stream){.room_limit = room_limit(window_bits)};
    if (inflateInit2(&stream->zlib, -window_bits) != Z_OK) {
        free(stream);
        return NULL;
    }
    return stream;
}

void inflate_stream_free(struct inflate_stream *stream)
{
    if (!stream)
        return;
    (void)inflateEnd(&stream->zlib);
    free(stream);
}

void inflate_stream_reset(struct inflate_stream *stream, int window_bits)
{
    stream->room_limit = room_limit(window_bits);
    stream->unusable = inflateReset2(&stream->zlib, -window_bits) != Z_OK;
}

static unsigned int at_most(size_t length, unsigned int limit)
{
    return length < limit ? (unsigned int)length : limit;
}

/* Whether zlib, whose room is full, may hold more. It does not between two blocks, nor where a
 * stored block's lengths follow. */
static bool may_hold_bytes(z_stream *zlib)
{
    return (zlib->data_type & 128) == 0 && inflateSyncPoint(zlib) != 1;
}

/* One call of zlib's: DONE where it has taken all it could, MORE where its room ended before. */
static enum inflate_status step(struct inflate_stream *stream, const unsigned char **in,
    size_t *in_length, unsigned char *out, size_t size, size_t *written)
{
    z_stream *zlib = &stream->zlib;
    unsigned int in_given = at_most(*in_length, UINT_MAX);
    unsigned int out_given = at_most(size - *written, stream->room_limit);
    int result;

    zlib->next_in = *in;
    zlib->avail_in = in_given;
    zlib->next_out = out + *written;
    zlib->avail_out = out_given;
    result = inflate(zlib, Z_SYNC_FLUSH);
    if (in_given > 0)
        *in += in_given - zlib->avail_in;
    *in_length -= in_given - zlib->avail_in;
    *written += out_given - zlib->avail_out;
    switch (result) {
    case Z_OK:
    case Z_BUF_ERROR: /* there was nothing to read, or no room */
        return zlib->avail_out == 0 && may_hold_bytes(zlib) ? INFLATE_MORE : INFLATE_DONE;
    case Z_STREAM_END:
        /* The window stays as it is: to copy it would let two bytes of input cost 32 KiB. */
        return inflateResetKeep(zlib) == Z_OK ? INFLATE_DONE : INFLATE_BROKEN;
    case Z_MEM_ERROR:
        return INFLATE_NO_MEMORY;
    default: /* among them Z_NEED_DICT: there are no dictionaries here */
        return INFLATE_BROKEN;
    }
}

/* Adds what the peer has left out, which are the lengths of a stored block that is empty; zlib has
 * to be where they follow. They put out nothing. */
static enum inflate_status end_message(struct inflate_stream *stream, unsigned char *out)
{
    static const unsigned char tail[4] = {0x00, 0x00, 0xff, 0xff};
    const unsigned char *in = tail;
    size_t in_length = sizeof(tail);
    size_t written = 0;

    if (inflateSyncPoint(&stream->zlib) != 1)
        return INFLATE_BROKEN;
    return step(stream, &in, &in_length, out, 0, &written);
}

enum inflate_status inflate_stream_next(struct inflate_stream *stream, const unsigned char **in,
    size_t *in_length, bool ends_message, unsigned char *out, size_t size, size_t *written)
{
    enum inflate_status status;

    *written = 0;
    if (stream->unusable)
        return INFLATE_BROKEN;
    do {
        status = step(stream, in, in_length, out, size, written);
    } while (
        (status == INFLATE_DONE && *in_length > 0) || (status == INFLATE_MORE && *written < size));
    if (status == INFLATE_DONE && ends_message)
        status = end_message(stream, out);
    if (status == INFLATE_BROKEN || status == INFLATE_NO_MEMORY)
        stream->unusable = true;
    return status;
}
