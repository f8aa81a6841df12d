/*
 * A request's head: the first byte says how much room there is for fields and how storage grows.
 * However it is cut, and however often the storage moves, the same head comes out, and it is what
 * the bytes say.
 */
#include "codec/http_head.h"

#include "codec/token_list.h"
#include "fuzz.h"

enum { FIELDS_MAX = 16, STORAGE_MAX = 8192 };

struct reading {
    struct http_head head;
    struct http_field *fields;
    enum http_head_status status;
    size_t taken;
};

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

static struct reading read_head(const uint8_t *data, size_t size, uint32_t fields, uint32_t storage,
    uint32_t step, struct fuzz_pieces pieces)
{
    struct reading reading = {
        .fields = fuzz_allocate(fields * sizeof(struct http_field)), .status = HTTP_HEAD_MORE};

    http_head_init(&reading.head, fuzz_allocate(storage), storage, reading.fields, fields);
    while (reading.taken < size) {
        size_t piece = fuzz_next_piece(&pieces, size - reading.taken);
        size_t used = SIZE_MAX;

        reading.status = http_head_parse(&reading.head, data + reading.taken, piece, &used);
        REQUIRE(used <= piece);
        reading.taken += used;
        if (reading.status == HTTP_HEAD_MORE)
            REQUIRE(used == piece);
        else if (reading.status != HTTP_HEAD_STORAGE_FULL || !grow(&reading, step))
            break;
    }
    return reading;
}

static void finish(struct reading *reading)
{
    free(reading->head.storage);
    free(reading->fields);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void check_text(const struct http_head *head, uint32_t offset, uint32_t length)
{
    REQUIRE(offset <= head->storage_used && length < head->storage_used - offset);
    REQUIRE(strlen(http_head_text(head, offset)) == length);
}

static void check_head(const struct http_head *head)
{
    const char *method = http_head_text(head, head->method);
    const char *target = http_head_text(head, head->target);

    REQUIRE(http_head_started(head));
    check_text(head, head->method, (uint32_t)strlen(method));
    check_text(head, head->target, (uint32_t)strlen(target));
    REQUIRE(token_is_valid(method, strlen(method)));
    REQUIRE(*target != '\0');
    REQUIRE(head->version_minor <= 9);
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

/* Written in the plainest form and read again, it is the same. */
static void check_written(const struct http_head *head)
{
    size_t room = head->storage_used + head->fields_count * 4u + 64;
    char *text = fuzz_allocate(room);
    size_t length;
    struct reading again;

    length = (size_t)snprintf(text, room, "%s %s HTTP/1.%d\r\n", http_head_text(head, head->method),
        http_head_text(head, head->target), head->version_minor);
    for (uint32_t i = 0; i < head->fields_count; i++) {
        length += (size_t)snprintf(text + length, room - length, "%s: %s\r\n",
            http_head_text(head, head->fields[i].name),
            http_head_text(head, head->fields[i].value));
    }
    length += (size_t)snprintf(text + length, room - length, "\r\n");
    REQUIRE(length < room);
    again = read_head(
        (const uint8_t *)text, length, head->fields_max, STORAGE_MAX, 0, (struct fuzz_pieces){0});
    REQUIRE(again.status == HTTP_HEAD_DONE);
    REQUIRE(again.taken == length);
    REQUIRE(again.head.storage_used == head->storage_used);
    REQUIRE(memcmp(again.head.storage, head->storage, head->storage_used) == 0);
    finish(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int choice = fuzz_take_byte(&data, &size);
    uint32_t fields = choice % (FIELDS_MAX + 1);
    struct reading whole = read_head(data, size, fields, STORAGE_MAX, 0, (struct fuzz_pieces){0});

    if (whole.status == HTTP_HEAD_DONE) {
        check_head(&whole.head);
        check_written(&whole.head);
    }
    for (uint32_t sequence = 1; sequence <= 2; sequence++) {
        struct reading cut = read_head(data, size, fields, choice & 7, 1 + (choice >> 3),
            (struct fuzz_pieces){sequence + choice * (sequence - 1)});

        REQUIRE(cut.status == whole.status);
        REQUIRE(cut.taken == whole.taken);
        REQUIRE(http_head_started(&cut.head) == http_head_started(&whole.head));
        if (whole.status == HTTP_HEAD_DONE) {
            REQUIRE(cut.head.storage_used == whole.head.storage_used);
            REQUIRE(memcmp(cut.head.storage, whole.head.storage, whole.head.storage_used) == 0);
            REQUIRE(cut.head.fields_count == whole.head.fields_count);
            REQUIRE(cut.head.version_minor == whole.head.version_minor);
            REQUIRE(cut.head.fields_count == 0 ||
                    memcmp(cut.fields, whole.fields,
                        cut.head.fields_count * sizeof(struct http_field)) == 0);
        }
        finish(&cut);
    }
    finish(&whole);
    return 0;
}
