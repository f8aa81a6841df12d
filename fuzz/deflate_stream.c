/*
 * Messages that are compressed and decompressed again: eight bytes choose the settings, the rooms
 * and how the text is cut, the rest is the text. After each piece the other end has all of it.
 */
#include "codec/deflate_stream.h"

#include "codec/inflate_stream.h"
#include "fuzz.h"

struct choices {
    int level;
    int memory_level;
    int window_bits;
    bool takeover;
    size_t room;
    size_t peer_room;
    size_t piece_most;
    uint32_t sequence;
};

struct ends {
    struct deflate_stream *stream;
    struct inflate_stream *peer;
    const uint8_t *expected; /* the next byte that the peer is to have */
};

static void receive(struct ends *ends, const unsigned char *bytes, size_t size, bool ends_message,
    const struct choices *choices)
{
    unsigned char *out = fuzz_allocate(choices->peer_room);
    enum inflate_status status;

    do {
        size_t written = SIZE_MAX;

        status = inflate_stream_next(
            ends->peer, &bytes, &size, ends_message, out, choices->peer_room, &written);
        REQUIRE(status == INFLATE_MORE || status == INFLATE_DONE);
        REQUIRE(written <= choices->peer_room);
        REQUIRE(memcmp(out, ends->expected, written) == 0);
        ends->expected += written;
    } while (status == INFLATE_MORE);
    REQUIRE(size == 0);
    free(out);
}

static void send_piece(struct ends *ends, const uint8_t *data, size_t size, bool ends_message,
    const struct choices *choices)
{
    unsigned char *out = fuzz_allocate(choices->room);
    const unsigned char *in = data;
    size_t left = size;
    enum deflate_status status;

    do {
        size_t written = SIZE_MAX;

        status = deflate_stream_next(
            ends->stream, &in, &left, ends_message, out, choices->room, &written);
        REQUIRE(status == DEFLATE_MORE || status == DEFLATE_DONE);
        REQUIRE(written <= choices->room);
        REQUIRE(in + left == data + size);
        if (status == DEFLATE_MORE)
            REQUIRE(written == choices->room);
        receive(ends, out, written, ends_message && status == DEFLATE_DONE, choices);
    } while (status == DEFLATE_MORE);
    REQUIRE(left == 0);
    REQUIRE(ends->expected == data + size);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = {.level = 1 + (int)(fuzz_take_byte(&data, &size) % 9),
        .memory_level = 1 + (int)(fuzz_take_byte(&data, &size) % 9),
        .window_bits = 8 + (int)(fuzz_take_byte(&data, &size) % 8),
        .takeover = fuzz_take_byte(&data, &size) % 2 == 0,
        .room = 1 + fuzz_take_byte(&data, &size),
        .peer_room = 1 + fuzz_take_byte(&data, &size),
        .piece_most = (size_t)1 << fuzz_take_byte(&data, &size) % 16,
        .sequence = fuzz_take_byte(&data, &size)};
    struct ends ends = {
        deflate_stream_create(choices.level, choices.memory_level, choices.window_bits),
        inflate_stream_create(choices.window_bits), data};
    bool ends_message;

    REQUIRE(ends.stream != NULL && ends.peer != NULL);
    do {
        size_t piece;

        choices.sequence = choices.sequence * 1664525u + 1013904223u;
        piece = (choices.sequence >> 8) % (choices.piece_most + 1);
        if (piece > size)
            piece = size;
        ends_message = piece == size || choices.sequence >> 30 == 0;
        send_piece(&ends, data, piece, ends_message, &choices);
        data += piece;
        size -= piece;
        if (ends_message && !choices.takeover) {
            deflate_stream_reset(ends.stream);
            inflate_stream_reset(ends.peer, choices.window_bits);
        }
    } while (size > 0);
    REQUIRE(ends_message);
    deflate_stream_free(ends.stream);
    inflate_stream_free(ends.peer);
    return 0;
}
