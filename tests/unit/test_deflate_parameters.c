#include "deflate_cases.h"
#include "suites.h"
#include "support/guard_page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Reads a field with one extension, whose bytes lie at the end of what may be read. */
static bool read_field(
    const char *field, size_t length, bool is_answer, struct deflate_parameters *parameters)
{
    char *copy = (char *)guard_page_copy(field, length + 1);
    const char *cursor = copy;
    struct extension_element element;
    bool good;

    copy[length] = '\0';
    if (!extension_list_is_valid(copy))
        ck_abort_msg("\"%s\" is not a field", field);
    if (!extension_list_next(&cursor, &element) ||
        !extension_element_is(&element, deflate_extension_name))
        ck_abort_msg("\"%s\" is something else", field);
    good = deflate_parameters_read(element, is_answer, parameters);
    guard_page_free(copy, length + 1);
    return good;
}

static void expect_refused(const char *field)
{
    struct deflate_parameters parameters;

    for (int is_answer = 0; is_answer < 2; is_answer++) {
        if (read_field(field, strlen(field), is_answer, &parameters))
            ck_abort_msg("\"%s\" was read as an %s", field, is_answer ? "answer" : "offer");
    }
}

static const struct {
    const char *field;
    bool good_offer;
    bool good_answer;
    struct deflate_parameters parameters;
} fields[] = {
    {"permessage-deflate", true, true, {false, false, 0, 0}},
    {"permessage-deflate; server_no_context_takeover", true, true, {true, false, 0, 0}},
    {"permessage-deflate; client_no_context_takeover", true, true, {false, true, 0, 0}},
    {"permessage-deflate; server_max_window_bits=10", true, true, {false, false, 10, 0}},
    {"permessage-deflate; client_max_window_bits=10", true, true, {false, false, 0, 10}},
    {"permessage-deflate; client_max_window_bits", true, false, {false, false, 0, ANY}},
    {"permessage-deflate; client_max_window_bits; server_max_window_bits=10", true, false,
        {false, false, 10, ANY}},
    {"permessage-deflate;client_no_context_takeover;server_no_context_takeover;"
     "client_max_window_bits=8;server_max_window_bits=15",
        true, true, {true, true, 15, 8}},
    {"permessage-deflate ;\tserver_max_window_bits = \"1\\2\" ; client_max_window_bits = \"\\9\"",
        true, true, {false, false, 12, 9}},

    {"permessage-deflate; server_max_window_bits", false, false, {0}},
    {"permessage-deflate; server_no_context_takeover=1", false, false, {0}},
    {"permessage-deflate; server_no_context_takeover=true", false, false, {0}},
    {"permessage-deflate; client_no_context_takeover=\"1\"", false, false, {0}},
    {"permessage-deflate; client_max_window_bits; client_max_window_bits", false, false, {0}},
    {"permessage-deflate; client_max_window_bits; client_max_window_bits=9", false, false, {0}},
    {"permessage-deflate; client_max_window_bits=9; client_max_window_bits", false, false, {0}},
    {"permessage-deflate; max_window_bits=10", false, false, {0}},
    {"permessage-deflate; x", false, false, {0}},
    {"permessage-deflate; 10", false, false, {0}},
};

START_TEST(fields_as_offers_and_answers)
{
    for (int is_answer = 0; is_answer < 2; is_answer++) {
        const char *field = fields[_i].field;
        bool expected = is_answer ? fields[_i].good_answer : fields[_i].good_offer;
        struct deflate_parameters parameters;

        ck_assert_msg(
            read_field(field, strlen(field), is_answer, &parameters) == expected, "%s", field);
        if (expected)
            EXPECT(equal(&parameters, &fields[_i].parameters), &parameters, &fields[_i].parameters);
    }
}
END_TEST

/* A value as a token, in quotes, and with each of its bytes escaped. */
static void spell(char *field, size_t size, const char *name, const char *value, int spelling)
{
    struct text text;

    text_init(&text, field, size);
    text_add(&text, "permessage-deflate; %s=%s", name, spelling > 0 ? "\"" : "");
    for (; *value != '\0'; value++)
        text_add(&text, "%s%c", spelling > 1 ? "\\" : "", *value);
    text_add(&text, "%s", spelling > 0 ? "\"" : "");
    ck_assert(!text.overflow);
}

/* `bits` is 0 for a value that is refused. */
static void check_value(const char *value, int bits)
{
    for (int number = 0; number < 2 * 3 * 2; number++) {
        bool server = number % 2;
        bool is_answer = number / 6;
        char field[256];
        struct deflate_parameters parameters;
        const unsigned char *read =
            server ? &parameters.server_max_window_bits : &parameters.client_max_window_bits;

        spell(field, sizeof(field), server ? "server_max_window_bits" : "client_max_window_bits",
            value, number / 2 % 3);
        if (read_field(field, strlen(field), is_answer, &parameters) != (bits > 0))
            ck_abort_msg("\"%s\"", field);
        if (bits > 0 && *read != bits)
            ck_abort_msg("\"%s\" read as %d", field, *read);
    }
}

