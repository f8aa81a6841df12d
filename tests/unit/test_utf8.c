#include "suites.h"

#include "codec/utf8.h"
#include "support/guard_page.h"
#include "support/random_sequence.h"

#include <stdio.h>
#include <string.h>

/* Whether some character of `size` bytes has a code point whose upper bits are `bits`, the lower
 * six of each of the `missing` bytes being open. */
static bool some_character_fits(uint32_t bits, unsigned int size, unsigned int missing)
{
    static const uint32_t least_of_size[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t least = bits << (6 * missing);
    uint32_t most = least | ((UINT32_C(1) << (6 * missing)) - 1);

    if (most < least_of_size[size] || least > 0x10ffff)
        return false;
    return !(least >= 0xd800 && most <= 0xdfff);
}

/* What utf8_check has to return for the bytes as a whole, by arithmetic on code points. */
static size_t first_fault(const unsigned char *bytes, size_t length, bool *complete)
{
    uint32_t bits = 0;
    unsigned int size = 0;
    unsigned int missing = 0;

    *complete = false;
    for (size_t i = 0; i < length; i++) {
        if (missing > 0) {
            if (bytes[i] >> 6 != 2)
                return i;
            bits = bits << 6 | (bytes[i] & 0x3f);
            missing--;
        } else if (bytes[i] < 0x80) {
            continue;
        } else if (bytes[i] >> 5 == 0x06) {
            size = 2;
            bits = bytes[i] & 0x1f;
            missing = 1;
        } else if (bytes[i] >> 4 == 0x0e) {
            size = 3;
            bits = bytes[i] & 0x0f;
            missing = 2;
        } else if (bytes[i] >> 3 == 0x1e) {
            size = 4;
            bits = bytes[i] & 0x07;
            missing = 3;
        } else {
            return i;
        }
        if (!some_character_fits(bits, size, missing))
            return i;
    }
    *complete = missing == 0;
    return length;
}

static void compare_whole(const unsigned char *bytes, size_t length)
{
    utf8_state state = UTF8_START;
    bool complete;
    size_t expected = first_fault(bytes, length, &complete);
    size_t result = utf8_check(&state, bytes, length);

    if (result != expected || (result == length && utf8_complete(state) != complete)) {
        char text[3 * 64 + 1] = "";

        for (size_t i = 0; i < length && i < 64; i++)
            snprintf(text + 3 * i, 4, "%02x ", bytes[i]);
        ck_abort_msg("%s: fault at %zu of %zu, expected at %zu", text, result, length, expected);
    }
}

/* The same answer has to come however the bytes are cut. */
static void compare_cut(const unsigned char *bytes, size_t length, size_t split, size_t piece)
{
    utf8_state state = UTF8_START;
    bool complete;
    size_t expected = first_fault(bytes, length, &complete);
    size_t at = 0;

    while (at < length) {
        size_t size = piece > 0 ? piece : at < split ? split : length - split;
        size_t taken = utf8_check(&state, bytes + at, size);

        at += taken;
        if (taken != size)
            break;
    }
    if (at != expected || (at == length && utf8_complete(state) != complete))
        ck_abort_msg(
            "length %zu, split %zu, piece %zu: %zu for %zu", length, split, piece, at, expected);
}

static void compare_all_ways(const unsigned char *bytes, size_t length)
{
    unsigned char *copy = guard_page_copy(bytes, length);

    compare_whole(copy, length);
    guard_page_free(copy, length);
    compare_cut(bytes, length, 0, 1);
    for (size_t split = 0; split <= length; split++)
        compare_cut(bytes, length, split, 0);
}

START_TEST(fault_is_at_the_first_byte_that_shows_it)
{
    static const struct {
        const char *bytes;
        size_t length;
        size_t fault;
    } cases[] = {
        {"\xc0\x80", 2, 0},
        {"\xc1\xbf", 2, 0},
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xff", 1, 0},
        {"\x80", 1, 0},
        {"a\x80", 2, 1},
        {"\xc2\x41", 2, 1},
        {"\xe0\x80\x80", 3, 1},
        {"\xe0\x9f\xbf", 3, 1},
        {"\xed\xa0\x80", 3, 1},
        {"\xed\xbf\xbf", 3, 1},
        {"\xf0\x80\x80\x80", 4, 1},
        {"\xf0\x8f\xbf\xbf", 4, 1},
        {"\xf4\x90\x80\x80", 4, 1},
        {"\xe2\x82\x41", 3, 2},
        {"\xf0\x9f\x98\xc2", 4, 3},
        {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
         "edited",
            20, 12},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        utf8_state state = UTF8_START;
        const unsigned char *bytes = (const unsigned char *)cases[i].bytes;

        ck_assert_uint_eq(utf8_check(&state, bytes, cases[i].length), cases[i].fault);
        compare_all_ways(bytes, cases[i].length);
    }
}
END_TEST

START_TEST(good_text)
{
    static const char *const texts[] = {"", "plain", "gr\xc3\xbcn", "\xe2\x82\xac",
        "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xee\x80\x80", "\xef\xbf\xbf",
        "a text of ASCII that is longer than a few words, for the quick path",
        "Sixteen bytes, \xe2\x82\xac and sixteen bytes, \xe2\x82\xac and sixteen"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const unsigned char *bytes = (const unsigned char *)texts[i];
        utf8_state state = UTF8_START;

        ck_assert_uint_eq(utf8_check(&state, bytes, strlen(texts[i])), strlen(texts[i]));
        ck_assert(utf8_complete(state));
        compare_all_ways(bytes, strlen(texts[i]));
    }
}
END_TEST

START_TEST(every_character)
{
    static unsigned char text[0x110000 * 4];
    utf8_state state = UTF8_START;
    size_t length = 0;

    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        if (point >= 0xd800 && point <= 0xdfff)
            continue;
        if (point < 0x80) {
            text[length++] = (unsigned char)point;
        } else if (point < 0x800) {
            text[length++] = (unsigned char)(0xc0 | point >> 6);
            text[length++] = (unsigned char)(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            text[length++] = (unsigned char)(0xe0 | point >> 12);
            text[length++] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
            text[length++] = (unsigned char)(0x80 | (point & 0x3f));
        } else {
            text[length++] = (unsigned char)(0xf0 | point >> 18);
            text[length++] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
            text[length++] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
            text[length++] = (unsigned char)(0x80 | (point & 0x3f));
        }
    }
    ck_assert_uint_eq(utf8_check(&state, text, length), length);
    ck_assert(utf8_complete(state));
    for (size_t i = 0; i < length; i++) {
        if (utf8_check(&state, text + i, 1) != 1)
            ck_abort_msg("byte %zu", i);
    }
    ck_assert(utf8_complete(state));
}
END_TEST

START_TEST(every_sequence_of_up_to_three_bytes)
{
    unsigned char bytes[3];

    for (unsigned int first = 0; first < 256; first++) {
        bytes[0] = (unsigned char)first;
        compare_whole(bytes, 1);
        for (unsigned int second = 0; second < 256; second++) {
            bytes[1] = (unsigned char)second;
            compare_whole(bytes, 2);
            for (unsigned int third = 0; third < 256; third++) {
                bytes[2] = (unsigned char)third;
                compare_whole(bytes, 3);
            }
        }
    }
}
END_TEST

/* The edges of all ranges that the second byte of some character has. */
static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
    0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff};

