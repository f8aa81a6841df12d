#include "suites.h"

#include "codec/mask.h"
#include "support/guard_page.h"
#include "support/random_sequence.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTHS = 130, ALIGNMENTS = 16 };

static void mask_plainly(
    unsigned char *bytes, size_t length, const unsigned char key[4], unsigned int at)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] ^= key[(at + i) % 4];
}

START_TEST(example_of_the_rfc)
{
    static const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
    static const unsigned char masked[5] = {0x7f, 0x9f, 0x4d, 0x51, 0x58};
    unsigned char bytes[5];

    memcpy(bytes, "Hello", 5);
    ck_assert_uint_eq(mask_apply(bytes, 5, key, 0), 1);
    ck_assert_mem_eq(bytes, masked, 5);
    ck_assert_uint_eq(mask_apply(bytes, 5, key, 0), 1);
    ck_assert_mem_eq(bytes, "Hello", 5);
}
END_TEST

START_TEST(every_alignment_length_and_place_in_the_key)
{
    struct random_sequence random = {1};
    unsigned char key[4];
    unsigned char expected[ALIGNMENTS + LENGTHS + 1];
    unsigned char *space = NULL;

    if (posix_memalign((void **)&space, 64, sizeof expected) != 0)
        ck_abort_msg("out of memory");
    for (size_t length = 0; length < LENGTHS; length++) {
        for (size_t start = 0; start < ALIGNMENTS; start++) {
            for (unsigned int at = 0; at < 4; at++) {
                unsigned int after;

                random_bytes(&random, key, sizeof key);
                random_bytes(&random, expected, sizeof expected);
                memcpy(space, expected, sizeof expected);
                mask_plainly(expected + start, length, key, at);
                after = mask_apply(space + start, length, key, at);
                if (after != (at + length) % 4 || memcmp(space, expected, sizeof expected) != 0)
                    ck_abort_msg("length %zu, start %zu, at %u", length, start, at);
            }
        }
    }
    free(space);
}
END_TEST

START_TEST(every_split_into_two)
{
    struct random_sequence random = {2};
    unsigned char key[4];
    unsigned char bytes[LENGTHS];
    unsigned char expected[LENGTHS];

    random_bytes(&random, key, sizeof key);
    for (unsigned int at = 0; at < 4; at++) {
        for (size_t split = 0; split <= LENGTHS; split++) {
            unsigned int place;

            random_bytes(&random, bytes, sizeof bytes);
            memcpy(expected, bytes, sizeof bytes);
            mask_plainly(expected, sizeof expected, key, at);
            place = mask_apply(bytes, split, key, at);
            mask_apply(bytes + split, LENGTHS - split, key, place);
            if (memcmp(bytes, expected, sizeof bytes) != 0)
                ck_abort_msg("at %u, split %zu", at, split);
        }
    }
}
END_TEST

START_TEST(byte_by_byte)
{
    struct random_sequence random = {3};
    unsigned char key[4];
    unsigned char bytes[LENGTHS];
    unsigned char expected[LENGTHS];
    unsigned int place = 3;

    random_bytes(&random, key, sizeof key);
    random_bytes(&random, bytes, sizeof bytes);
    memcpy(expected, bytes, sizeof bytes);
    mask_plainly(expected, sizeof expected, key, place);
    for (size_t i = 0; i < sizeof bytes; i++)
        place = mask_apply(bytes + i, 1, key, place);
    ck_assert_mem_eq(bytes, expected, sizeof bytes);
    ck_assert_uint_eq(place, (3 + LENGTHS) % 4);
}
END_TEST

START_TEST(nothing_behind_the_end_is_touched)
{
    struct random_sequence random = {4};
    unsigned char key[4];
    unsigned char expected[LENGTHS] = {0};

    random_bytes(&random, key, sizeof key);
    for (size_t length = 0; length < LENGTHS; length++) {
        unsigned char *bytes;

        random_bytes(&random, expected, length);
        bytes = guard_page_copy(expected, length);
        mask_plainly(expected, length, key, 1);
        ck_assert_uint_eq(mask_apply(bytes, length, key, 1), (1 + length) % 4);
        ck_assert(memcmp(bytes, expected, length) == 0);
        guard_page_free(bytes, length);
    }
}
END_TEST

START_TEST(long_payload)
{
    enum { LONG = (1 << 20) + 13 };
    struct random_sequence random = {5};
    unsigned char key[4];
    unsigned char *bytes = malloc(LONG);
    unsigned char *expected = malloc(LONG);

    ck_assert_ptr_nonnull(bytes);
    ck_assert_ptr_nonnull(expected);
    random_bytes(&random, key, sizeof key);
    random_bytes(&random, bytes, LONG);
    memcpy(expected, bytes, LONG);
    mask_plainly(expected, LONG, key, 2);
    ck_assert_uint_eq(mask_apply(bytes, LONG, key, 2), (2 + LONG) % 4);
    ck_assert(memcmp(bytes, expected, LONG) == 0);
    free(bytes);
    free(expected);
}
END_TEST

Suite *mask_suite(void)
{
    Suite *suite = suite_create("mask");
    TCase *tests = tcase_create("mask");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, example_of_the_rfc);
    tcase_add_test(tests, every_alignment_length_and_place_in_the_key);
    tcase_add_test(tests, every_split_into_two);
    tcase_add_test(tests, byte_by_byte);
    tcase_add_test(tests, nothing_behind_the_end_is_touched);
    tcase_add_test(tests, long_payload);
    suite_add_tcase(suite, tests);
    return suite;
}
