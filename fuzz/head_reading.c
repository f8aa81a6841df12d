#include "head_reading.h"

#include "codec/token_list.h"

enum { STORAGE_MAX = 8192 };

static bool grow(struct reading *reading, uint32_t step)
{
    struct http_head *head = &reading->head;
    uint32_t larger = head->storage_size + step;
    char *storage;

    REQUIRE(head->storage_used <= head->storage_size);
    if (larger > STORAGE_MAX)
        larger = STORAGE_MAX;
    if (larger == head->storage_size)
        return false;
    storage = fuzz_allocate(larger);
    if (head->storage_used > 0)
        memcpy(storage, head->storage, head->storage_used);
    free(head->storage);
    http_head_move(head, storage, larger);
    return true;
}

/* The parser is ready, and its storage grows by as much as `step` where it is full. */
static void feed(struct reading *reading, const uint8_t *data, size_t size, uint32_t step,
    struct fuzz_pieces pieces)
{
    while (reading->taken < size) {
        size_t piece = fuzz_next_piece(&pieces, size - reading->taken);
        size_t used = SIZE_MAX;

        reading->status = http_head_parse(&reading->head, data + reading->taken, piece, &used);
        REQUIRE(used <= piece);
        reading->taken += used;
        if (reading->status == HTTP_HEAD_MORE)
            REQUIRE(used == piece);
        else if (reading->status != HTTP_HEAD_STORAGE_FULL || !grow(reading, step))
            break;
    }
}

static struct reading make_ready(uint32_t fields, uint32_t storage, bool response)
{
    struct reading reading = {
        .fields = fuzz_allocate(fields * sizeof(struct http_field)), .status = HTTP_HEAD_MORE};

    if (response) {
        http_head_init_response(
            &reading.head, fuzz_allocate(storage), storage, reading.fields, fields);
    } else {
        http_head_init(&reading.head, fuzz_allocate(storage), storage, reading.fields, fields);
    }
    return reading;
}

struct reading read_whole(const uint8_t *data, size_t size, uint32_t fields, bool response)
{
    struct reading reading = make_ready(fields, STORAGE_MAX, response);

    feed(&reading, data, size, 0, (struct fuzz_pieces){0});
    return reading;
}

void finish_reading(struct reading *reading)
{
    free(reading->head.storage);
    free(reading->fields);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

void check_text(const struct http_head *head, uint32_t offset, uint32_t length)
{
    REQUIRE(offset <= head->storage_used && length < head->storage_used - offset);
    REQUIRE(strlen(http_head_text(head, offset)) == length);
}

void check_fields(const struct http_head *head)
{
    REQUIRE(head->fields_count <= head->fields_max);
    for (uint32_t i = 0; i < head->fields_count; i++) {
        const struct http_field *field = &head->fields[i];
        const char *name = http_head_text(head, field->name);
        const char *value = http_head_text(head, field->value);
        uint32_t at = 0;
        uint32_t count = 0;
        bool found = false;

        check_text(head, field->name, field->name_length);
        check_text(head, field->value, field->value_length);
        REQUIRE(token_is_valid(name, field->name_length));
        REQUIRE(!is_blank(value[0]));
        REQUIRE(field->value_length == 0 || !is_blank(value[field->value_length - 1]));
        REQUIRE(strpbrk(value, "\r\n") == NULL);
        for (const struct http_field *same; (same = http_head_find(head, name, &at)) != NULL;) {
            found = found || same == field;
            count++;
        }
        REQUIRE(found && http_head_count(head, name) == count);
    }
}

static void check_same(const struct http_head *head, const struct http_head *same)
{
    REQUIRE(same->storage_used == head->storage_used);
    REQUIRE(memcmp(same->storage, head->storage, head->storage_used) == 0);
    REQUIRE(same->method == head->method && same->target == head->target);
    REQUIRE(same->reason == head->reason && same->status == head->status);
    REQUIRE(same->version_minor == head->version_minor);
    REQUIRE(same->fields_count == head->fields_count);
    REQUIRE(head->fields_count == 0 || memcmp(same->fields, head->fields,
                                           head->fields_count * sizeof(struct http_field)) == 0);
}

void check_written(const struct http_head *head, const char *start_line)
{
    size_t room = strlen(start_line) + head->storage_used + head->fields_count * 4u + 8;
    char *text = fuzz_allocate(room);
    size_t length;
    struct reading again;

    length = (size_t)snprintf(text, room, "%s\r\n", start_line);
    for (uint32_t i = 0; i < head->fields_count; i++) {
        length += (size_t)snprintf(text + length, room - length, "%s: %s\r\n",
            http_head_text(head, head->fields[i].name),
            http_head_text(head, head->fields[i].value));
    }
    length += (size_t)snprintf(text + length, room - length, "\r\n");
    REQUIRE(length < room);
    again = read_whole((const uint8_t *)text, length, head->fields_max, head->status != 0);
    REQUIRE(again.status == HTTP_HEAD_DONE);
    REQUIRE(again.taken == length);
    check_same(head, &again.head);
    finish_reading(&again);
    free(text);
}

void check_cut(const uint8_t *data, size_t size, unsigned int choice, const struct reading *whole)
{
    const struct http_head *head = &whole->head;

    for (uint32_t sequence = 1; sequence <= 2; sequence++) {
        struct reading cut = make_ready(head->fields_max, choice & 7, head->response);

        feed(&cut, data, size, 1 + (choice >> 3),
            (struct fuzz_pieces){sequence + choice * (sequence - 1)});
        REQUIRE(cut.status == whole->status);
        REQUIRE(cut.taken == whole->taken);
        REQUIRE(http_head_started(&cut.head) == http_head_started(head));
        if (whole->status == HTTP_HEAD_DONE)
            check_same(head, &cut.head);
        finish_reading(&cut);
    }
}
