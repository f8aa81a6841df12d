#include "suites.h"

#include "codec/base64.h"
#include "support/guard_page.h"
#include "support/random_sequence.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const struct {
    const char *bytes;
    const char *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf\xfe", "+/+//g=="},
};

/* The bits of the bytes in a row, six at a time. */
static size_t encode_plainly(const unsigned char *bytes, size_t length, char *text)
{
    size_t characters = (8 * length + 5) / 6;
    size_t at;

    for (at = 0; at < characters; at++) {
        unsigned int value = 0;

        for (size_t bit = 6 * at; bit < 6 * at + 6; bit++) {
            unsigned int byte = bit / 8 < length ? bytes[bit / 8] : 0;

            value = value * 2 + (byte >> (7 - bit % 8) & 1);
        }
        text[at] = alphabet[value];
    }
    while (at % 4 != 0)
        text[at++] = '=';
    text[at] = '\0';
    return at;
}

static ssize_t decode(const char *text, size_t length, unsigned char *out, size_t size)
{
    char *copy = (char *)guard_page_copy(text, length);
    ssize_t result = base64_decode(copy, length, out, size);

    guard_page_free(copy, length);
    return result;
}

static bool is_base64(const char *text, size_t length)
{
    unsigned char bytes[256];

    return decode(text, length, bytes, sizeof bytes) >= 0;
}

START_TEST(vectors_of_the_rfc)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char text[32];
        unsigned char bytes[32];
        size_t bytes_length = strlen(vectors[i].bytes);
        size_t text_length = strlen(vectors[i].text);

        ck_assert_int_eq(
            base64_encode((const unsigned char *)vectors[i].bytes, bytes_length, text, sizeof text),
            (ssize_t)text_length);
        ck_assert_str_eq(text, vectors[i].text);
        ck_assert_int_eq(
            decode(vectors[i].text, text_length, bytes, sizeof bytes), (ssize_t)bytes_length);
        ck_assert(memcmp(bytes, vectors[i].bytes, bytes_length) == 0);
    }
}
END_TEST

START_TEST(room_is_used_to_the_last_byte_and_no_further)
{
    struct random_sequence random = {10};

    for (size_t length = 0; length <= 200; length++) {
        unsigned char bytes[200];
        char expected[280];
        size_t text_length;
        unsigned char *in;
        unsigned char *decoded = guard_page_space(length);
        char *text;

        random_bytes(&random, bytes, length);
        text_length = encode_plainly(bytes, length, expected);
        in = guard_page_copy(bytes, length);
        text = (char *)guard_page_space(text_length + 1);
        ck_assert_int_eq(base64_encode(in, length, text, text_length), -1);
        ck_assert_int_eq(base64_encode(in, length, text, 0), -1);
        ck_assert_int_eq(base64_encode(in, length, text, text_length + 1), (ssize_t)text_length);
        ck_assert_str_eq(text, expected);
        if (length > 0) {
            ck_assert_int_eq(base64_decode(text, text_length, decoded, length - 1), -1);
            ck_assert_int_eq(base64_decode(text, text_length, decoded, 0), -1);
        }
        ck_assert_int_eq(decode(expected, text_length, decoded, length), (ssize_t)length);
        ck_assert(memcmp(decoded, bytes, length) == 0);
        guard_page_free(in, length);
        guard_page_free(decoded, length);
        guard_page_free(text, text_length + 1);
    }
}
END_TEST

START_TEST(decoding_adds_nothing_behind_the_bytes)
{
    unsigned char bytes[8];

    memset(bytes, 0xee, sizeof bytes);
    ck_assert_int_eq(base64_decode("Zm9vYg==", 8, bytes, sizeof bytes), 4);
    ck_assert_mem_eq(bytes, "foob\xee\xee\xee\xee", sizeof bytes);
}
END_TEST

START_TEST(every_character_at_every_place)
{
    static const char good[] = "Zm9vYmFyZm9v";

    for (size_t at = 0; at < 12; at++) {
        for (unsigned int value = 0; value < 256; value++) {
            char text[13];
            bool known = value != 0 && strchr(alphabet, (int)value) != NULL;

            memcpy(text, good, sizeof text);
            text[at] = (char)value;
            if (at == 11 && value == '=')
                known = true;
            if (is_base64(text, 12) != known)
                ck_abort_msg("value %u at %zu", value, at);
        }
    }
}
END_TEST