START_TEST(every_number)
{
    static const char *const prefixes[] = {"0", "00", "+", "-", "0x", "1"};
    static const char *const suffixes[] = {"0", ".", ".0", "e0", "-", "x", "#"};
    char value[32];

    for (int number = 0; number <= 300; number++) {
        snprintf(value, sizeof(value), "%d", number);
        check_value(value, number >= 8 && number <= 15 ? number : 0);
    }
    for (int number = 8; number <= 15; number++) {
        for (int i = 0; i < COUNT(prefixes); i++) {
            snprintf(value, sizeof(value), "%s%d", prefixes[i], number);
            check_value(value, 0);
        }
        for (int i = 0; i < COUNT(suffixes); i++) {
            snprintf(value, sizeof(value), "%d%s", number, suffixes[i]);
            check_value(value, 0);
        }
    }
    for (unsigned long long base = 256; base != 0; base <<= 8) {
        snprintf(value, sizeof(value), "%llu", base + 10);
        check_value(value, 0);
    }
    for (int length = 1; length < 31; length++) {
        memset(value, '8', (size_t)length);
        value[length] = '\0';
        check_value(value, length == 1 ? 8 : 0);
    }
}
END_TEST

START_TEST(every_byte_as_a_digit)
{
    for (int byte = 1; byte < 256; byte++) {
        char value[3] = {(char)byte, '\0', '\0'};

        /* Others make no field at all. */
        if (!isalnum(byte) && !strchr("!#$%&'*+-.^_`|~", byte))
            continue;
        check_value(value, byte == '8' || byte == '9' ? byte - '0' : 0);
        value[0] = '1';
        value[1] = (char)byte;
        check_value(value, byte >= '0' && byte <= '5' ? 10 + byte - '0' : 0);
    }
}
END_TEST

/* All orders of all of the parameters; of each four, the first `count` are there. */
START_TEST(orders_and_repetitions)
{
    static const char *const names[] = {"server_no_context_takeover", "client_no_context_takeover",
        "server_max_window_bits=11", "client_max_window_bits=12"};
    const struct deflate_parameters all = {true, true, 11, 12};

    for (int order = 0; order < 4 * 4 * 4 * 4; order++) {
        int chosen[4] = {order % 4, order / 4 % 4, order / 16 % 4, order / 64};

        for (int count = 0; count <= 4; count++) {
            bool there[4] = {false};
            bool twice = false;
            char field[256];
            struct text text;
            struct deflate_parameters read;
            struct deflate_parameters expected = {0};

            text_init(&text, field, sizeof(field));
            text_add(&text, "permessage-deflate");
            for (int i = 0; i < count; i++) {
                text_add(&text, "; %s", names[chosen[i]]);
                twice = twice || there[chosen[i]];
                there[chosen[i]] = true;
            }
            ck_assert(!text.overflow);
            if (twice) {
                expect_refused(field);
                continue;
            }
            expected.server_no_context_takeover = there[0];
            expected.client_no_context_takeover = there[1];
            expected.server_max_window_bits = there[2] ? 11 : 0;
            expected.client_max_window_bits = there[3] ? 12 : 0;
            for (int is_answer = 0; is_answer < 2; is_answer++) {
                ck_assert(read_field(field, text.length, is_answer, &read));
                EXPECT(equal(&read, &expected), &read, &expected);
                if (count == 4)
                    EXPECT(equal(&read, &all), &read, &all);
            }
        }
    }
}
END_TEST

/* One that is not known spoils the others, wherever it stands; and there is but one way to write a
 * name. */
START_TEST(unknown_parameters)
{
    static const char *const names[] = {"server_no_context_takeover", "client_no_context_takeover",
        "server_max_window_bits", "client_max_window_bits"};

    for (int i = 0; i < COUNT(names); i++) {
        const char *value = i > 1 ? "=10" : "";
        size_t length = strlen(names[i]);
        char name[64], field[256];

        for (size_t cut = 1; cut < length; cut++) {
            snprintf(field, sizeof(field), "permessage-deflate; %.*s%s", (int)cut, names[i], value);
            expect_refused(field);
            snprintf(field, sizeof(field), "permessage-deflate; %s%s", names[i] + cut, value);
            expect_refused(field);
        }
        for (size_t at = 0; at < length; at++) {
            snprintf(name, sizeof(name), "%s", names[i]);
            name[at] =
                (char)(islower((unsigned char)name[at]) ? toupper((unsigned char)name[at]) : '-');
            snprintf(field, sizeof(field), "permessage-deflate; %s%s", name, value);
            expect_refused(field);
        }
        snprintf(field, sizeof(field), "permessage-deflate; %ss%s", names[i], value);
        expect_refused(field);
        snprintf(field, sizeof(field), "permessage-deflate; x; %s%s", names[i], value);
        expect_refused(field);
        snprintf(field, sizeof(field), "permessage-deflate; %s%s; x=1", names[i], value);
        expect_refused(field);
    }
}
END_TEST

