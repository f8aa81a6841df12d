#include "packed.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LEVEL = 6, MEMORY_LEVEL = 8, WINDOW_BITS = 15, HEADER_MAX = 10, MASK_SIZE = 4 };

enum { FIN = 0x80, COMPRESSED = 0x40, OPCODE = 0x0f, TEXT = 1 };

static const unsigned char tail[4] = {0x00, 0x00, 0xff, 0xff};

/* --- What is sent */

static unsigned int pick(uint64_t *state, unsigned int bound)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned int)((*state >> 33) % bound);
}

static int write_record(char *text, size_t size, uint64_t *state)
{
    static const char *const kinds[] = {"temperature", "humidity", "pressure", "voltage"};
    static const char *const words[] = {"ok", "late", "calibrating", "replaced", "unknown"};

    return snprintf(text, size,
        "{\"id\":%u,\"sensor\":\"%s-%02u\",\"time\":\"2024-%02u-%02uT%02u:%02u:%02u.%03uZ\","
        "\"value\":%u.%03u,\"state\":\"%s\",\"place\":{\"row\":%u,\"column\":%u},"
        "\"key\":\"%08x\"},\n",
        pick(state, 1000000), kinds[pick(state, 4)], pick(state, 40), 1 + pick(state, 12),
        1 + pick(state, 28), pick(state, 24), pick(state, 60), pick(state, 60), pick(state, 1000),
        pick(state, 100), pick(state, 1000), words[pick(state, 5)], pick(state, 20),
        pick(state, 20), pick(state, UINT32_C(0x7fffffff)));
}

static void write_message(char *message, size_t length, uint64_t *state)
{
    char record[512];
    size_t done = 0;

    while (done < length) {
        size_t count = (size_t)write_record(record, sizeof(record), state);

        if (count > length - done)
            count = length - done;
        memcpy(message + done, record, count);
        done += count;
    }
}

/* The header of a masked frame. */
static size_t put_header(unsigned char *frame, unsigned char first, size_t length)
{
    int bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;

    frame[0] = first;
    frame[1] = (unsigned char)(0x80 | (bytes == 0 ? length : bytes == 2 ? 126U : 127U));
    for (int i = 0; i < bytes; i++)
        frame[2 + i] = (unsigned char)((uint64_t)length >> (8 * (bytes - 1 - i)));
    return 2 + (size_t)bytes;
}

static size_t put_frame(
    unsigned char *frame, unsigned char first, const unsigned char *payload, size_t length)
{
    static const unsigned char mask[MASK_SIZE] = {0x3d, 0xa1, 0x07, 0xf2};
    size_t header = put_header(frame, first, length);

    memcpy(frame + header, mask, MASK_SIZE);
    header += MASK_SIZE;
    for (size_t i = 0; i < length; i++)
        frame[header + i] = payload[i] ^ mask[i % MASK_SIZE];
    return header + length;
}

static size_t pack(
    z_stream *zlib, const char *message, size_t length, unsigned char *out, size_t size)
{
    zlib->next_in = (unsigned char *)(uintptr_t)message;
    zlib->avail_in = (unsigned int)length;
    zlib->next_out = out;
    zlib->avail_out = (unsigned int)size;
    if (deflate(zlib, Z_SYNC_FLUSH) != Z_OK || zlib->avail_in > 0 || zlib->avail_out == 0)
        return 0;
    return size - zlib->avail_out - sizeof(tail);
}

static bool put_frames(struct packed_round *round, z_stream *zlib, bool packs, bool keeps,
    unsigned char *room, size_t size)
{
    for (size_t i = 0; i < PACKED_MESSAGES; i++) {
        const char *message = round->messages + i * round->length;
        const unsigned char *payload = (const unsigned char *)message;
        size_t length = round->length;

        if (packs) {
            payload = room;
            length = pack(zlib, message, round->length, room, size);
            if (length == 0 || (!keeps && deflateReset(zlib) != Z_OK))
                return false;
        }
        round->sizes[i] = put_frame(round->frames + round->frames_size,
            FIN | TEXT | (packs ? COMPRESSED : 0), payload, length);
        round->frames_size += round->sizes[i];
    }
    return true;
}

