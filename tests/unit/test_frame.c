#include "suites.h"

#include "codec/frame.h"
#include "support/guard_page.h"
#include "support/random_sequence.h"

#include <string.h>

static const unsigned char example_mask[4] = {0x37, 0xfa, 0x21, 0x3d};

static const struct frame_rules from_client = {true, false, 0};
static const struct frame_rules from_server = {false, false, 0};

struct result {
    enum frame_status status;
    enum frame_fault fault;
    size_t used;
    struct frame_header header;
};

/* Feeds a piece of `first` bytes and then pieces of `rest`, each ending at a guard page. */
static struct result decode_in_pieces(const unsigned char *bytes, size_t length, size_t first,
    size_t rest, const struct frame_rules *rules)
{
    struct frame_decoder decoder = {{0}, 0, 0};
    struct result result = {FRAME_MORE, FRAME_FAULT_NONE, 0, {0, 0, false, {0}}};
    size_t piece = first;

    for (;;) {
        size_t used = SIZE_MAX;
        unsigned char *in;

        if (piece > length - result.used)
            piece = length - result.used;
        in = guard_page_copy(bytes + result.used, piece);
        result.status = frame_decode(&decoder, rules, in, piece, &used, &result.header);
        guard_page_free(in, piece);
        ck_assert_uint_le(used, piece);
        result.used += used;
        if (result.status != FRAME_MORE)
            break;
        ck_assert_uint_eq(used, piece);
        if (result.used == length)
            break;
        piece = rest;
    }
    result.fault = (enum frame_fault)decoder.fault;
    if (result.status == FRAME_READY)
        ck_assert_uint_eq(decoder.have, 0);
    return result;
}

static void compare(const struct result *left, const struct result *right)
{
    ck_assert_int_eq(left->status, right->status);
    ck_assert_int_eq(left->fault, right->fault);
    ck_assert_uint_eq(left->used, right->used);
    if (left->status != FRAME_READY)
        return;
    ck_assert_uint_eq(left->header.length, right->header.length);
    ck_assert_uint_eq(left->header.first, right->header.first);
    ck_assert_int_eq(left->header.masked, right->header.masked);
    ck_assert_mem_eq(left->header.mask, right->header.mask, 4);
}

/* Decodes whole, byte by byte and at every split, and says what all of these agree on. */
static struct result decode(
    const unsigned char *bytes, size_t length, const struct frame_rules *rules)
{
    struct result whole = decode_in_pieces(bytes, length, length, length, rules);
    struct result cut = decode_in_pieces(bytes, length, 1, 1, rules);

    compare(&whole, &cut);
    for (size_t split = 0; split < length; split++) {
        cut = decode_in_pieces(bytes, length, split, length, rules);
        compare(&whole, &cut);
    }
    return whole;
}

static void expect_header(const unsigned char *bytes, size_t length, size_t header_size,
    unsigned char first, uint64_t payload, const unsigned char *mask,
    const struct frame_rules *rules)
{
    static const unsigned char no_mask[4];
    struct result result = decode(bytes, length, rules);

    ck_assert_int_eq(result.status, FRAME_READY);
    ck_assert_uint_eq(result.used, header_size);
    ck_assert_uint_eq(result.header.first, first);
    ck_assert_uint_eq(result.header.length, payload);
    ck_assert_int_eq(result.header.masked, mask != NULL);
    ck_assert_mem_eq(result.header.mask, mask != NULL ? mask : no_mask, 4);
}

/* The fault has to come with the last of these bytes, and whatever follows them. */
static void expect_fault(const unsigned char *bytes, size_t length, enum frame_fault fault,
    const struct frame_rules *rules)
{
    unsigned char longer[FRAME_HEADER_MAX + 8];
    struct result result = decode(bytes, length, rules);

    ck_assert_int_eq(result.status, FRAME_BROKEN);
    ck_assert_int_eq(result.fault, fault);
    ck_assert_uint_eq(result.used, length);
    if (length > 1) {
        result = decode(bytes, length - 1, rules);
        ck_assert_int_eq(result.status, FRAME_MORE);
    }
    memset(longer, 0xff, sizeof longer);
    memcpy(longer, bytes, length);
    result = decode(longer, sizeof longer, rules);
    ck_assert_int_eq(result.status, FRAME_BROKEN);
    ck_assert_int_eq(result.fault, fault);
    ck_assert_uint_eq(result.used, length);
}

