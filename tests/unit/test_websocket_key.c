#include "suites.h"

#include "codec/websocket_key.h"
#include "support/guard_page.h"

#include <stdlib.h>
#include <string.h>

static bool is_valid(const char *key)
{
    size_t size = strlen(key) + 1;
    char *copy = (char *)guard_page_copy(key, size);
    bool valid = websocket_key_is_valid(copy);

    guard_page_free(copy, size);
    return valid;
}

START_TEST(valid_keys)
{
    static const char *const keys[] = {"dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==",
        "/////////////////////w==", "x3JJHMbDL1EzLkh9GBhXDw==", "+/+/+/+/+/+/+/+/+/+/EA=="};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        ck_assert_msg(is_valid(keys[i]), "%s", keys[i]);
}
END_TEST

START_TEST(wrong_keys)
{
    static const char *const keys[] = {
        "",
        "=",
        "==",
        "dGhlIHNhbXBsZSBub25jZQ",    /* no padding */
        "dGhlIHNhbXBsZSBub25jZQ=",   /* half of it */
        "dGhlIHNhbXBsZSBub25jZQ===", /* too much */
        "dGhlIHNhbXBsZSBub25jZQ== ",
        " dGhlIHNhbXBsZSBub25jZQ==",
        " GhlIHNhbXBsZSBub25jZQ==", /* 24 characters with the space */
        "\tGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZQ=\n",
        "dGhlIHNhbXBsZSBub25j\n\n\n\n",
        "dGhlIHNhbXBsZSBub25jZWU=", /* 17 bytes */
        "dGhlIHNhbXBsZSBub25jZWVl", /* 18 bytes */
        "dGhlIHNhbXBsZSBub25j",     /* 15 bytes */
        "dGhlIHNhbXBsZSBub25jZWVlZWVl",
        "dGhlIHNh=XBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25j=Q==",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25j====",
        "dGhlIHNh-XBsZSBub25jZQ==",
        "dGhlIHNh_XBsZSBub25jZQ==",
        "dGhlIHNhbXBs\x80SBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==",
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        ck_assert_msg(!is_valid(keys[i]), "%s", keys[i]);
}
END_TEST

START_TEST(every_length_of_key)
{
    char key[64];

    for (size_t length = 0; length < sizeof key - 2; length++) {
        memset(key, 'A', length);
        memcpy(key + length, "==", 3);
        ck_assert_int_eq(is_valid(key), length == 22);
    }
}
END_TEST

START_TEST(accept_values)
{
    static const char *const pairs[][2] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
        {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},
        {"/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="},
        {"AAECAwQFBgcICQoLDA0ODw==", "Bz3qJYTGdOe8gUSpLosEdiLKDrk="},
        {"+/+/+/+/+/+/+/+/+/+/EA==", "BNzRhzTzB1JxUjW+w+dl/FVIwkA="},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char *accept = (char *)guard_page_space(WEBSOCKET_ACCEPT_SIZE);

        ck_assert(websocket_accept(pairs[i][0], accept));
        ck_assert_str_eq(accept, pairs[i][1]);
        guard_page_free(accept, WEBSOCKET_ACCEPT_SIZE);
    }
}
END_TEST

START_TEST(key_of_any_length_is_hashed_whole)
{
    enum { LONG = 1 << 16 };
    char *key = malloc(LONG + 1);
    char first[WEBSOCKET_ACCEPT_SIZE];
    char second[WEBSOCKET_ACCEPT_SIZE];

    ck_assert_ptr_nonnull(key);
    memset(key, 'k', LONG);
    key[LONG] = '\0';
    ck_assert(websocket_accept(key, first));
    key[LONG - 1] = 'l';
    ck_assert(websocket_accept(key, second));
    ck_assert_uint_eq(strlen(first), WEBSOCKET_ACCEPT_SIZE - 1);
    ck_assert_str_ne(first, second);
    free(key);
}
END_TEST

Suite *websocket_key_suite(void)
{
    Suite *suite = suite_create("websocket_key");
    TCase *tests = tcase_create("websocket_key");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, valid_keys);
    tcase_add_test(tests, wrong_keys);
    tcase_add_test(tests, every_length_of_key);
    tcase_add_test(tests, accept_values);
    tcase_add_test(tests, key_of_any_length_is_hashed_whole);
    suite_add_tcase(suite, tests);
    return suite;
}
