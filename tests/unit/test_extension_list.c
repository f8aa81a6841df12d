#include "codec/extension_list.h"

#include "codec/token_list.h"
#include "suites.h"
#include "support/guard_page.h"

#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static bool is_valid(const char *list, size_t length)
{
    char *copy = (char *)guard_page_copy(list, length + 1);
    bool valid;

    copy[length] = '\0';
    valid = extension_list_is_valid(copy);
    guard_page_free(copy, length + 1);
    return valid;
}

static const struct {
    const char *list;
    bool valid;
} lists[] = {
    /* One extension and several, in RFC 6455 section 9.1 and RFC 7692 section 7.1. */
    {"foo", true},
    {"x", true},
    {"foo, bar; baz=2", true},
    {"deflate-stream", true},
    {"mux; max-channels=4; flow-control, deflate-stream", true},
    {"private-extension", true},
    {"permessage-deflate", true},
    {"permessage-deflate; client_max_window_bits; server_max_window_bits=10", true},
    {"permessage-deflate; server_max_window_bits=10, permessage-deflate", true},
    {"!#$%&'*+-.^_`|~; a!=0", true},

    /* Optional white space. */
    {" foo ", true},
    {"\tfoo\t;\tbar\t=\t1\t,\tx\t", true},
    {"foo;bar=1;baz,x;y", true},
    {"foo ;bar", true},
    {"foo; bar = 1", true},
    {"foo; bar = \"1\" ; baz", true},
    {"foo bar", false},
    {"foo; bar baz", false},
    {"foo; bar=1 2", false},
    {"foo; bar=\"1\" 2", false},
    {"foo\r\n", false},
    {"foo;\r\n bar", false},
    {"foo\v", false},
    {"foo\x0c, bar", false},

    /* No element at all. */
    {"", false},
    {" ", false},
    {"\t \t", false},
    {",", false},
    {" , ,\t, ", false},

    /* Empty elements are passed over where there are others (RFC 9110 section 5.6.1). */
    {",foo", true},
    {"foo,", true},
    {"foo, , bar", true},
    {", ,\tfoo,,bar; baz,", true},
    {"foo; bar,", true},

    /* Stray semicolons. */
    {";", false},
    {";foo", false},
    {"foo;", false},
    {"foo; ", false},
    {"foo;;bar", false},
    {"foo; ;bar", false},
    {"foo;bar;", false},
    {"foo;bar=1;", false},
    {"foo;,bar", false},
    {"foo, ;bar", false},

    /* Stray equals signs. */
    {"=", false},
    {"=foo", false},
    {"foo=", false},
    {"foo=bar", false},
    {"foo;=", false},
    {"foo;=bar", false},
    {"foo;bar=", false},
    {"foo;bar= ", false},
    {"foo;bar=;baz", false},
    {"foo;bar=,baz", false},
    {"foo;bar==1", false},
    {"foo;bar=1=2", false},
    {"foo;bar=\"1=2\"", false},

    /* Quoted strings, of which the text without quotes and backslashes is a token. */
    {"foo;bar=\"1\"", true},
    {"foo;bar=\"value\";baz=\"2\", x;y=\"z\"", true},
    {"foo;bar=\"\\v\\a\\l\\u\\e\"", true},
    {"foo;bar=\"v\\alue\"", true},
    {"foo;bar=\"valu\\e\"", true},
    {"foo;bar=\"!#$%&'*+-.^_`|~\"", true},
    {"foo;bar=\"\"", false},
    {"foo;bar=\" \"", false},
    {"foo;bar=\"1 \"", false},
    {"foo;bar=\" 1\"", false},
    {"foo;bar=\"1\t2\"", false},
    {"foo;bar=\"1\\ 2\"", false},
    {"foo;bar=\"1,2\"", false},
    {"foo;bar=\"1\\,2\"", false},
    {"foo;bar=\"1;2\"", false},
    {"foo;bar=\"\\\"\"", false},
    {"foo;bar=\"a\\\"b\"", false},
    {"foo;bar=\"\\\\\"", false},
    {"foo;bar=\"a\\\\\"", false},
    {"foo;bar=\"\x80\"", false},
    {"foo;bar=\"\xff\"", false},
    {"foo;bar=\"\x7f\"", false},
    {"foo;bar=\"1\"2", false},
    {"foo;bar=1\"2\"", false},
    {"foo;bar=\"1\"\"2\"", false},
    {"foo;bar=\"1\"=2", false},

    /* Quotes where none belong. */
    {"\"foo\"", false},
    {"foo\"\"", false},
    {"foo \"bar\"", false},
    {"foo;\"bar\"", false},
    {"foo;\"bar\"=1", false},
    {"foo;bar \"1\"", false},

    /* Open quotes. */
    {"\"", false},
    {"foo\"", false},
    {"foo;\"", false},
    {"foo;bar=\"", false},
    {"foo;bar=\"1", false},
    {"foo;bar=\"1\\", false},
    {"foo;bar=\"1\\\"", false},
    {"foo;bar=\"\\", false},
    {"foo;bar=\"1, baz", false},
    {"foo;bar=1\"", false},
    {"foo;bar=\"1\"\"", false},
    {"foo;bar=\"1\", baz;x=\"", false},

    /* Backslashes outside of quotes, and what no token has. */
    {"\\", false},
    {"fo\\o", false},
    {"foo;b\\ar", false},
    {"foo;bar=\\1", false},
    {"foo/1", false},
    {"foo;bar:1", false},
    {"foo;bar=(1)", false},
    {"foo;bar=[1]", false},
    {"foo;b@r", false},
    {"f\xc3\xb6o", false},
    {"foo;bar=\x80", false},

    /* One bad element spoils the list. */
    {"foo bar, baz", false},
    {"foo, bar baz", false},
    {"foo, =, bar", false},
};

