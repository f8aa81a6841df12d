#include "codec/deflate_stream.h"

#include "codec/inflate_stream.h"
#include "interposed.h"
#include "suites.h"
#include "support/guard_page.h"
#include "support/random_sequence.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BYTES(literal) literal, sizeof(literal) - 1

enum { LENGTH_MAX = 70000, OUTPUT_MAX = 2 * LENGTH_MAX, SPACE = OUTPUT_MAX };

struct output {
    unsigned char bytes[OUTPUT_MAX];
    size_t length;
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

static void append(struct output *output, const unsigned char *bytes, size_t length)
{
    if (length > sizeof(output->bytes) - output->length)
        ck_abort_msg("%zu bytes after %zu are too many", length, output->length);
    memcpy(output->bytes + output->length, bytes, length);
    output->length += length;
}

static void compress(struct deflate_stream *stream, const void *bytes, size_t length,
    bool ends_message, size_t room, struct output *output)
{
    static unsigned char *in_space;
    static unsigned char *out_space;
    unsigned char *copy = end_of(&in_space, length);
    unsigned char *out = end_of(&out_space, room);
    const unsigned char *in = copy;
    size_t left = length;
    enum deflate_status status;

    if (length > 0)
        memcpy(copy, bytes, length);
    do {
        size_t written = SIZE_MAX;

        status = deflate_stream_next(stream, &in, &left, ends_message, out, room, &written);
        if (status == DEFLATE_FAILED || written > room || in + left != copy + length ||
            (status == DEFLATE_MORE && written != room))
            ck_abort_msg("%zu of %zu left, %zu of %zu written: %d", left, length, written, room,
                (int)status);
        append(output, out, written);
    } while (status == DEFLATE_MORE);
    ck_assert_uint_eq(left, 0);
}

static void decompress(struct inflate_stream *stream, const unsigned char *bytes, size_t length,
    bool ends_message, size_t room, struct output *output)
{
    static unsigned char *space;
    unsigned char *out = end_of(&space, room);
    enum inflate_status status;

    do {
        size_t written;

        status = inflate_stream_next(stream, &bytes, &length, ends_message, out, room, &written);
        append(output, out, written);
    } while (status == INFLATE_MORE);
    ck_assert_int_eq(status, INFLATE_DONE);
}

static void require_bytes(const struct output *output, const void *bytes, size_t length)
{
    ck_assert_uint_eq(output->length, length);
    ck_assert_mem_eq(output->bytes, bytes, length);
}

/* RFC 7692 section 7.2.3. */
START_TEST(examples_of_the_rfc)
{
    static struct output output;
    int level = _i;
    struct deflate_stream *stream = deflate_stream_create(level, 8, 15);

    for (size_t room = 1; room <= 20; room++) {
        deflate_stream_reset(stream);
        output.length = 0;
        compress(stream, "Hello", 5, true, room, &output);
        require_bytes(&output, BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"));
        output.length = 0;
        compress(stream, "Hello", 5, true, room, &output);
        require_bytes(&output, BYTES("\xf2\x00\x11\x00\x00"));

        deflate_stream_reset(stream);
        output.length = 0;
        compress(stream, "He", 2, false, room, &output);
        compress(stream, "llo", 3, true, room, &output);
        require_bytes(&output, BYTES("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"));
    }
    deflate_stream_free(stream);
}
END_TEST

START_TEST(pieces_of_nothing)
{
    static struct output output;
    static struct output text;
    struct deflate_stream *stream = deflate_stream_create(6, 8, 15);
    struct inflate_stream *peer = inflate_stream_create(15);
    const unsigned char *in = NULL;
    size_t left = 0;
    size_t written = 1;
    unsigned char room[1];

    for (unsigned int round = 0; round < 3; round++) {
        for (unsigned int empty = 0; empty < 3; empty++) {
            output.length = 0;
            compress(stream, NULL, 0, true, 16, &output);
            require_bytes(&output, BYTES("\x00"));
            text.length = 0;
            decompress(peer, output.bytes, output.length, true, 16, &text);
            require_bytes(&text, "", 0);
        }
        output.length = 0;
        compress(stream, NULL, 0, false, 16, &output);
        require_bytes(&output, "", 0);
        compress(stream, "Hello", 5, false, 16, &output);
        compress(stream, NULL, 0, false, 16, &output);
        compress(stream, NULL, 0, true, 16, &output);
        ck_assert_uint_ge(output.length, 6);
        ck_assert_mem_eq(output.bytes + output.length - 5, "\x00\x00\xff\xff\x00", 5);
        text.length = 0;
        decompress(peer, output.bytes, output.length, true, 16, &text);
        require_bytes(&text, "Hello", 5);
    }
    ck_assert_int_eq(
        deflate_stream_next(stream, &in, &left, true, room, sizeof(room), &written), DEFLATE_DONE);
    ck_assert_uint_eq(written, 1);
    ck_assert_uint_eq(room[0], 0);
    inflate_stream_free(peer);
    deflate_stream_free(stream);
}
END_TEST

static void fill_with_text(struct random_sequence *random, unsigned char *bytes, size_t length)
{
    static const char words[][8] = {"name", "value", "true", "false", "12", "305", "\": \"", "\n"};
    size_t at = 0;

    while (at < length) {
        const char *word = words[random_below(random, COUNT(words))];
        size_t count = strlen(word) < length - at ? strlen(word) : length - at;

        memcpy(bytes + at, word, count);
        at += count;
    }
}

/* Random bytes that repeat, so that a compressor would like to reach that far. */
static void fill_with_period(
    struct random_sequence *random, unsigned char *bytes, size_t length, size_t period)
{
    random_bytes(random, bytes, period < length ? period : length);
    for (size_t i = period; i < length; i++)
        bytes[i] = bytes[i - period];
}

static void fill(struct random_sequence *random, unsigned char *bytes, size_t length)
{
    switch (random_below(random, 4)) {
    case 0:
        random_bytes(random, bytes, length);
        break;
    case 1:
        fill_with_period(random, bytes, length, 1 + (size_t)random_below(random, 33000));
        break;
    case 2:
        memset(bytes, 0, length);
        break;
    default:
        fill_with_text(random, bytes, length);
        break;
    }
}

/* What comes out is the same whatever room there is; above all, no flush is put out twice where
 * one just fits. */
START_TEST(room_does_not_change_what_comes_out)
{
    static struct output whole;
    static struct output output;
    static const size_t lengths[] = {1, 2, 5, 30, 100, 300, 1000};
    unsigned char bytes[1000];
    struct random_sequence random = {1};
    struct deflate_stream *stream = deflate_stream_create(6, 1 + _i % 9, 9 + _i % 7);

    for (size_t i = 0; i < COUNT(lengths); i++) {
        for (int ends = 0; ends <= 1; ends++) {
            fill(&random, bytes, lengths[i]);
            deflate_stream_reset(stream);
            whole.length = 0;
            compress(stream, bytes, lengths[i], ends, OUTPUT_MAX, &whole);
            for (size_t room = 1; room <= whole.length + 8; room++) {
                deflate_stream_reset(stream);
                output.length = 0;
                compress(stream, bytes, lengths[i], ends, room, &output);
                require_bytes(&output, whole.bytes, whole.length);
            }
        }
    }
    deflate_stream_free(stream);
}
END_TEST

/* How a conversation goes, by choice. */
struct conversation {
    int window_bits;
    bool takeover;
    size_t room;
    size_t peer_room;
    unsigned int cuts;
};

/* In pieces; what has come after each has to be what it was made of. */
static void send_message(struct deflate_stream *stream, struct inflate_stream *peer,
    struct random_sequence *random, const struct conversation *conversation,
    const unsigned char *bytes, size_t length)
{
    static struct output output;
    static struct output text;
    size_t at = 0;

    text.length = 0;
    for (unsigned int cut = 0; cut <= conversation->cuts; cut++) {
        bool last = cut == conversation->cuts;
        size_t piece = last ? length - at : (size_t)random_below(random, length - at + 1);
        size_t split;

        output.length = 0;
        compress(stream, bytes + at, piece, last, conversation->room, &output);
        at += piece;
        split = (size_t)random_below(random, output.length + 1);
        decompress(peer, output.bytes, split, false, conversation->peer_room, &text);
        decompress(peer, output.bytes + split, output.length - split, last, conversation->peer_room,
            &text);
        require_bytes(&text, bytes, at);
    }
}

static void converse(struct random_sequence *random, const struct conversation *conversation,
    size_t length_max, int level, int memory_level)
{
    static unsigned char bytes[LENGTH_MAX];
    struct deflate_stream *stream =
        deflate_stream_create(level, memory_level, conversation->window_bits);
    struct inflate_stream *peer = inflate_stream_create(conversation->window_bits);

    ck_assert_ptr_nonnull(stream);
    ck_assert_ptr_nonnull(peer);
    for (unsigned int message = 0; message < 4; message++) {
        size_t length = message == 0 ? length_max : (size_t)random_below(random, length_max + 1);

        /* With takeover, the one before again, now and then. */
        if (message != 2)
            fill(random, bytes, length_max);
        send_message(stream, peer, random, conversation, bytes, length);
        if (!conversation->takeover) {
            deflate_stream_reset(stream);
            inflate_stream_reset(peer, conversation->window_bits);
        }
    }
    inflate_stream_free(peer);
    deflate_stream_free(stream);
}

START_TEST(round_trips)
{
    static const size_t lengths[] = {0, 1, 2, 3, 10, 100, 255, 256, 257, 1000, 4096, 16383, 32767,
        32768, 33000, 65535, LENGTH_MAX};
    struct random_sequence random = {(uint64_t)_i};

    for (int memory_level = 1; memory_level <= 9; memory_level++) {
        for (unsigned int round = 0; round < 4; round++) {
            struct conversation conversation = {.window_bits = _i,
                .takeover = random_below(&random, 2) == 0,
                .room = 16 + (size_t)random_below(&random, random_below(&random, 2) ? 32 : 5000),
                .peer_room =
                    1 + (size_t)random_below(&random, random_below(&random, 2) ? 64 : 5000),
                .cuts = (unsigned int)random_below(&random, 4)};

            converse(&random, &conversation, lengths[random_below(&random, COUNT(lengths))],
                1 + (int)random_below(&random, 9), memory_level);
        }
    }
}
END_TEST

/* With a room of one byte the peer lets no distance beyond its window pass. */
START_TEST(distances_stay_within_the_window)
{
    static unsigned char bytes[LENGTH_MAX];
    struct conversation strict = {
        .window_bits = _i, .takeover = true, .room = 1000, .peer_room = 1, .cuts = 1};
    size_t window = (size_t)1 << _i;
    struct random_sequence random = {(uint64_t)_i};

    for (size_t period = window - 20; period <= window + 20; period += 4) {
        struct deflate_stream *stream = deflate_stream_create(9, 9, _i);
        struct inflate_stream *peer = inflate_stream_create(_i);
        size_t length = 2 * window + 100;

        fill_with_period(&random, bytes, length, period);
        send_message(stream, peer, &random, &strict, bytes, length);
        fill_with_period(&random, bytes, length, window - 300 % window);
        send_message(stream, peer, &random, &strict, bytes, length);
        inflate_stream_free(peer);
        deflate_stream_free(stream);
    }
}
END_TEST

/* It would not be much of a compressor if it never reached back. */
START_TEST(repetitions_are_found)
{
    static unsigned char bytes[10000];
    static struct output output;
    struct random_sequence random = {1};
    struct deflate_stream *stream = deflate_stream_create(6, 8, _i);
    size_t reach = _i == 8 ? 250 : ((size_t)1 << _i) - 262;
    size_t first;

    fill_with_period(&random, bytes, sizeof(bytes), reach < 5000 ? reach : 5000);
    output.length = 0;
    compress(stream, bytes, sizeof(bytes), true, 1000, &output);
    first = output.length;
    ck_assert_uint_lt(first, 6000);
    output.length = 0;
    compress(stream, bytes, sizeof(bytes), true, 1000, &output);
    ck_assert_uint_lt(output.length, first);
    deflate_stream_reset(stream);
    output.length = 0;
    compress(stream, bytes, sizeof(bytes), true, 1000, &output);
    ck_assert_uint_eq(output.length, first);
    deflate_stream_free(stream);
}
END_TEST

START_TEST(wrong_settings)
{
    ck_assert_ptr_null(deflate_stream_create(10, 8, 15));
    ck_assert_ptr_null(deflate_stream_create(6, 0, 15));
    ck_assert_ptr_null(deflate_stream_create(6, 10, 15));
    ck_assert_ptr_null(deflate_stream_create(6, 8, 16));
    deflate_stream_free(NULL);
}
END_TEST

START_TEST(no_memory)
{
    memory_fail_next();
    ck_assert_ptr_null(deflate_stream_create(6, 8, 15));
}
END_TEST

Suite *deflate_stream_suite(void)
{
    Suite *suite = suite_create("deflate stream");
    TCase *tests = tcase_create("deflate stream");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, examples_of_the_rfc, 1, 10);
    tcase_add_test(tests, pieces_of_nothing);
    tcase_add_loop_test(tests, room_does_not_change_what_comes_out, 0, 9);
    tcase_add_loop_test(tests, round_trips, 8, 16);
    tcase_add_loop_test(tests, distances_stay_within_the_window, 8, 16);
    tcase_add_loop_test(tests, repetitions_are_found, 8, 16);
    tcase_add_test(tests, wrong_settings);
    tcase_add_test(tests, no_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
