#include "codec/extension_list.h"

#include "codec/token_list.h"
#include "suites.h"
#include "support/guard_page.h"

#include <stdio.h>
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

/* Adds what a list has, by the functions that read and those that write. */
static void write_again(const char *list, struct text *text)
{
    struct extension_element element;
    struct extension_parameter parameter;
    char name[64], value[64];

    while (extension_list_next(&list, &element)) {
        ck_assert_uint_lt(element.name_length, sizeof(name));
        memcpy(name, element.name, element.name_length);
        name[element.name_length] = '\0';
        ck_assert(extension_element_is(&element, name));
        ck_assert(extension_text_add_name(text, name));
        while (extension_parameter_next(&element, &parameter)) {
            size_t length = extension_value_copy(&parameter, value, sizeof(value));

            ck_assert_uint_lt(parameter.name_length, sizeof(name));
            memcpy(name, parameter.name, parameter.name_length);
            name[parameter.name_length] = '\0';
            ck_assert(extension_parameter_is(&parameter, name));
            ck_assert_uint_eq(length, strlen(value));
            ck_assert((length > 0) == (parameter.value != NULL));
            ck_assert(extension_text_add_parameter(text, name, length > 0 ? value : NULL));
        }
        ck_assert_ptr_eq(element.at, element.end);
    }
}

static const struct {
    const char *list;
    const char *written;
} readings[] = {
    {"foo", "foo"},
    {"x,y", "x, y"},
    {" ,\tfoo ,, bar\t,", "foo, bar"},
    {"foo;bar;baz=2", "foo; bar; baz=2"},
    {"foo ;\tbar\t;\tbaz = 2 , x;y", "foo; bar; baz=2, x; y"},
    {"foo; bar=\"1\"", "foo; bar=1"},
    {"foo; bar = \"value\" ; baz", "foo; bar=value; baz"},
    {"foo;bar=\"\\v\\a\\l\\u\\e\"", "foo; bar=value"},
    {"foo;bar=\"v\\alu\\e\",b", "foo; bar=value, b"},
    {"foo;bar=\"v\\a\",foo;bar=c", "foo; bar=va, foo; bar=c"},
    {"!#$%&'*+-.^_`|~;a=\"!#$%&'*+-.^_`|~\"", "!#$%&'*+-.^_`|~; a=!#$%&'*+-.^_`|~"},
    {"foo;bar;bar=1;bar", "foo; bar; bar=1; bar"},
    {"permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
        "permessage-deflate"},
};

START_TEST(what_is_read_is_written)
{
    size_t size = strlen(readings[_i].list) + 1;
    size_t room = strlen(readings[_i].written) + 1;
    char *list = (char *)guard_page_copy(readings[_i].list, size);
    char *written = (char *)guard_page_space(room);
    struct text text;

    ck_assert(extension_list_is_valid(list));
    text_init(&text, written, room);
    write_again(list, &text);
    ck_assert(!text.overflow);
    ck_assert_str_eq(written, readings[_i].written);
    ck_assert(extension_list_is_valid(written));
    guard_page_free(list, size);
    guard_page_free(written, room);
}
END_TEST

/* All that the validator lets through can be read and written, and reads the same then. */
START_TEST(what_is_valid_is_written)
{
    char once[256], twice[256];
    struct text text;

    if (!lists[_i].valid)
        return;
    text_init(&text, once, sizeof(once));
    write_again(lists[_i].list, &text);
    ck_assert(extension_list_is_valid(once));
    text_init(&text, twice, sizeof(twice));
    write_again(once, &text);
    ck_assert_str_eq(once, twice);
}
END_TEST

/* An extension whose memory ends with it, without a NUL. */
START_TEST(parameters_end_with_their_extension)
{
    static const char *const endings[] = {"; a", ";a=b", ";a=\"b\"", ";a=\"\\b\"", "; a = b"};
    static const char *const cut[] = {";", "; ", ";a=", ";a= ", ";a=\"", ";a=\"b", ";a=\"\\",
        ";a=\"b\\", ";a=\"\"", "a", "=", ""};

    for (int i = 0; i < COUNT(endings) + COUNT(cut); i++) {
        bool good = i < COUNT(endings);
        const char *text = good ? endings[i] : cut[i - COUNT(endings)];
        size_t length = strlen(text);
        char *copy = (char *)guard_page_copy(text, length);
        struct extension_element element = {"x", 1, copy, copy + length};
        struct extension_parameter parameter;

        ck_assert_msg(extension_parameter_next(&element, &parameter) == good, "\"%s\"", text);
        ck_assert_ptr_eq(element.at, good ? copy + length : copy);
        ck_assert(!extension_parameter_next(&element, &parameter));
        guard_page_free(copy, length);
    }
}
END_TEST

START_TEST(names_in_their_case)
{
    const char *list = "Foo; Bar=1";
    struct extension_element element;
    struct extension_parameter parameter;

    ck_assert(extension_list_next(&list, &element));
    ck_assert(extension_parameter_next(&element, &parameter));
    ck_assert(extension_element_is(&element, "Foo"));
    ck_assert(!extension_element_is(&element, "foo"));
    ck_assert(!extension_element_is(&element, "Fo"));
    ck_assert(!extension_element_is(&element, "Foo;"));
    ck_assert(!extension_element_is(&element, ""));
    ck_assert(extension_parameter_is(&parameter, "Bar"));
    ck_assert(!extension_parameter_is(&parameter, "bar"));
    ck_assert(!extension_parameter_is(&parameter, "Ba"));
    ck_assert(!extension_parameter_is(&parameter, "Bar="));
    ck_assert(!extension_list_next(&list, &element));
}
END_TEST

