/*
 * Compressed messages: three bytes choose the window, the room and how the input is cut; then each
 * message has its length in two bytes before it. However they are cut, and whatever room there is,
 * the same comes out with the largest window; with a smaller one, the same or less.
 */
#include "codec/inflate_stream.h"

#include "fuzz.h"

enum { OUTPUT_MAX = 1 << 20, ROOM_MAX = 4096 };

struct reading {
    enum inflate_status status;
    size_t length;
    uint64_t sum;                 /* of everything that came out */
    uint64_t sums[ROOM_MAX];      /* after each of the first bytes */
    size_t message_lengths[1024]; /* of those that were whole */
    size_t messages;
};

static void add(struct reading *reading, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        reading->sum = (reading->sum ^ bytes[i]) * UINT64_C(1099511628211);
        if (reading->length < ROOM_MAX)
            reading->sums[reading->length] = reading->sum;
        reading->length++;
    }
}

/* Returns whether it is worth going on. */
static bool feed(struct inflate_stream *stream, const uint8_t *data, size_t size, bool ends_message,
    size_t room, struct reading *reading)
{
    unsigned char *out = fuzz_allocate(room);
    unsigned char *copy = fuzz_allocate(size);
    const unsigned char *in = copy;
    size_t left = size;

    if (size > 0)
        memcpy(copy, data, size);
    do {
        size_t written = SIZE_MAX;

        reading->status =
            inflate_stream_next(stream, &in, &left, ends_message, out, room, &written);
        REQUIRE(written <= room);
        REQUIRE(left <= size);
        REQUIRE(in == copy + (size - left));
        if (reading->status == INFLATE_MORE)
            REQUIRE(written == room);
        if (reading->status == INFLATE_DONE)
            REQUIRE(left == 0);
        add(reading, out, written);
    } while (reading->status == INFLATE_MORE && reading->length < OUTPUT_MAX);
    if (reading->status == INFLATE_BROKEN) {
        size_t written = SIZE_MAX;

        REQUIRE(inflate_stream_next(stream, &in, &left, ends_message, out, room, &written) ==
                INFLATE_BROKEN);
        REQUIRE(written == 0);
    }
    free(copy);
    free(out);
    return reading->status == INFLATE_DONE;
}

static bool read_message(struct inflate_stream *stream, const uint8_t *data, size_t size,
    size_t room, struct fuzz_pieces pieces, struct reading *reading)
{
    size_t at = 0;

    while (at < size) {
        size_t piece = fuzz_next_piece(&pieces, size - at);

        if (at + piece == size)
            break;
        if (!feed(stream, data + at, piece, false, room, reading))
            return false;
        at += piece;
    }
    return feed(stream, data + at, size - at, true, room, reading);
}

static void read_messages(int window_bits, const uint8_t *data, size_t size, size_t room,
    struct fuzz_pieces pieces, struct reading *reading)
{
    struct inflate_stream *stream = inflate_stream_create(window_bits);

    REQUIRE(stream != NULL);
    *reading = (struct reading){.status = INFLATE_DONE};
    while (size > 0 && reading->messages < 1024) {
        size_t length = (size_t)fuzz_take_byte(&data, &size) << 8;

        length |= fuzz_take_byte(&data, &size);
        if (length > size)
            length = size;
        if (!read_message(stream, data, length, room, pieces, reading))
            break;
        reading->message_lengths[reading->messages++] = reading->length;
        data += length;
        size -= length;
    }
    inflate_stream_free(stream);
}

static void require_same(const struct reading *a, const struct reading *b)
{
    /* One was left off, where it was enough. */
    if (a->status == INFLATE_MORE || b->status == INFLATE_MORE)
        return;
    REQUIRE(a->status == b->status);
    REQUIRE(a->length == b->length);
    REQUIRE(a->sum == b->sum);
    REQUIRE(a->messages == b->messages);
}

/* A smaller window may break it earlier, but does not change it. */
static void require_beginning(const struct reading *smaller, const struct reading *largest)
{
    size_t compared = smaller->length < ROOM_MAX ? smaller->length : ROOM_MAX;

    if (largest->status == INFLATE_MORE || smaller->status == INFLATE_MORE)
        return;
    REQUIRE(smaller->length <= largest->length);
    REQUIRE(smaller->messages <= largest->messages);
    if (compared > 0)
        REQUIRE(smaller->sums[compared - 1] == largest->sums[compared - 1]);
    for (size_t i = 0; i < smaller->messages; i++)
        REQUIRE(smaller->message_lengths[i] == largest->message_lengths[i]);
    if (largest->status != INFLATE_DONE)
        REQUIRE(smaller->status == largest->status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole;
    static struct reading cut;
    int window_bits = 8 + (int)(fuzz_take_byte(&data, &size) % 8);
    unsigned int choice = fuzz_take_byte(&data, &size);
    size_t room = choice < 128 ? choice + 1 : (choice - 127) * 31;
    struct fuzz_pieces pieces = {fuzz_take_byte(&data, &size)};

    read_messages(15, data, size, ROOM_MAX, (struct fuzz_pieces){0}, &whole);
    read_messages(15, data, size, room, pieces, &cut);
    require_same(&cut, &whole);
    read_messages(window_bits, data, size, room, pieces, &cut);
    require_beginning(&cut, &whole);
    return 0;
}