bool packed_round_make(struct packed_round *round, size_t length, bool packs, bool keeps)
{
    size_t size = length + length / 8 + 1024;
    unsigned char *room = malloc(size);
    z_stream zlib = {0};
    uint64_t state = 1;
    bool done = false;

    *round = (struct packed_round){.length = length};
    round->messages = malloc(PACKED_MESSAGES * length);
    round->frames = malloc(PACKED_MESSAGES * (size + HEADER_MAX + MASK_SIZE));
    if (!room || !round->messages || !round->frames ||
        deflateInit2(&zlib, LEVEL, Z_DEFLATED, -WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
            Z_OK)
        goto out;
    for (size_t i = 0; i < PACKED_MESSAGES; i++)
        write_message(round->messages + i * length, length, &state);
    done = put_frames(round, &zlib, packs, keeps, room, size);
    (void)deflateEnd(&zlib);
out:
    free(room);
    return done;
}

/* --- What comes back */

struct packed_reader {
    const struct packed_round *round;
    size_t message; /* the one that is expected, and how much of it has come */
    size_t at;
    z_stream zlib;
    unsigned char header[HEADER_MAX];
    size_t header_length;
    uint64_t left; /* of the frame's payload; meaningful while its header is complete */
    bool compressed;
    bool inside; /* a message has begun */
};

struct packed_reader *packed_reader_create(const struct packed_round *round)
{
    struct packed_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    reader->round = round;
    if (inflateInit2(&reader->zlib, -WINDOW_BITS) != Z_OK) {
        free(reader);
        return NULL;
    }
    return reader;
}

static bool compare(struct packed_reader *reader, const unsigned char *bytes, size_t length)
{
    const struct packed_round *round = reader->round;
    const char *expected = round->messages + reader->message * round->length + reader->at;

    if (length > round->length - reader->at || memcmp(bytes, expected, length) != 0)
        return false;
    reader->at += length;
    return true;
}

/* A server that forgets what was before refers to none of it: here nothing has to be forgotten. */
static bool unpack(struct packed_reader *reader, const unsigned char *bytes, size_t length)
{
    unsigned char room[65536];
    z_stream *zlib = &reader->zlib;
    int result;

    zlib->next_in = (unsigned char *)(uintptr_t)bytes;
    zlib->avail_in = (unsigned int)length;
    do {
        zlib->next_out = room;
        zlib->avail_out = sizeof(room);
        result = inflate(zlib, Z_SYNC_FLUSH);
        if ((result != Z_OK && result != Z_BUF_ERROR) ||
            !compare(reader, room, sizeof(room) - zlib->avail_out))
            return false;
    } while (zlib->avail_in > 0 || zlib->avail_out == 0);
    return true;
}

static size_t header_size(const struct packed_reader *reader)
{
    if (reader->header_length < 2)
        return 2;
    return reader->header[1] < 126 ? 2 : reader->header[1] == 126 ? 4 : 10;
}

static bool begin_frame(struct packed_reader *reader)
{
    const unsigned char *header = reader->header;
    size_t size = header_size(reader);

    reader->left = size == 2 ? header[1] : 0;
    for (size_t i = 2; i < size; i++)
        reader->left = reader->left << 8 | header[i];
    if ((header[0] & OPCODE) != (reader->inside ? 0 : TEXT) || (header[1] & 0x80))
        return false;
    if (!reader->inside)
        reader->compressed = (header[0] & COMPRESSED) != 0;
    reader->inside = true;
    return true;
}

/* Returns 1 where a message is complete, -1 where it is not the right one. */
static int end_frame(struct packed_reader *reader)
{
    reader->header_length = 0;
    if (!(reader->header[0] & FIN))
        return 0;
    if (reader->compressed && !unpack(reader, tail, sizeof(tail)))
        return -1;
    if (reader->at != reader->round->length)
        return -1;
    reader->at = 0;
    reader->message = (reader->message + 1) % PACKED_MESSAGES;
    reader->inside = false;
    return 1;
}

int packed_reader_take(struct packed_reader *reader, const unsigned char *bytes, size_t length)
{
    int complete = 0;

    while (length > 0) {
        size_t taken = 1;

        if (reader->header_length < header_size(reader)) {
            reader->header[reader->header_length++] = *bytes;
            if (reader->header_length == header_size(reader) && !begin_frame(reader))
                return -1;
        } else {
            taken = length < reader->left ? length : (size_t)reader->left;
            if (!(reader->compressed ? unpack(reader, bytes, taken)
                                     : compare(reader, bytes, taken)))
                return -1;
            reader->left -= taken;
        }
        bytes += taken;
        length -= taken;
        if (reader->header_length == header_size(reader) && reader->left == 0) {
            int ended = end_frame(reader);

            if (ended < 0)
                return -1;
            complete += ended;
        }
    }
    return complete;
}