START_TEST(copies_of_values)
{
    static const struct {
        const char *value;
        const char *copy;
    } values[] = {{"1", "1"}, {"value", "value"}, {"\\v", "v"}, {"\\v\\a\\l", "val"},
        {"v\\al", "val"}, {"va\\l", "val"}};

    for (int i = 0; i < COUNT(values); i++) {
        size_t length = strlen(values[i].value);
        size_t expected = strlen(values[i].copy);
        char *value = (char *)guard_page_copy(values[i].value, length);
        struct extension_parameter parameter = {"x", 1, value, length};

        for (size_t size = 0; size < expected + 3; size++) {
            char *copy = (char *)guard_page_space(size);
            bool fits = expected < size;

            if (size > 0)
                memset(copy, 'x', size);
            ck_assert_uint_eq(extension_value_copy(&parameter, copy, size), fits ? expected : 0);
            if (size > 0)
                ck_assert_str_eq(copy, fits ? values[i].copy : "");
            guard_page_free(copy, size);
        }
        guard_page_free(value, length);
    }
}
END_TEST

START_TEST(value_that_is_not_there)
{
    struct extension_parameter parameter = {"x", 1, NULL, 0};
    char copy[] = "before";

    ck_assert_uint_eq(extension_value_copy(&parameter, copy, sizeof(copy)), 0);
    ck_assert_str_eq(copy, "");
    ck_assert_uint_eq(extension_value_copy(&parameter, NULL, 0), 0);
}
END_TEST

/* A byte that no token has spoils a name and a value, wherever in it, and nothing is added. */
START_TEST(only_tokens_are_written)
{
    for (int byte = 0; byte < 256; byte++) {
        const char words[][4] = {{(char)byte, '\0'}, {(char)byte, 'a', '\0'},
            {'a', (char)byte, '\0'}, {'a', (char)byte, 'b', '\0'}};

        for (int i = 0; i < COUNT(words); i++) {
            bool good = byte != 0 ? token_character((unsigned char)byte) : i > 1;
            char bytes[64], expected[64];
            struct text text;

            text_init(&text, bytes, sizeof(bytes));
            ck_assert_msg(extension_text_add_name(&text, words[i]) == good, "byte %d", byte);
            ck_assert_str_eq(bytes, good ? words[i] : "");
            text_init(&text, bytes, sizeof(bytes));
            ck_assert(extension_text_add_name(&text, "x"));
            ck_assert(extension_text_add_name(&text, words[i]) == good);
            ck_assert(extension_text_add_parameter(&text, words[i], NULL) == good);
            ck_assert(extension_text_add_parameter(&text, words[i], "v") == good);
            ck_assert(extension_text_add_parameter(&text, "p", words[i]) == good);
            ck_assert(extension_text_add_parameter(&text, words[i], words[i]) == good);
            snprintf(expected, sizeof(expected), "x, %s; %s; %s=v; p=%s; %s=%s", words[i], words[i],
                words[i], words[i], words[i], words[i]);
            ck_assert_str_eq(bytes, good ? expected : "x");
            ck_assert(!text.overflow);
        }
    }
}
END_TEST

START_TEST(no_parameter_without_an_extension)
{
    char bytes[16];
    struct text text;

    text_init(&text, bytes, sizeof(bytes));
    ck_assert(!extension_text_add_parameter(&text, "a", "b"));
    ck_assert(!extension_text_add_parameter(&text, "a", NULL));
    ck_assert_str_eq(bytes, "");
    ck_assert(!text.overflow);
}
END_TEST

/* What does not fit is left out whole, and so is what comes after it. */
START_TEST(room_for_a_list)
{
    static const char *const steps[] = {"a", "a, bc", "a, bc; d", "a, bc; d; ef=gh"};

    for (size_t size = 0; size <= sizeof("a, bc; d; ef=gh"); size++) {
        char *bytes = (char *)guard_page_space(size);
        struct text text;
        int fitting = 0;

        while (fitting < COUNT(steps) && strlen(steps[fitting]) < size)
            fitting++;
        text_init(&text, bytes, size);
        ck_assert(extension_text_add_name(&text, "a") == (fitting > 0));
        ck_assert(extension_text_add_name(&text, "bc") == (fitting > 1));
        ck_assert(extension_text_add_parameter(&text, "d", NULL) == (fitting > 2));
        ck_assert(extension_text_add_parameter(&text, "ef", "gh") == (fitting > 3));
        ck_assert(text.overflow == (fitting < COUNT(steps)));
        if (size > 0)
            ck_assert_str_eq(bytes, fitting > 0 ? steps[fitting - 1] : "");
        if (text.overflow)
            ck_assert(!extension_text_add_name(&text, "i"));
        guard_page_free(bytes, size);
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
    tcase_add_loop_test(tests, what_is_read_is_written, 0, COUNT(readings));
    tcase_add_loop_test(tests, what_is_valid_is_written, 0, COUNT(lists));
    tcase_add_test(tests, parameters_end_with_their_extension);
    tcase_add_test(tests, names_in_their_case);
    tcase_add_test(tests, copies_of_values);
    tcase_add_test(tests, value_that_is_not_there);
    tcase_add_test(tests, only_tokens_are_written);
    tcase_add_test(tests, no_parameter_without_an_extension);
    tcase_add_test(tests, room_for_a_list);
    suite_add_tcase(suite, tests);
    return suite;
}
