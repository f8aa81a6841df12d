#include "codec/inflate_stream.h"

#include "codec/deflate_stream.h"
#include "interposed.h"
#include "suites.h"
#include "support/guard_page.h"
#include "support/random_sequence.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BYTES(literal) literal, sizeof(literal) - 1

enum { WHOLE = 0, OUTPUT_MAX = 1 << 18, SPACE = 1 << 18 };

struct output {
    unsigned char bytes[OUTPUT_MAX];
    size_t length;
    unsigned int more; /* how often there was more than fitted */
};

/* That many bytes before a page that may not be touched. */
static unsigned char *end_of(unsigned char **space, size_t length)
{
    if (length > SPACE)
        ck_abort_msg("%zu bytes are too many", length);
    if (!*space)
        *space = guard_page_space(SPACE);
    return *space + SPACE - length;
}

static enum inflate_status feed(struct inflate_stream *stream, const void *bytes, size_t length,
    bool ends_message, size_t room, struct output *output)
{
    static unsigned char *in_space;
    static unsigned char *out_space;
    unsigned char *copy = end_of(&in_space, length);
    unsigned char *out = end_of(&out_space, room);
    const unsigned char *in = copy;
    size_t left = length;
    enum inflate_status status;

    if (length > 0)
        memcpy(copy, bytes, length);
    do {
        const unsigned char *before = in;
        size_t left_before = left;
        size_t written = SIZE_MAX;

        status = inflate_stream_next(stream, &in, &left, ends_message, out, room, &written);
        if (written > room || left > left_before || in != before + (left_before - left) ||
            written > sizeof(output->bytes) - output->length ||
            (status == INFLATE_MORE && written != room) || (status == INFLATE_DONE && left > 0))
            ck_abort_msg("%zu of %zu read, %zu of %zu written: %d", left_before - left, left_before,
                written, room, (int)status);
        memcpy(output->bytes + output->length, out, written);
        output->length += written;
        output->more += status == INFLATE_MORE;
    } while (status == INFLATE_MORE);
    return status;
}

/* A message in pieces of that length, or whole. */
static enum inflate_status feed_message(struct inflate_stream *stream, const void *bytes,
    size_t length, size_t piece, size_t room, struct output *output)
{
    const unsigned char *at = bytes;

    output->length = 0;
    output->more = 0;
    while (piece != WHOLE && length > piece) {
        enum inflate_status status = feed(stream, at, piece, false, room, output);

        if (status != INFLATE_DONE)
            return status;
        at += piece;
        length -= piece;
    }
    return feed(stream, at, length, true, room, output);
}

/* The same, by a stream of its own. */
static enum inflate_status decompress(const void *bytes, size_t length, int window_bits,
    size_t piece, size_t room, struct output *output)
{
    struct inflate_stream *stream = inflate_stream_create(window_bits);
    enum inflate_status status;

    ck_assert_ptr_nonnull(stream);
    status = feed_message(stream, bytes, length, piece, room, output);
    inflate_stream_free(stream);
    return status;
}

static void require_output(const struct output *output, const char *text)
{
    ck_assert_uint_eq(output->length, strlen(text));
    ck_assert_mem_eq(output->bytes, text, output->length);
}