START_TEST(examples_of_the_rfc)
{
    static const unsigned char hello[] = {0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f};
    static const unsigned char masked_hello[] = {
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    static const unsigned char fragment[] = {0x01, 0x03, 0x48, 0x65, 0x6c};
    static const unsigned char last_fragment[] = {0x80, 0x02, 0x6c, 0x6f};
    static const unsigned char ping[] = {0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f};
    static const unsigned char pong[] = {
        0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    static const unsigned char bytes_256[] = {0x82, 0x7e, 0x01, 0x00, 0xff};
    static const unsigned char bytes_65536[] = {0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xff};
    static const struct frame_rules inside = {false, true, 0};

    expect_header(hello, sizeof hello, 2, 0x81, 5, NULL, &from_server);
    expect_header(masked_hello, sizeof masked_hello, 6, 0x81, 5, example_mask, &from_client);
    expect_header(fragment, sizeof fragment, 2, 0x01, 3, NULL, &from_server);
    expect_header(last_fragment, sizeof last_fragment, 2, 0x80, 2, NULL, &inside);
    expect_header(ping, sizeof ping, 2, 0x89, 5, NULL, &from_server);
    expect_header(ping, sizeof ping, 2, 0x89, 5, NULL, &inside);
    expect_header(pong, sizeof pong, 6, 0x8a, 5, example_mask, &from_client);
    expect_header(bytes_256, sizeof bytes_256, 4, 0x82, 256, NULL, &from_server);
    expect_header(bytes_65536, sizeof bytes_65536, 10, 0x82, 65536, NULL, &from_server);
}
END_TEST

/* Section 5 of the RFC for the first two bytes, one condition after the other. */
static enum frame_fault fault_of_start(
    unsigned int first, unsigned int second, const struct frame_rules *rules, size_t *shown_at)
{
    static const char kinds[] = "cdd.....kkk....."; /* continuation, data, control, reserved */
    char kind = kinds[first % 16];
    unsigned int reserved = first / 16 % 8 * 16;

    *shown_at = 1;
    if (kind != 'd' && reserved != 0)
        return FRAME_FAULT_RESERVED_BIT;
    for (unsigned int bit = 0x10; bit <= 0x40; bit *= 2) {
        if ((reserved & bit) != 0 && (rules->reserved_allowed & bit) == 0)
            return FRAME_FAULT_RESERVED_BIT;
    }
    if (kind == '.')
        return FRAME_FAULT_OPCODE;
    if (kind == 'k' && first < 0x80)
        return FRAME_FAULT_CONTROL_FRAGMENTED;
    if (kind == 'c' && !rules->inside_message)
        return FRAME_FAULT_UNEXPECTED_CONTINUATION;
    if (kind == 'd' && rules->inside_message)
        return FRAME_FAULT_EXPECTED_CONTINUATION;
    *shown_at = 2;
    if (second >= 0x80 && !rules->masked)
        return FRAME_FAULT_MASKED;
    if (second < 0x80 && rules->masked)
        return FRAME_FAULT_NOT_MASKED;
    if (kind == 'k' && second % 0x80 > 125)
        return FRAME_FAULT_CONTROL_TOO_LONG;
    return FRAME_FAULT_NONE;
}

static void check_start(unsigned char first, unsigned char second, const struct frame_rules *rules)
{
    unsigned char bytes[2] = {first, second};
    size_t shown_at;
    enum frame_fault fault = fault_of_start(first, second, rules, &shown_at);

    for (size_t piece = 1; piece <= 2; piece++) {
        struct frame_decoder decoder = {{0}, 0, 0};
        struct frame_header header;
        enum frame_status status = FRAME_MORE;
        size_t at = 0;

        while (at < sizeof bytes && status == FRAME_MORE) {
            size_t used = 0;

            status = frame_decode(&decoder, rules, bytes + at, piece, &used, &header);
            at += used;
        }
        if (fault != FRAME_FAULT_NONE) {
            if (status != FRAME_BROKEN || decoder.fault != fault || at != shown_at)
                ck_abort_msg("%02x %02x: status %d, fault %d at %zu, expected %d at %zu", first,
                    second, (int)status, decoder.fault, at, (int)fault, shown_at);
        } else if (status != (second % 128 < 126 && !rules->masked ? FRAME_READY : FRAME_MORE) ||
                   at != 2) {
            ck_abort_msg("%02x %02x: status %d at %zu", first, second, (int)status, at);
        } else if (status == FRAME_READY &&
                   (header.first != first || header.length != second % 128u)) {
            ck_abort_msg("%02x %02x: header", first, second);
        }
    }
}

START_TEST(every_first_and_second_byte_under_all_rules)
{
    for (unsigned int kind = 0; kind < 32; kind++) {
        struct frame_rules rules = {
            (kind & 1) != 0, (kind & 2) != 0, (unsigned char)((kind >> 2) << 4)};

        for (unsigned int first = 0; first < 256; first++) {
            for (unsigned int second = 0; second < 256; second++)
                check_start((unsigned char)first, (unsigned char)second, &rules);
        }
    }
}
END_TEST

START_TEST(length_that_is_not_minimal)
{
    unsigned char bytes[FRAME_HEADER_MAX] = {0x82, 0x7e};
    struct result result;

    for (unsigned int length = 0; length <= 125; length++) {
        bytes[3] = (unsigned char)length;
        expect_fault(bytes, 4, FRAME_FAULT_LENGTH_NOT_MINIMAL, &from_server);
    }
    bytes[3] = 126;
    expect_header(bytes, 4, 4, 0x82, 126, NULL, &from_server);

    bytes[1] = 0x7f;
    memset(bytes + 2, 0, 6);
    expect_fault(bytes, 8, FRAME_FAULT_LENGTH_NOT_MINIMAL, &from_server);
    for (size_t i = 2; i < 8; i++) {
        memset(bytes + 2, 0, 12);
        bytes[i] = 1;
        result = decode(bytes, 10, &from_server);
        ck_assert_int_eq(result.status, FRAME_READY);
        ck_assert_uint_eq(result.header.length, UINT64_C(1) << (8 * (9 - i)));
    }
}
END_TEST

START_TEST(length_of_more_than_63_bits)
{
    unsigned char bytes[10] = {0x82, 0x7f, 0x80};

    expect_fault(bytes, 3, FRAME_FAULT_LENGTH_TOO_LARGE, &from_server);
    bytes[2] = 0xff;
    expect_fault(bytes, 3, FRAME_FAULT_LENGTH_TOO_LARGE, &from_server);
    memset(bytes + 2, 0xff, 8);
    bytes[2] = 0x7f;
    expect_header(bytes, 10, 10, 0x82, INT64_MAX, NULL, &from_server);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
    static const uint64_t lengths[] = {0, 1, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536,
        65537, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX - 1, INT64_MAX};
    static const unsigned char firsts[] = {0x81, 0x82, 0x01, 0x02, 0xc1, 0x42};
    enum { PAYLOAD = 4, EDGE = 0xee };

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (size_t k = 0; k < 2 * sizeof firsts; k++) {
            bool masked = k % 2 != 0;
            unsigned char first = firsts[k / 2];
            struct frame_rules rules = {masked, false, 0x40};
            unsigned char space[8 + FRAME_HEADER_MAX + PAYLOAD];
            unsigned char *payload = space + 8 + FRAME_HEADER_MAX;
            size_t expected = 2u +
                              (lengths[i] > 65535    ? 8u
                                  : lengths[i] > 125 ? 2u
                                                     : 0u) +
                              (masked ? 4u : 0u);
            size_t size;

            memset(space, EDGE, sizeof space);
            size = frame_encode(payload, first, lengths[i], masked ? example_mask : NULL);
            ck_assert_uint_eq(size, expected);
            ck_assert_uint_eq(frame_header_size(lengths[i], masked), expected);
            for (unsigned char *p = space; p < payload - size; p++)
                ck_assert_uint_eq(*p, EDGE);
            for (unsigned char *p = payload; p < space + sizeof space; p++)
                ck_assert_uint_eq(*p, EDGE);
            expect_header(payload - size, size + PAYLOAD, size, first, lengths[i],
                masked ? example_mask : NULL, &rules);
        }
    }
}
END_TEST

START_TEST(written_headers_are_those_of_the_rfc)
{
    static const unsigned char masked_hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d};
    static const unsigned char bytes_256[] = {0x82, 0x7e, 0x01, 0x00};
    static const unsigned char bytes_65536[] = {0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0};
    unsigned char space[FRAME_HEADER_MAX];
    unsigned char *payload = space + sizeof space;

    ck_assert_uint_eq(frame_encode(payload, 0x81, 5, example_mask), 6);
    ck_assert_mem_eq(payload - 6, masked_hello, 6);
    ck_assert_uint_eq(frame_encode(payload, 0x82, 256, NULL), 4);
    ck_assert_mem_eq(payload - 4, bytes_256, 4);
    ck_assert_uint_eq(frame_encode(payload, 0x82, 65536, NULL), 10);
    ck_assert_mem_eq(payload - 10, bytes_65536, 10);
    ck_assert_uint_eq(frame_encode(payload, 0x82, 65536, example_mask), FRAME_HEADER_MAX);
}
END_TEST