START_TEST(four_bytes_of_all_classes)
{
    unsigned char bytes[4];

    for (unsigned int first = 0; first < 256; first++) {
        bytes[0] = (unsigned char)first;
        for (size_t second = 0; second < sizeof edges; second++) {
            bytes[1] = edges[second];
            for (size_t third = 0; third < sizeof edges; third++) {
                bytes[2] = edges[third];
                for (size_t fourth = 0; fourth < sizeof edges; fourth++) {
                    bytes[3] = edges[fourth];
                    compare_whole(bytes, 4);
                }
            }
        }
    }
}
END_TEST

/* A text of whole characters, mostly, so that faults come late as well as early. */
static size_t random_text(struct random_sequence *random, unsigned char *text, size_t size)
{
    static const char *const characters[] = {"a", "Z", "~", "\x01", "\xc2\x80", "\xdf\xbf",
        "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
        "sixteen letters.", "thirty-two letters in this text."};
    size_t length = 0;

    for (;;) {
        const char *next = characters[random_below(random, sizeof characters / sizeof *characters)];

        if (length + strlen(next) > size || random_below(random, 24) == 0)
            break;
        memcpy(text + length, next, strlen(next));
        length += strlen(next);
    }
    if (length > 0 && random_below(random, 2) == 0) {
        size_t at = (size_t)random_below(random, length);

        text[at] = edges[random_below(random, sizeof edges)];
    }
    if (length > 0 && random_below(random, 4) == 0)
        length -= 1 + (size_t)random_below(random, length < 3 ? length : 3);
    return length;
}

START_TEST(random_texts_cut_anywhere)
{
    struct random_sequence random = {6};
    unsigned char text[120];

    for (unsigned int round = 0; round < 5000; round++)
        compare_all_ways(text, random_text(&random, text, sizeof text));
}
END_TEST

START_TEST(random_bytes_whole)
{
    struct random_sequence random = {7};
    unsigned char bytes[40];

    for (unsigned int round = 0; round < 100000; round++) {
        random_bytes(&random, bytes, sizeof bytes);
        compare_whole(bytes, (size_t)random_below(&random, sizeof bytes + 1));
    }
}
END_TEST

START_TEST(fault_at_any_place_between_words)
{
    unsigned char text[80];

    for (size_t length = 1; length <= sizeof text; length++) {
        for (size_t at = 0; at < length; at++) {
            utf8_state state = UTF8_START;

            memset(text, 'x', sizeof text);
            text[at] = 0xff;
            if (utf8_check(&state, text, length) != at)
                ck_abort_msg("length %zu, fault at %zu", length, at);
        }
    }
}
END_TEST

Suite *utf8_suite(void)
{
    Suite *suite = suite_create("utf8");
    TCase *tests = tcase_create("utf8");

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, fault_is_at_the_first_byte_that_shows_it);
    tcase_add_test(tests, good_text);
    tcase_add_test(tests, every_character);
    tcase_add_test(tests, every_sequence_of_up_to_three_bytes);
    tcase_add_test(tests, four_bytes_of_all_classes);
    tcase_add_test(tests, random_texts_cut_anywhere);
    tcase_add_test(tests, random_bytes_whole);
    tcase_add_test(tests, fault_at_any_place_between_words);
    suite_add_tcase(suite, tests);
    return suite;
}
