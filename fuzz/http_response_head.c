/*
 * A response's head: the first byte says how much room there is for fields and how storage grows.
 * However it is cut, and however often the storage moves, the same head comes out, and it is what
 * the bytes say.
 */
#include "head_reading.h"

enum { FIELDS_MAX = 16 };

/* Written in the plainest form it is the status line that was taken, and is read as the same. */
static void check_head(const struct http_head *head, const uint8_t *data, size_t taken)
{
    const char *reason = http_head_text(head, head->reason);
    const uint8_t *line_end = memchr(data, '\r', taken);
    size_t length = strlen(reason);
    size_t room = length + 16;
    char *line = fuzz_allocate(room);
    size_t line_length;

    REQUIRE(http_head_started(head) && !http_head_in_target(head));
    check_text(head, head->reason, (uint32_t)length);
    REQUIRE(head->status >= 100 && head->status <= 599);
    REQUIRE(length >= 3 && (length == 3 || (length > 4 && reason[3] == ' ')));
    REQUIRE(atoi(reason) == head->status);
    for (size_t i = 0; i < length; i++)
        REQUIRE(reason[i] == '\t' || (unsigned char)reason[i] >= 0x20);
    REQUIRE(strchr(reason, 0x7f) == NULL);
    REQUIRE(head->version_minor <= 9);
    check_fields(head);

    line_length = (size_t)snprintf(line, room, "HTTP/1.%d %s", head->version_minor, reason);
    REQUIRE(line_end != NULL && line_length <= (size_t)(line_end - data));
    REQUIRE(memcmp(data, line, line_length) == 0);
    REQUIRE(line_length == (size_t)(line_end - data) ||
            (length == 3 && data[line_length] == ' ' && data + line_length + 1 == line_end));
    check_written(head, line);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int choice = fuzz_take_byte(&data, &size);
    struct reading whole = read_whole(data, size, choice % (FIELDS_MAX + 1), true);

    if (whole.status == HTTP_HEAD_DONE)
        check_head(&whole.head, data, whole.taken);
    check_cut(data, size, choice, &whole);
    finish_reading(&whole);
    return 0;
}
