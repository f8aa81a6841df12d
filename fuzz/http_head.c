/*
 * A request's head: the first byte says how much room there is for fields and how storage grows.
 * However it is cut, and however often the storage moves, the same head comes out, and it is what
 * the bytes say.
 */
#include "codec/token_list.h"
#include "head_reading.h"

enum { FIELDS_MAX = 16 };

/* Written in the plainest form and read again, it is the same. */
static void check_head(const struct http_head *head)
{
    const char *method = http_head_text(head, head->method);
    const char *target = http_head_text(head, head->target);
    size_t room = head->storage_used + 16;
    char *line = fuzz_allocate(room);

    REQUIRE(http_head_started(head));
    check_text(head, head->method, (uint32_t)strlen(method));
    check_text(head, head->target, (uint32_t)strlen(target));
    REQUIRE(token_is_valid(method, strlen(method)));
    REQUIRE(*target != '\0');
    REQUIRE(head->status == 0);
    REQUIRE(head->version_minor <= 9);
    check_fields(head);
    snprintf(line, room, "%s %s HTTP/1.%d", method, target, head->version_minor);
    check_written(head, line);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int choice = fuzz_take_byte(&data, &size);
    struct reading whole = read_whole(data, size, choice % (FIELDS_MAX + 1), false);

    if (whole.status == HTTP_HEAD_DONE)
        check_head(&whole.head);
    check_cut(data, size, choice, &whole);
    finish_reading(&whole);
    return 0;
}
