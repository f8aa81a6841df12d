#include "http_head_reading.h"

#include "support/guard_page.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { TOLD_SIZE = 2 * HEAD_LENGTH_MAX };

static void make_ready(struct reading *reading, uint32_t storage_size)
{
    reading->storage_size = storage_size;
    reading->fields =
        (struct http_field *)(void *)guard_page_space(FIELDS * sizeof(struct http_field));
    reading->status = HTTP_HEAD_MORE;
    reading->used = 0;
}

void start_request(struct reading *reading, uint32_t storage_size)
{
    make_ready(reading, storage_size);
    http_head_init(&reading->head, (char *)guard_page_space(storage_size), storage_size,
        reading->fields, FIELDS);
}

void start_response(struct reading *reading, uint32_t storage_size)
{
    make_ready(reading, storage_size);
    http_head_init_response(&reading->head, (char *)guard_page_space(storage_size), storage_size,
        reading->fields, FIELDS);
}

static void start(struct reading *reading, size_t storage_size, bool response)
{
    if (response)
        start_response(reading, (uint32_t)storage_size);
    else
        start_request(reading, (uint32_t)storage_size);
}

void finish_reading(struct reading *reading)
{
    guard_page_free(reading->head.storage, reading->storage_size);
    guard_page_free(reading->fields, FIELDS * sizeof(struct http_field));
}

static void grow(struct reading *reading)
{
    uint32_t size = reading->storage_size + 1;
    char *larger = (char *)guard_page_space(size);

    ck_assert_uint_eq(reading->head.storage_used, reading->storage_size);
    if (reading->head.storage_used != 0)
        memcpy(larger, reading->head.storage, reading->head.storage_used);
    guard_page_free(reading->head.storage, reading->storage_size);
    http_head_move(&reading->head, larger, size);
    reading->storage_size = size;
}

void feed(struct reading *reading, const char *bytes, size_t length)
{
    unsigned char *piece = guard_page_copy(bytes, length);
    size_t at = 0;

    for (;;) {
        size_t used = SIZE_MAX;

        reading->status = http_head_parse(&reading->head, piece + at, length - at, &used);
        ck_assert_uint_le(used, length - at);
        at += used;
        if (reading->status != HTTP_HEAD_STORAGE_FULL)
            break;
        ck_assert_uint_lt(at, length);
        grow(reading);
    }
    if (reading->status == HTTP_HEAD_MORE)
        ck_assert_uint_eq(at, length);
    reading->used += at;
    guard_page_free(piece, length);
}

static void tell(const struct reading *reading, bool response, char *text, size_t size)
{
    const struct http_head *head = &reading->head;
    size_t used;

    ck_assert_uint_le(head->fields_count, FIELDS);
    ck_assert_uint_le(head->storage_used, reading->storage_size);
    if (response) {
        snprintf(text, size, "%d %d %s", head->version_minor, head->status,
            http_head_text(head, head->reason));
    } else {
        ck_assert_uint_eq(head->status, 0);
        snprintf(text, size, "%s %s %d", http_head_text(head, head->method),
            http_head_text(head, head->target), head->version_minor);
    }
    for (uint32_t i = 0; i < head->fields_count; i++) {
        const struct http_field *field = &head->fields[i];
        const char *name = http_head_text(head, field->name);
        const char *value = http_head_text(head, field->value);

        ck_assert_uint_eq(strlen(name), field->name_length);
        ck_assert_uint_eq(strlen(value), field->value_length);
        used = strlen(text);
        snprintf(text + used, size - used, "|%s=%s", name, value);
    }
}

enum http_head_status read_whole(const char *text, size_t length, bool response)
{
    struct reading reading;

    start(&reading, length, response);
    feed(&reading, text, length);
    finish_reading(&reading);
    return reading.status;
}

enum http_head_status read_around(const char *before, int byte, const char *after, bool response)
{
    char text[64];

    ck_assert_uint_lt(strlen(before) + 1 + strlen(after), sizeof(text));
    snprintf(text, sizeof(text), "%s?%s", before, after);
    text[strlen(before)] = (char)byte;
    return read_whole(text, strlen(before) + 1 + strlen(after), response);
}

static void check_case(const struct reading *reading, const struct http_head_case *expected,
    bool response, size_t first)
{
    char told[TOLD_SIZE];

    ck_assert_msg(reading->status == expected->status, "\"%s\", split %zu: status %d",
        expected->bytes, first, (int)reading->status);
    ck_assert_msg(reading->used == expected->length - expected->left,
        "\"%s\", split %zu: %zu bytes taken", expected->bytes, first, reading->used);
    if (reading->status != HTTP_HEAD_DONE)
        return;
    tell(reading, response, told, sizeof(told));
    ck_assert_str_eq(told, expected->told);
}

