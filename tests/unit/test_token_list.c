#include "codec/token_list.h"

#include "suites.h"
#include "support/guard_page.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const char token_bytes[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

START_TEST(every_byte)
{
    for (int byte = 0; byte < 256; byte++) {
        bool expected = byte != 0 && strchr(token_bytes, byte) != NULL;
        char text[3] = {'a', (char)byte, 'b'};

        ck_assert_msg(token_character((unsigned char)byte) == expected, "byte %d", byte);
        ck_assert_msg(token_is_valid(text, 3) == expected, "byte %d in a token", byte);
        ck_assert_msg(token_is_valid(text + 1, 1) == expected, "byte %d alone", byte);
    }
    ck_assert(!token_is_valid("", 0));
    ck_assert(token_is_valid("chat", 4));
}
END_TEST

START_TEST(nothing_behind_is_read)
{
    unsigned char *token = guard_page_copy("upgrade", 7);
    unsigned char *nothing = guard_page_copy(NULL, 0);

    ck_assert(token_is_valid((const char *)token, 7));
    ck_assert(token_equal((const char *)token, 7, "Upgrade"));
    ck_assert(!token_equal((const char *)token, 7, "Upgraded"));
    ck_assert(!token_is_valid((const char *)nothing, 0));
    ck_assert(token_equal((const char *)nothing, 0, ""));
    guard_page_free(token, 7);
    guard_page_free(nothing, 0);
}
END_TEST

/* The elements are joined by '^', which none of the lists has. */
static const struct {
    const char *list;
    const char *elements;
} lists[] = {
    {"", ""},
    {" ", ""},
    {"\t \t", ""},
    {",", ""},
    {" , ,, ,\t,", ""},
    {"a", "a"},
    {" a ", "a"},
    {"a,b", "a^b"},
    {"a , b", "a^b"},
    {"\ta\t,\tb\t", "a^b"},
    {",a,,b,", "a^b"},
    {", , a ,, , b , ,", "a^b"},
    {"a b,c", "a b^c"},
    {"a;q=1, b;q=0.5", "a;q=1^b;q=0.5"},
    {"permessage-deflate; client_max_window_bits, x",
        "permessage-deflate; client_max_window_bits^x"},
    {"\"a,b\",c", "\"a,b\"^c"},
    {"a;x=\"1,2\";y=3,b", "a;x=\"1,2\";y=3^b"},
    {"a;x=\"\\\"\",b", "a;x=\"\\\"\"^b"},
    {"a;x=\"\\\",b\",c", "a;x=\"\\\",b\"^c"},
    {"a;x=\"\\\\\",b", "a;x=\"\\\\\"^b"},
    {"a\\,b", "a\\^b"},
    {"\"a,b", "\"a,b"},
    {"\"a,b ", "\"a,b"},
    {"a;x=\"\\", "a;x=\"\\"},
    {"a;x=\"\\,b", "a;x=\"\\,b"},
    {"\"", "\""},
    {"\"\"", "\"\""},
    {"\"\",\"", "\"\"^\""},
    {"\x80\xff,\xe9", "\x80\xff^\xe9"},
};

START_TEST(elements_of_lists)
{
    size_t size = strlen(lists[_i].list) + 1;
    char *copy = (char *)guard_page_copy(lists[_i].list, size);
    const char *cursor = copy;
    const char *element;
    size_t length;
    char joined[128] = "";

    while (token_list_next(&cursor, &element, &length)) {
        size_t used = strlen(joined);

        ck_assert(element >= copy && element + length <= copy + size - 1);
        ck_assert_uint_gt(length, 0);
        snprintf(joined + used, sizeof(joined) - used, "%s%.*s", used != 0 ? "^" : "", (int)length,
            element);
    }
    ck_assert_str_eq(joined, lists[_i].elements);
    ck_assert(!token_list_next(&cursor, &element, &length));
    guard_page_free(copy, size);
}
END_TEST

static const struct {
    const char *list;
    const char *token;
    bool has;
} searches[] = {
    {"upgrade", "upgrade", true},
    {"Upgrade", "upgrade", true},
    {"UPGRADE", "Upgrade", true},
    {"keep-alive, Upgrade", "upgrade", true},
    {"Upgrade,keep-alive", "upgrade", true},
    {",,\tupgrade\t,,", "upgrade", true},
    {"upgrade, upgrade", "upgrade", true},
    {"", "upgrade", false},
    {"upgrad", "upgrade", false},
    {"upgrades", "upgrade", false},
    {"xupgrade", "upgrade", false},
    {"up grade", "upgrade", false},
    {"upgrade;q=1", "upgrade", false},
    {"upgrade websocket", "upgrade", false},
    {"\"upgrade\"", "upgrade", false},
    {"\"x, upgrade\"", "upgrade", false},
    {"\"x, upgrade", "upgrade", false},
    {"\"x\", upgrade", "upgrade", true},
    /* Bytes that differ only in the bit that tells the cases of letters apart. */
    {"@", "`", false},
    {"[", "{", false},
    {"^", "~", false},
    {"\xc3", "\xe3", false},
    {"upgrade\x0b", "upgrade", false},
};

START_TEST(searches_in_lists)
{
    size_t size = strlen(searches[_i].list) + 1;
    char *copy = (char *)guard_page_copy(searches[_i].list, size);

    ck_assert(token_list_has(copy, searches[_i].token) == searches[_i].has);
    guard_page_free(copy, size);
}
END_TEST

Suite *token_list_suite(void)
{
    Suite *suite = suite_create("token list");
    TCase *tests = tcase_create("token list");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_byte);
    tcase_add_test(tests, nothing_behind_is_read);
    tcase_add_loop_test(tests, elements_of_lists, 0, COUNT(lists));
    tcase_add_loop_test(tests, searches_in_lists, 0, COUNT(searches));
    suite_add_tcase(suite, tests);
    return suite;
}