START_TEST(one_header_after_another)
{
    struct random_sequence random = {8};
    struct frame_decoder decoder = {{0}, 0, 0};

    for (unsigned int round = 0; round < 20000; round++) {
        unsigned char space[FRAME_HEADER_MAX];
        unsigned char *end = space + sizeof space;
        unsigned char mask[4];
        uint64_t length = random_next(&random) >> (1 + random_below(&random, 63));
        bool masked = random_below(&random, 2) == 0;
        struct frame_rules rules = {masked, false, 0};
        struct frame_header header;
        enum frame_status status = FRAME_MORE;
        unsigned char *at;

        random_bytes(&random, mask, sizeof mask);
        at = end - frame_encode(end, 0x82, length, masked ? mask : NULL);
        while (status == FRAME_MORE && at < end) {
            size_t used = 0;
            size_t piece = (size_t)random_below(&random, (uint64_t)(end - at) + 1);

            status = frame_decode(&decoder, &rules, at, piece, &used, &header);
            if (used != piece)
                ck_abort_msg("took %zu of %zu", used, piece);
            at += used;
        }
        if (status != FRAME_READY || at != end || header.length != length || header.first != 0x82 ||
            header.masked != masked || (masked && memcmp(header.mask, mask, 4) != 0))
            ck_abort_msg("round %u", round);
    }
}
END_TEST