/* A split at the length is the whole at once. */
void check_every_split(const struct http_head_case *expected, bool response)
{
    for (size_t first = 0; first <= expected->length; first++) {
        struct reading reading;

        start(&reading, expected->length, response);
        feed(&reading, expected->bytes, first);
        if (reading.status == HTTP_HEAD_MORE)
            feed(&reading, expected->bytes + first, expected->length - first);
        check_case(&reading, expected, response, first);
        finish_reading(&reading);
    }
}

/* From no storage at all, which grows by a byte each time. */
void check_byte_by_byte(const struct http_head_case *expected, bool response)
{
    struct reading reading;

    start(&reading, 0, response);
    for (size_t i = 0; i < expected->length && reading.status == HTTP_HEAD_MORE; i++)
        feed(&reading, expected->bytes + i, 1);
    check_case(&reading, expected, response, 1);
    finish_reading(&reading);
}

void check_growing_storage(const struct http_head_case *expected, bool response)
{
    struct reading reading;

    start(&reading, 0, response);
    feed(&reading, expected->bytes, expected->length);
    check_case(&reading, expected, response, 0);
    finish_reading(&reading);
}

void check_the_end_stays(const struct http_head_case *expected, bool response)
{
    struct reading reading;
    enum http_head_status after;

    start(&reading, expected->length, response);
    feed(&reading, expected->bytes, expected->length);
    if (reading.status != HTTP_HEAD_MORE) {
        after = reading.status == HTTP_HEAD_DONE ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
        reading.used = 0;
        if (response)
            feed(&reading, TEXT("HTTP/1.1 200 OK\r\n\r\n"));
        else
            feed(&reading, TEXT("GET / HTTP/1.1\r\n\r\n"));
        ck_assert_int_eq((int)reading.status, (int)after);
        ck_assert_uint_eq(reading.used, 0);
    }
    finish_reading(&reading);
}

bool check_fixed_storage(const char *text, size_t length, uint32_t size, bool response)
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct reading reading;
    size_t used;
    size_t taken;

    start(&reading, size, response);
    reading.status = http_head_parse(&reading.head, bytes, length, &taken);
    ck_assert_uint_le(reading.head.storage_used, size);
    if (reading.status == HTTP_HEAD_STORAGE_FULL) {
        ck_assert_uint_lt(taken, length);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(
                (int)http_head_parse(&reading.head, bytes + taken, length - taken, &used),
                HTTP_HEAD_STORAGE_FULL);
            ck_assert_uint_eq(used, 0);
        }
    } else {
        ck_assert_int_eq((int)reading.status, HTTP_HEAD_DONE);
        ck_assert_uint_eq(taken, length);
    }
    finish_reading(&reading);
    return reading.status == HTTP_HEAD_DONE;
}

void check_spoilt(const struct http_head_case *from, bool response, const char *hostile,
    size_t hostile_length, struct random_sequence *sequence)
{
    size_t length = from->length;
    struct reading whole;
    struct reading pieces;
    char bytes[HEAD_LENGTH_MAX];
    char told[2][TOLD_SIZE];

    ck_assert_uint_le(length, sizeof(bytes));
    memcpy(bytes, from->bytes, length);
    for (uint64_t i = random_below(sequence, 3); i < 3 && length != 0; i++)
        bytes[random_below(sequence, length)] = hostile[random_below(sequence, hostile_length)];
    start(&whole, HEAD_LENGTH_MAX, response);
    feed(&whole, bytes, length);
    start(&pieces, (size_t)random_below(sequence, 64), response);
    for (size_t at = 0; at < length && pieces.status == HTTP_HEAD_MORE;) {
        size_t piece = 1 + (size_t)random_below(sequence, length - at);

        feed(&pieces, bytes + at, piece);
        at += piece;
    }
    ck_assert_int_eq((int)pieces.status, (int)whole.status);
    ck_assert_uint_eq(pieces.used, whole.used);
    if (whole.status == HTTP_HEAD_DONE) {
        tell(&whole, response, told[0], sizeof(told[0]));
        tell(&pieces, response, told[1], sizeof(told[1]));
        ck_assert_str_eq(told[0], told[1]);
    }
    finish_reading(&whole);
    finish_reading(&pieces);
}
