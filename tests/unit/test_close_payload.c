#include "suites.h"

#include "codec/close_payload.h"
#include "support/guard_page.h"

#include <string.h>

enum { PAYLOAD_MAX = 125 };

/* The registered codes that may be sent, and the two ranges for libraries and applications. */
static bool is_on_the_list(unsigned int code)
{
    static const unsigned int sendable[] = {
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};

    for (size_t i = 0; i < sizeof sendable / sizeof sendable[0]; i++) {
        if (code == sendable[i])
            return true;
    }
    return code / 1000 == 3 || code / 1000 == 4;
}

static enum close_payload_status decode(const void *bytes, size_t length, unsigned int *code)
{
    unsigned char *payload = guard_page_copy(bytes, length);
    enum close_payload_status status = close_payload_decode(payload, length, code);

    guard_page_free(payload, length);
    return status;
}

START_TEST(every_code)
{
    for (unsigned int code = 0; code <= 0xffff; code++) {
        unsigned char payload[2] = {(unsigned char)(code / 256), (unsigned char)(code % 256)};
        unsigned int read = 0;
        enum close_payload_status status = close_payload_decode(payload, 2, &read);

        if (close_code_is_valid(code) != is_on_the_list(code))
            ck_abort_msg("code %u", code);
        if (status != (is_on_the_list(code) ? CLOSE_PAYLOAD_GOOD : CLOSE_PAYLOAD_BAD_CODE))
            ck_abort_msg("code %u: status %d", code, (int)status);
        if (status == CLOSE_PAYLOAD_GOOD && read != code)
            ck_abort_msg("code %u read as %u", code, read);
    }
    ck_assert(!close_code_is_valid(65536 + 1000));
}
END_TEST

START_TEST(empty_payload)
{
    unsigned int code = 0;

    ck_assert_int_eq(close_payload_decode(NULL, 0, &code), CLOSE_PAYLOAD_GOOD);
    ck_assert_uint_eq(code, CLOSE_NO_STATUS);
    code = 0;
    ck_assert_int_eq(decode("", 0, &code), CLOSE_PAYLOAD_GOOD);
    ck_assert_uint_eq(code, CLOSE_NO_STATUS);
}
END_TEST

START_TEST(every_length)
{
    unsigned char payload[200];
    unsigned int code;

    memset(payload, 'r', sizeof payload);
    payload[0] = 0x03;
    payload[1] = 0xe8;
    ck_assert_int_eq(decode(payload, 1, &code), CLOSE_PAYLOAD_BAD_LENGTH);
    for (size_t length = 2; length <= PAYLOAD_MAX; length++) {
        ck_assert_int_eq(decode(payload, length, &code), CLOSE_PAYLOAD_GOOD);
        ck_assert_uint_eq(code, CLOSE_NORMAL);
    }
    for (size_t length = PAYLOAD_MAX + 1; length <= sizeof payload; length++)
        ck_assert_int_eq(decode(payload, length, &code), CLOSE_PAYLOAD_BAD_LENGTH);
}
END_TEST

START_TEST(reason_that_is_not_utf8)
{
    static const char *const bad[] = {"\xff", "abc\x80", "\xc0\xaf", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "cut \xe2\x82", "cut \xf0\x9f\x98", "cut \xc3"};
    static const char *const good[] = {
        "", "bye", "\xe2\x82\xac", "tsch\xc3\xbcss", "\xf0\x9f\x98\x80"};
    unsigned char payload[PAYLOAD_MAX] = {0x0f, 0xa0};
    unsigned int code;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memcpy(payload + 2, bad[i], strlen(bad[i]));
        ck_assert_int_eq(decode(payload, 2 + strlen(bad[i]), &code), CLOSE_PAYLOAD_BAD_REASON);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        memcpy(payload + 2, good[i], strlen(good[i]));
        ck_assert_int_eq(decode(payload, 2 + strlen(good[i]), &code), CLOSE_PAYLOAD_GOOD);
        ck_assert_uint_eq(code, 4000);
    }
}
END_TEST

START_TEST(wrong_code_counts_before_wrong_reason)
{
    unsigned int code;

    ck_assert_int_eq(decode("\x03\xed\xff", 3, &code), CLOSE_PAYLOAD_BAD_CODE);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
    unsigned char reason[CLOSE_REASON_MAX];

    for (size_t i = 0; i < sizeof reason; i++)
        reason[i] = (unsigned char)('a' + i % 26);
    for (size_t length = 0; length <= sizeof reason; length++) {
        unsigned char *payload = guard_page_space(2 + length);
        unsigned int code = 0;

        ck_assert_uint_eq(
            close_payload_encode(payload, 3000 + (unsigned int)length, reason, length), 2 + length);
        ck_assert_int_eq(close_payload_decode(payload, 2 + length, &code), CLOSE_PAYLOAD_GOOD);
        ck_assert_uint_eq(code, 3000 + length);
        ck_assert(memcmp(payload + 2, reason, length) == 0);
        guard_page_free(payload, 2 + length);
    }
}
END_TEST

START_TEST(written_bytes)
{
    unsigned char payload[8];

    memset(payload, 0xee, sizeof payload);
    ck_assert_uint_eq(close_payload_encode(payload, CLOSE_GOING_AWAY, "bye", 3), 5);
    ck_assert_mem_eq(payload,
        "\x03\xe9"
        "bye"
        "\xee\xee\xee",
        sizeof payload);
    ck_assert_uint_eq(close_payload_encode(payload, CLOSE_TOO_LARGE, NULL, 0), 2);
    ck_assert_mem_eq(payload,
        "\x03\xf1"
        "bye"
        "\xee\xee\xee",
        sizeof payload);
}
END_TEST

START_TEST(no_status_writes_nothing)
{
    unsigned char payload[4] = {1, 2, 3, 4};

    ck_assert_uint_eq(close_payload_encode(payload, CLOSE_NO_STATUS, "why", 3), 0);
    ck_assert_mem_eq(payload, "\1\2\3\4", 4);
}
END_TEST

Suite *close_payload_suite(void)
{
    Suite *suite = suite_create("close_payload");
    TCase *tests = tcase_create("close_payload");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_code);
    tcase_add_test(tests, empty_payload);
    tcase_add_test(tests, every_length);
    tcase_add_test(tests, reason_that_is_not_utf8);
    tcase_add_test(tests, wrong_code_counts_before_wrong_reason);
    tcase_add_test(tests, what_is_written_is_read_again);
    tcase_add_test(tests, written_bytes);
    tcase_add_test(tests, no_status_writes_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