START_TEST(wrong_texts)
{
    static const char *const texts[] = {"Z", "Zg", "Zg=", "Zg===", "=",
        "==", "===", "====", "Z===", "=g==", "Zg=v",
        "Zm8=Zm8=", "Zg==Zg==", "Zm9v=", "Zm9v==", "Zm9v====", " Zm9", "Zm9 ", "Zm9v\n",
        "Zm9v\n\n\n\n", "    Zm9v", "Zm9v    ", "Zm9\n", "\r\nZm", "Zm\r\n", "Zm-v", "Zm_v",
        "Zm9v-", "Zm9v----", "Zg==\n\n\n\n", "Zg= ", "Zg =", "Zm8 ====", "Zm8=    "};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_msg(!is_base64(texts[i], strlen(texts[i])), "\"%s\"", texts[i]);
    ck_assert(!is_base64("Zm9\0", 4));
}
END_TEST

START_TEST(bits_of_no_byte_are_not_looked_at)
{
    unsigned char bytes[2];

    ck_assert_int_eq(base64_decode("Zv==", 4, bytes, sizeof bytes), 1);
    ck_assert_uint_eq(bytes[0], 'f');
    ck_assert_int_eq(base64_decode("Zm/=", 4, bytes, sizeof bytes), 2);
    ck_assert_mem_eq(bytes, "fo", 2);
}
END_TEST

START_TEST(empty_text)
{
    char text[1] = {'x'};

    ck_assert_int_eq(base64_encode(NULL, 0, text, 1), 0);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(base64_decode("", 0, NULL, 0), 0);
}
END_TEST

START_TEST(lengths_that_would_overflow)
{
    char text[8];

    ck_assert_int_eq(base64_encode((const unsigned char *)"", SIZE_MAX, text, sizeof text), -1);
    ck_assert_int_eq(base64_encode((const unsigned char *)"", SIZE_MAX, text, SIZE_MAX), -1);
    ck_assert_int_eq(
        base64_encode((const unsigned char *)"", SIZE_MAX / 4 * 3, text, SIZE_MAX), -1);
    ck_assert_int_eq(base64_encode((const unsigned char *)"", SIZE_MAX / 2, text, sizeof text), -1);
}
END_TEST

/* Around the size of the pieces in which the work is done. */
START_TEST(long_input)
{
    enum { PIECE = 3 << 20, MORE = 7 };
    struct random_sequence random = {11};
    unsigned char *bytes = malloc(PIECE + MORE);
    char *expected = malloc((PIECE + MORE) / 3 * 4 + 5);
    char *text = malloc((PIECE + MORE) / 3 * 4 + 5);
    unsigned char *decoded = malloc(PIECE + MORE);

    ck_assert(bytes != NULL && expected != NULL && text != NULL && decoded != NULL);
    random_bytes(&random, bytes, PIECE + MORE);
    for (size_t length = PIECE - 4; length <= PIECE + MORE; length += 1) {
        size_t text_length = (length + 2) / 3 * 4;

        /* The plain way is slow, and what it makes of the first bytes stays as it is. */
        if (length == PIECE - 4)
            ck_assert_uint_eq(encode_plainly(bytes, length, expected), text_length);
        else
            encode_plainly(bytes + PIECE - 6, length - (PIECE - 6), expected + (PIECE - 6) / 3 * 4);
        ck_assert_int_eq(base64_encode(bytes, length, text, text_length + 1), (ssize_t)text_length);
        ck_assert(memcmp(text, expected, text_length + 1) == 0);
        ck_assert_int_eq(base64_decode(text, text_length, decoded, length), (ssize_t)length);
        ck_assert(memcmp(decoded, bytes, length) == 0);
    }
    free(bytes);
    free(expected);
    free(text);
    free(decoded);
}
END_TEST

Suite *base64_suite(void)
{
    Suite *suite = suite_create("base64");
    TCase *tests = tcase_create("base64");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, vectors_of_the_rfc);
    tcase_add_test(tests, room_is_used_to_the_last_byte_and_no_further);
    tcase_add_test(tests, decoding_adds_nothing_behind_the_bytes);
    tcase_add_test(tests, every_character_at_every_place);
    tcase_add_test(tests, wrong_texts);
    tcase_add_test(tests, bits_of_no_byte_are_not_looked_at);
    tcase_add_test(tests, empty_text);
    tcase_add_test(tests, lengths_that_would_overflow);
    tcase_add_test(tests, long_input);
    suite_add_tcase(suite, tests);
    return suite;
}