START_TEST(random_bytes_cut_anywhere)
{
    struct random_sequence random = {9};
    unsigned char bytes[FRAME_HEADER_MAX + 2];

    for (unsigned int round = 0; round < 1000; round++) {
        struct frame_rules rules = {random_below(&random, 2) == 0, false, 0};

        random_bytes(&random, bytes, sizeof bytes);
        /* Most first bytes are faults; let more of them through to the length. */
        if (random_below(&random, 8) != 0) {
            bytes[0] = 0x82;
            bytes[1] =
                (unsigned char)((rules.masked ? 0x80 : 0) | (125 + random_below(&random, 3)));
            bytes[2] &= 0x81;
        }
        decode(bytes, sizeof bytes, &rules);
    }
}
END_TEST

START_TEST(nothing_is_taken_from_no_bytes)
{
    struct frame_decoder decoder = {{0}, 0, 0};
    struct frame_header header;
    size_t used = 1;

    ck_assert_int_eq(frame_decode(&decoder, &from_server, NULL, 0, &used, &header), FRAME_MORE);
    ck_assert_uint_eq(used, 0);
}
END_TEST

START_TEST(every_fault_has_a_text_of_its_own)
{
    for (int i = FRAME_FAULT_NONE; i <= FRAME_FAULT_LENGTH_TOO_LARGE; i++) {
        const char *text = frame_fault_text((enum frame_fault)i);

        ck_assert_ptr_nonnull(text);
        ck_assert_uint_gt(strlen(text), 0);
        ck_assert_uint_le(strlen(text), 123);
        for (int k = FRAME_FAULT_NONE; k < i; k++)
            ck_assert_str_ne(text, frame_fault_text((enum frame_fault)k));
    }
    ck_assert_str_eq(frame_fault_text(FRAME_FAULT_RESERVED_BIT), "reserved bit set");
}
END_TEST

START_TEST(control_opcodes)
{
    for (unsigned int first = 0; first < 256; first++)
        ck_assert_int_eq(frame_is_control((unsigned char)first), first % 16 >= 8);
}
END_TEST

Suite *frame_suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *tests = tcase_create("frame");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, examples_of_the_rfc);
    tcase_add_test(tests, every_first_and_second_byte_under_all_rules);
    tcase_add_test(tests, length_that_is_not_minimal);
    tcase_add_test(tests, length_of_more_than_63_bits);
    tcase_add_test(tests, what_is_written_is_read_again);
    tcase_add_test(tests, written_headers_are_those_of_the_rfc);
    tcase_add_test(tests, one_header_after_another);
    tcase_add_test(tests, random_bytes_cut_anywhere);
    tcase_add_test(tests, nothing_is_taken_from_no_bytes);
    tcase_add_test(tests, every_fault_has_a_text_of_its_own);
    tcase_add_test(tests, control_opcodes);
    suite_add_tcase(suite, tests);
    return suite;
}