START_TEST(forms_of_lists)
{
    ck_assert_msg(is_valid(lists[_i].list, strlen(lists[_i].list)) == lists[_i].valid,
        "\"%s\" should be %s", lists[_i].list, lists[_i].valid ? "valid" : "refused");
}
END_TEST

/* Nothing is read behind the end, wherever that is; and what is valid can be added to. */
START_TEST(prefixes_of_lists)
{
    size_t length = strlen(lists[_i].list);
    char more[128];

    ck_assert_uint_lt(length + 2, sizeof(more));
    for (size_t i = 0; i <= length; i++) {
        memcpy(more, lists[_i].list, i);
        memcpy(more + i, ",x", 2);
        if (is_valid(lists[_i].list, i))
            ck_assert_msg(is_valid(more, i + 2), "the first %zu bytes of \"%s\" and \",x\"", i,
                lists[_i].list);
    }
}
END_TEST

/* What the prefixes of a list are, from the first byte to the last: 1 is valid. */
START_TEST(each_prefix_of_a_list)
{
    static const char list[] = "ab ; c = \"d\\e\" ;f=g , h";
    static const char valid[] = "011100110000001101011111";

    ck_assert_uint_eq(sizeof(list), sizeof(valid) - 1);
    for (size_t i = 0; i < sizeof(list); i++)
        ck_assert_msg(is_valid(list, i) == (valid[i] == '1'), "the first %zu bytes", i);
}
END_TEST

START_TEST(every_byte_at_every_place)
{
    for (int byte = 1; byte < 256; byte++) {
        bool token = token_character((unsigned char)byte);
        bool blank = byte == ' ' || byte == '\t';
        char text[16];
        const struct {
            const char *form;
            bool valid;
        } places[] = {
            {"%c", token},
            {"a%cb", token || byte == ',' || byte == ';'},
            {"a;%cb", token || blank},
            {"a;b%cc", token || byte == ',' || byte == ';' || byte == '='},
            {"a;b=c%c", token || blank || byte == ','},
            {"a;b=\"%c\"", token},
            {"a;b=\"\\%c\"", token},
            {"a;b=\"c\"%c", blank || byte == ','},
        };

        for (int i = 0; i < COUNT(places); i++) {
            const char *hole = strchr(places[i].form, '%');
            size_t before = (size_t)(hole - places[i].form);

            memcpy(text, places[i].form, before);
            text[before] = (char)byte;
            memcpy(text + before + 1, hole + 2, strlen(hole + 2) + 1);
            ck_assert_msg(is_valid(text, strlen(text)) == places[i].valid, "byte %d in \"%s\"",
                byte, places[i].form);
        }
    }
}
END_TEST

Suite *extension_list_suite(void)
{
    Suite *suite = suite_create("extension list");
    TCase *tests = tcase_create("extension list");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, forms_of_lists, 0, COUNT(lists));
    tcase_add_loop_test(tests, prefixes_of_lists, 0, COUNT(lists));
    tcase_add_test(tests, each_prefix_of_a_list);
    tcase_add_test(tests, every_byte_at_every_place);
    suite_add_tcase(suite, tests);
    return suite;
}