/* Parameters whose form is broken are refused, even if nobody has looked at the list before. */
START_TEST(broken_form)
{
    static const char *const rests[] = {";",
        "; =", ";server_max_window_bits=", ";client_max_window_bits=\"",
        ";client_max_window_bits=\"1", ";client_max_window_bits 1", ";client_max_window_bits=\"1\\",
        ";server_no_context_takeover;", "x"};

    for (int i = 0; i < COUNT(rests); i++) {
        size_t length = strlen(rests[i]);
        char *copy = (char *)guard_page_copy(rests[i], length);
        struct extension_element element = {
            deflate_extension_name, strlen(deflate_extension_name), copy, copy + length};
        struct deflate_parameters parameters;

        ck_assert_msg(!deflate_parameters_read(element, false, &parameters), "%s", rests[i]);
        ck_assert_msg(!deflate_parameters_read(element, true, &parameters), "%s", rests[i]);
        guard_page_free(copy, length);
    }
}
END_TEST

/* Writes into room that ends at a page that may not be touched; gives the length back. */
static size_t write_field(const struct deflate_parameters *parameters, char *field, size_t size)
{
    struct text measure, text;
    char *space;

    text_init(&measure, field, size);
    ck_assert(deflate_parameters_write(parameters, &measure));
    for (size_t room = measure.length; room <= measure.length + 1; room++) {
        bool fits = room > measure.length;

        space = (char *)guard_page_space(room);
        text_init(&text, space, room);
        EXPECT(deflate_parameters_write(parameters, &text) == fits, parameters, parameters);
        EXPECT(text.overflow == !fits, parameters, parameters);
        EXPECT(strcmp(space, fits ? field : "") == 0, parameters, parameters);
        EXPECT(text.length == (fits ? measure.length : 0), parameters, parameters);
        guard_page_free(space, room);
    }
    return measure.length;
}

START_TEST(what_is_written_is_read)
{
    for (int number = 0; number < OFFERS; number++) {
        struct deflate_parameters written = numbered(number);
        struct deflate_parameters read;
        char field[256];
        size_t length = write_field(&written, field, sizeof(field));
        bool good_answer = written.client_max_window_bits != ANY;

        EXPECT(read_field(field, length, false, &read), &written, &written);
        EXPECT(equal(&read, &written), &read, &written);
        EXPECT(read_field(field, length, true, &read) == good_answer, &written, &written);
        if (good_answer)
            EXPECT(equal(&read, &written), &read, &written);
    }
}
END_TEST

START_TEST(written_text)
{
    const struct deflate_parameters all = {true, true, 10, 9};
    const struct deflate_parameters limited = {false, false, 10, ANY};
    const struct deflate_parameters plain = {0};
    char field[256];
    struct text text;

    text_init(&text, field, sizeof(field));
    ck_assert(deflate_parameters_write(&limited, &text));
    ck_assert(deflate_parameters_write(&plain, &text));
    ck_assert_str_eq(field,
        "permessage-deflate; server_max_window_bits=10; client_max_window_bits, "
        "permessage-deflate");
    text_init(&text, field, sizeof(field));
    ck_assert(extension_text_add_name(&text, "x"));
    ck_assert(deflate_parameters_write(&all, &text));
    ck_assert_str_eq(field,
        "x, permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        "server_max_window_bits=10; client_max_window_bits=9");
    /* Behind something else, all of it is there or none. */
    for (size_t size = 2; size <= text.length; size++) {
        char *space = (char *)guard_page_space(size);
        struct text small;

        text_init(&small, space, size);
        ck_assert(extension_text_add_name(&small, "x"));
        ck_assert(!deflate_parameters_write(&all, &small));
        ck_assert(small.overflow);
        ck_assert_str_eq(space, "x");
        ck_assert_uint_eq(small.length, 1);
        guard_page_free(space, size);
    }
    text_init(&text, NULL, 0);
    ck_assert(!deflate_parameters_write(&all, &text));
}
END_TEST

Suite *deflate_parameters_suite(void)
{
    Suite *suite = suite_create("deflate parameters");
    TCase *tests = tcase_create("deflate parameters");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, fields_as_offers_and_answers, 0, COUNT(fields));
    tcase_add_test(tests, every_number);
    tcase_add_test(tests, every_byte_as_a_digit);
    tcase_add_test(tests, orders_and_repetitions);
    tcase_add_test(tests, unknown_parameters);
    tcase_add_test(tests, broken_form);
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, written_text);
    suite_add_tcase(suite, tests);
    return suite;
}