/* Messages of RFC 7692, section 7.2.3. */
static const struct {
    const char *bytes;
    size_t length;
    const char *text;
} vectors[] = {
    {BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello"},
    {BYTES("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello"},
    {BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello"},
    {BYTES("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), "Hello"},
    {BYTES("\x00"), ""},
    /* A last block that is the empty one. */
    {BYTES("\xf2\x48\xcd\xc9\xc9\x07\x04"), "Hello"},
    {BYTES("\x01"), ""},
};

/* The second of section 7.2.3.2: "Hello" out of the window. */
static const char hello_again[] = "\xf2\x00\x11\x00\x00";

/* Also as often as there was no room it has to have been told, and no more often. */
static void read_vector(struct inflate_stream *stream, size_t number, size_t piece, size_t room)
{
    static struct output output;
    const char *text = vectors[number].text;
    size_t length = strlen(text);

    ck_assert_int_eq(
        feed_message(stream, vectors[number].bytes, vectors[number].length, piece, room, &output),
        INFLATE_DONE);
    require_output(&output, text);
    if (piece == WHOLE)
        ck_assert_uint_eq(output.more, length > 0 ? (length - 1) / room : 0);
}

START_TEST(vectors_however_they_are_cut)
{
    static struct output output;
    int window_bits = _i;
    struct inflate_stream *stream = inflate_stream_create(window_bits);

    for (size_t number = 0; number < COUNT(vectors); number++) {
        for (size_t room = 1; room <= 12; room++) {
            for (size_t piece = WHOLE; piece <= vectors[number].length; piece++) {
                inflate_stream_reset(stream, window_bits);
                read_vector(stream, number, piece, room);
                if (vectors[number].text[0] == '\0')
                    continue;
                ck_assert_int_eq(
                    feed_message(stream, BYTES(hello_again), piece, room, &output), INFLATE_DONE);
                require_output(&output, "Hello");
            }
        }
    }
    inflate_stream_free(stream);
}
END_TEST

START_TEST(messages_share_the_window)
{
    static struct output output;
    struct inflate_stream *stream = inflate_stream_create(15);

    for (unsigned int round = 0; round < 50; round++) {
        for (size_t number = 0; number < COUNT(vectors); number++) {
            read_vector(stream, number, WHOLE, 1 + round % 7);
            if (number == 0 && round == 0)
                continue;
            /* Where the text before was empty, the one before that is what it refers to. */
            ck_assert_int_eq(
                feed_message(stream, BYTES(hello_again), WHOLE, 16, &output), INFLATE_DONE);
            require_output(&output, "Hello");
        }
    }
    inflate_stream_reset(stream, 15);
    ck_assert_int_eq(feed_message(stream, BYTES(hello_again), WHOLE, 16, &output), INFLATE_BROKEN);
    /* That stays, until the stream begins anew. */
    ck_assert_int_eq(feed_message(stream, vectors[0].bytes, vectors[0].length, WHOLE, 16, &output),
        INFLATE_BROKEN);
    inflate_stream_reset(stream, 9);
    read_vector(stream, 0, WHOLE, 16);
    inflate_stream_free(stream);
}
END_TEST

/* Last blocks one after the other, of two bytes each, cost nothing and keep the window. */
START_TEST(many_last_blocks)
{
    enum { BLOCKS = 100000 };
    static unsigned char blocks[2 * BLOCKS];
    static struct output output;
    struct inflate_stream *stream = inflate_stream_create(15);

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[2 * i] = 0x03;
        blocks[2 * i + 1] = 0x00;
    }
    read_vector(stream, 0, WHOLE, 16);
    output.length = 0;
    ck_assert_int_eq(feed(stream, blocks, sizeof(blocks), false, 1, &output), INFLATE_DONE);
    ck_assert_uint_eq(output.length, 0);
    ck_assert_int_eq(feed_message(stream, BYTES(hello_again), WHOLE, 16, &output), INFLATE_DONE);
    require_output(&output, "Hello");
    inflate_stream_free(stream);
}
END_TEST

/* What is written bit by bit. */
struct bits {
    unsigned char bytes[OUTPUT_MAX];
    size_t count;
};

static void put_bits(struct bits *bits, uint64_t value, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++, bits->count++) {
        if (bits->count / 8 >= sizeof(bits->bytes))
            ck_abort_msg("too many bits");
        if (bits->count % 8 == 0)
            bits->bytes[bits->count / 8] = 0;
        bits->bytes[bits->count / 8] |= (unsigned char)((value >> i & 1) << bits->count % 8);
    }
}

/* Huffman codes begin with their highest bit. */
static void put_code(struct bits *bits, unsigned int code, unsigned int count)
{
    while (count-- > 0)
        put_bits(bits, code >> count & 1, 1);
}

enum { END_OF_BLOCK = 256, LENGTH_3 = 257 };

/* RFC 1951 section 3.2.6. */
static void put_fixed_symbol(struct bits *bits, unsigned int symbol)
{
    if (symbol < 144)
        put_code(bits, 0x30 + symbol, 8);
    else if (symbol < 256)
        put_code(bits, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        put_code(bits, symbol - 256, 7);
    else
        put_code(bits, 0xc0 + symbol - 280, 8);
}

/* RFC 1951 section 3.2.5. */
static void put_fixed_distance(struct bits *bits, unsigned int distance)
{
    unsigned int code = 0;
    unsigned int first = 1;
    unsigned int extra = 0;

    while (distance >= first + (1U << extra)) {
        first += 1U << extra;
        code++;
        extra = code < 4 ? 0 : code / 2 - 1;
    }
    put_code(bits, code, 5);
    put_bits(bits, distance - first, extra);
}

static void begin_fixed_block(struct bits *bits)
{
    put_bits(bits, 2, 3);
}

static void end_fixed_block(struct bits *bits)
{
    put_fixed_symbol(bits, END_OF_BLOCK);
    put_bits(bits, 0, 3);
}

static size_t byte_count(const struct bits *bits)
{
    return (bits->count + 7) / 8;
}

/* Random bytes and then three that are repeated from that far before. */
static enum inflate_status reach_back(
    int window_bits, size_t before, unsigned int distance, size_t piece, size_t room)
{
    static struct bits bits;
    static struct output output;
    struct random_sequence random = {distance};
    enum inflate_status status;

    bits.count = 0;
    begin_fixed_block(&bits);
    for (size_t i = 0; i < before; i++)
        put_fixed_symbol(&bits, (unsigned int)random_below(&random, 256));
    put_fixed_symbol(&bits, LENGTH_3);
    put_fixed_distance(&bits, distance);
    end_fixed_block(&bits);
    status = decompress(bits.bytes, byte_count(&bits), window_bits, piece, room, &output);
    if (status == INFLATE_DONE) {
        ck_assert_uint_eq(output.length, before + 3);
        for (size_t i = before; i < before + 3; i++)
            ck_assert_uint_eq(output.bytes[i], output.bytes[i - distance]);
    } else {
        ck_assert_int_eq(status, INFLATE_BROKEN);
        ck_assert_uint_le(output.length, before + 3);
    }
    return status;
}

START_TEST(distances_within_the_window)
{
    int window_bits = _i;
    unsigned int window = 1U << window_bits;

    for (size_t before = window; before <= 2 * window + 1; before += window / 4 + 1) {
        ck_assert_int_eq(reach_back(window_bits, before, window, WHOLE, 1), INFLATE_DONE);
        ck_assert_int_eq(reach_back(window_bits, before, window, 97, 7), INFLATE_DONE);
        ck_assert_int_eq(reach_back(window_bits, before, window, WHOLE, 100000), INFLATE_DONE);
        ck_assert_int_eq(reach_back(window_bits, before, window - 1, 100, 300), INFLATE_DONE);
    }
}
END_TEST

START_TEST(distances_beyond_the_window)
{
    int window_bits = _i;
    unsigned int window = 1U << window_bits;

    if (window_bits == 15)
        return;
    for (size_t before = 2 * window; before <= 4 * window + 1; before += window / 4 + 1) {
        /* By no more than the room. */
        ck_assert_int_eq(reach_back(window_bits, before, window + 1, WHOLE, 1), INFLATE_BROKEN);
        ck_assert_int_eq(reach_back(window_bits, before, window + 1, 97, 1), INFLATE_BROKEN);
        ck_assert_int_eq(reach_back(window_bits, before, window + 16, WHOLE, 16), INFLATE_BROKEN);
        /* By no more than the window's own size, whatever the room. */
        ck_assert_int_eq(
            reach_back(window_bits, before, 2 * window, WHOLE, 100000), INFLATE_BROKEN);
    }
}
END_TEST

START_TEST(distance_before_the_start)
{
    int window_bits = _i;

    for (unsigned int distance = 1; distance <= 200; distance++) {
        size_t room = distance % 3 == 0 ? 1 : 1000;

        ck_assert_int_eq(
            reach_back(window_bits, distance - 1, distance, distance % 2, room), INFLATE_BROKEN);
        ck_assert_int_eq(
            reach_back(window_bits, distance, distance, distance % 2, room), INFLATE_DONE);
    }
}
END_TEST

/* All ways to be broken begin behind "Hello", which has to come out. */
static void require_broken(const struct bits *bits)
{
    static struct output output;

    for (int window_bits = 8; window_bits <= 15; window_bits++) {
        for (size_t room = 1; room <= 6; room++) {
            for (size_t piece = WHOLE; piece <= 3; piece++) {
                enum inflate_status status =
                    decompress(bits->bytes, byte_count(bits), window_bits, piece, room, &output);

                ck_assert_int_eq(status, INFLATE_BROKEN);
                require_output(&output, "Hello");
            }
        }
    }
}

static void begin_with_hello(struct bits *bits)
{
    bits->count = 0;
    begin_fixed_block(bits);
    for (const char *at = "Hello"; *at; at++)
        put_fixed_symbol(bits, (unsigned char)*at);
}

static void put_ones(struct bits *bits, unsigned int count)
{
    while (count-- > 0)
        put_bits(bits, 1, 1);
}

/* A dynamic block's header, RFC 1951 section 3.2.7: all 19 code lengths are this one. */
static void put_code_lengths(struct bits *bits, unsigned int literals, unsigned int length)
{
    put_bits(bits, 4, 3);
    put_bits(bits, literals, 5);
    put_bits(bits, 0, 5);
    put_bits(bits, 15, 4);
    for (unsigned int i = 0; i < 19; i++)
        put_bits(bits, length, 3);
}

START_TEST(broken_blocks)
{
    static struct bits bits;

    /* a block of the type that there is not */
    begin_with_hello(&bits);
    put_fixed_symbol(&bits, END_OF_BLOCK);
    put_bits(&bits, 6, 3);
    require_broken(&bits);
    put_bits(&bits, 0, 32);
    require_broken(&bits);

    /* lengths of a stored block that contradict each other */
    begin_with_hello(&bits);
    end_fixed_block(&bits);
    put_bits(&bits, 0, (unsigned int)(8 * byte_count(&bits) - bits.count));
    put_bits(&bits, 0x0001, 16);
    put_bits(&bits, 0xffff, 16);
    put_bits(&bits, 0, 32);
    require_broken(&bits);

    /* length and distance symbols that do not occur */
    for (unsigned int symbol = 286; symbol <= 287; symbol++) {
        begin_with_hello(&bits);
        put_fixed_symbol(&bits, symbol);
        put_bits(&bits, 0, 64);
        require_broken(&bits);
    }
    for (unsigned int code = 30; code <= 31; code++) {
        begin_with_hello(&bits);
        put_fixed_symbol(&bits, LENGTH_3);
        put_code(&bits, code, 5);
        put_bits(&bits, 0, 64);
        require_broken(&bits);
    }

    /* too many literals; codes that are too many, too few or none; no end of block */
    begin_with_hello(&bits);
    put_fixed_symbol(&bits, END_OF_BLOCK);
    put_code_lengths(&bits, 31, 5);
    put_bits(&bits, 0, 64);
    require_broken(&bits);
    for (unsigned int length = 0; length <= 7; length++) {
        begin_with_hello(&bits);
        put_fixed_symbol(&bits, END_OF_BLOCK);
        put_code_lengths(&bits, 0, length);
        put_ones(&bits, 2000);
        require_broken(&bits);
    }
}
END_TEST

START_TEST(more_behind_the_end)
{
    static struct output output;
    static const struct {
        const char *bytes;
        size_t length;
    } messages[] = {
        {BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00\x00")},
        {BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff")},
        {BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00")},
    };

    for (size_t i = 0; i < COUNT(messages); i++) {
        for (size_t room = 1; room <= 6; room++) {
            ck_assert_int_eq(
                decompress(messages[i].bytes, messages[i].length, 15, WHOLE, room, &output),
                INFLATE_BROKEN);
            require_output(&output, "Hello");
        }
    }
}
END_TEST

static size_t compress(struct deflate_stream *stream, const unsigned char *bytes, size_t length,
    bool ends_message, unsigned char *out, size_t size)
{
    size_t written;

    ck_assert_int_eq(
        deflate_stream_next(stream, &bytes, &length, ends_message, out, size, &written),
        DEFLATE_DONE);
    return written;
}

/*
 * Cuts a message off behind each of its bytes. What is still good has to have been cut before the
 * lengths of a stored block, and to be the text's beginning. Returns how often that was so.
 */
static unsigned int cut_off(
    const unsigned char *message, size_t length, const unsigned char *text, size_t text_length)
{
    static struct output output;
    unsigned int good = 0;

    ck_assert_int_eq(decompress(message, length, 15, WHOLE, OUTPUT_MAX, &output), INFLATE_DONE);
    ck_assert_uint_eq(output.length, text_length);
    ck_assert_mem_eq(output.bytes, text, text_length);
    for (size_t cut = 0; cut < length; cut++) {
        size_t room = cut % 2 == 0 ? 4000 : 1 + cut % 300;
        enum inflate_status status = decompress(message, cut, 15, WHOLE, room, &output);

        ck_assert_uint_le(output.length, text_length);
        ck_assert_mem_eq(output.bytes, text, output.length);
        if (status == INFLATE_DONE) {
            ck_assert_uint_ge(length - cut, 4);
            ck_assert_uint_eq(message[cut] ^ message[cut + 2], 0xff);
            ck_assert_uint_eq(message[cut + 1] ^ message[cut + 3], 0xff);
            good++;
        } else {
            ck_assert_int_eq(status, INFLATE_BROKEN);
        }
    }
    return good;
}

static void fill_with_text(unsigned char *bytes, size_t length)
{
    static const char words[][8] = {"name", "value", "true", "false", "12", "305", "\": \"", "\n"};
    struct random_sequence random = {length};
    size_t at = 0;

    while (at < length) {
        const char *word = words[random_below(&random, COUNT(words))];
        size_t count = strlen(word) < length - at ? strlen(word) : length - at;

        memcpy(bytes + at, word, count);
        at += count;
    }
}

START_TEST(vectors_cut_off)
{
    static const unsigned int good_cuts[COUNT(vectors)] = {0, 1, 0, 1, 0, 0, 0};

    for (size_t i = 0; i < COUNT(vectors); i++)
        ck_assert_uint_eq(cut_off((const unsigned char *)vectors[i].bytes, vectors[i].length,
                              (const unsigned char *)vectors[i].text, strlen(vectors[i].text)),
            good_cuts[i]);
}
END_TEST

START_TEST(messages_cut_off)
{
    static unsigned char text[3000];
    static unsigned char message[4000];
    static const size_t lengths[] = {1, 10, 100, 1000, sizeof(text)};
    struct random_sequence random = {3};

    for (int level = 1; level <= 9; level += 4) {
        for (size_t i = 0; i < COUNT(lengths); i++) {
            struct deflate_stream *stream = deflate_stream_create(level, 8, 15);
            size_t half = lengths[i] / 2;
            size_t length;

            ck_assert_ptr_nonnull(stream);
            fill_with_text(text, lengths[i]);
            length = compress(stream, text, lengths[i], true, message, sizeof(message));
            ck_assert_uint_eq(cut_off(message, length, text, lengths[i]), 0);

            /* In two pieces, so that a stored block ends the first. */
            deflate_stream_reset(stream);
            length = compress(stream, text, half, false, message, sizeof(message));
            length += compress(stream, text + half, lengths[i] - half, true, message + length,
                sizeof(message) - length);
            ck_assert_uint_eq(cut_off(message, length, text, lengths[i]), half > 0);
            deflate_stream_free(stream);
        }
    }
    /* What is stored as it is. */
    for (size_t i = 2; i < 4; i++) {
        struct deflate_stream *stream = deflate_stream_create(6, 8, 15);
        size_t length;

        ck_assert_ptr_nonnull(stream);
        random_bytes(&random, text, lengths[i]);
        length = compress(stream, text, lengths[i], true, message, sizeof(message));
        ck_assert_uint_eq(cut_off(message, length, text, lengths[i]), 1);
        deflate_stream_free(stream);
    }
}
END_TEST

/* A mebibyte out of about a kilobyte: no more comes out than there is room, and all of it. */
START_TEST(what_grows_a_thousandfold)
{
    enum { SIZE = 1 << 20 };
    static unsigned char message[4096];
    static unsigned char zeros[SIZE];
    struct deflate_stream *compressor = deflate_stream_create(9, 9, 15);
    size_t length = compress(compressor, zeros, SIZE, true, message, sizeof(message));
    struct inflate_stream *stream = inflate_stream_create(_i);
    unsigned char *room = guard_page_space(1000);
    const unsigned char *in = message;
    size_t total = 0;
    enum inflate_status status;

    ck_assert_uint_lt(length, 2000);
    do {
        size_t written;

        status = inflate_stream_next(stream, &in, &length, true, room, 1000, &written);
        total += written;
        ck_assert(status == INFLATE_MORE ? written == 1000 : written == SIZE % 1000);
    } while (status == INFLATE_MORE);
    ck_assert_int_eq(status, INFLATE_DONE);
    ck_assert_uint_eq(total, SIZE);
    guard_page_free(room, 1000);
    inflate_stream_free(stream);
    deflate_stream_free(compressor);
}
END_TEST

START_TEST(nothing_of_a_message_yet)
{
    static struct output output;
    struct inflate_stream *stream = inflate_stream_create(15);
    const unsigned char *in = NULL;
    size_t left = 0;
    size_t written = 1;
    unsigned char out[1];

    ck_assert_int_eq(
        inflate_stream_next(stream, &in, &left, false, out, sizeof(out), &written), INFLATE_DONE);
    ck_assert_uint_eq(written, 0);
    ck_assert_ptr_null(in);
    output.length = 0;
    ck_assert_int_eq(feed(stream, "\xf2\x48", 2, false, 16, &output), INFLATE_DONE);
    ck_assert_int_eq(
        inflate_stream_next(stream, &in, &left, false, out, sizeof(out), &written), INFLATE_DONE);
    ck_assert_uint_eq(written, 0);
    ck_assert_int_eq(
        inflate_stream_next(stream, &in, &left, true, out, sizeof(out), &written), INFLATE_BROKEN);
    /* What would have made it good comes too late. */
    ck_assert_int_eq(feed(stream, "\xcd\xc9\xc9\x07\x00", 5, true, 16, &output), INFLATE_BROKEN);
    inflate_stream_free(stream);
    inflate_stream_free(NULL);
}
END_TEST

START_TEST(no_memory)
{
    memory_fail_next();
    ck_assert_ptr_null(inflate_stream_create(15));
}
END_TEST

Suite *inflate_stream_suite(void)
{
    Suite *suite = suite_create("inflate stream");
    TCase *tests = tcase_create("inflate stream");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, vectors_however_they_are_cut, 8, 16);
    tcase_add_test(tests, messages_share_the_window);
    tcase_add_test(tests, many_last_blocks);
    tcase_add_loop_test(tests, distances_within_the_window, 8, 16);
    tcase_add_loop_test(tests, distances_beyond_the_window, 8, 15);
    tcase_add_loop_test(tests, distance_before_the_start, 8, 16);
    tcase_add_test(tests, broken_blocks);
    tcase_add_test(tests, more_behind_the_end);
    tcase_add_test(tests, vectors_cut_off);
    tcase_add_test(tests, messages_cut_off);
    tcase_add_loop_test(tests, what_grows_a_thousandfold, 8, 16);
    tcase_add_test(tests, nothing_of_a_message_yet);
    tcase_add_test(tests, no_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
