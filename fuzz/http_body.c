/*
 * A request's body: a limit, header fields up to an empty line, and then the body. However it is
 * cut, it ends at the same byte, and that is where a plain reading of the grammar has it end.
 */
#include "codec/http_body.h"

#include "fuzz.h"

enum { FIELDS_MAX = 8, STORAGE_SIZE = 2048 };

struct reading {
    enum http_body_status status;
    size_t taken;
};

static struct reading read_body(
    struct http_body body, const uint8_t *data, size_t size, struct fuzz_pieces pieces)
{
    struct reading reading = {.status = HTTP_BODY_MORE};

    while (reading.status == HTTP_BODY_MORE && reading.taken < size) {
        size_t piece = fuzz_next_piece(&pieces, size - reading.taken);
        size_t used = SIZE_MAX;

        reading.status = http_body_skip(&body, data + reading.taken, piece, &used);
        REQUIRE(used <= piece);
        REQUIRE(reading.status != HTTP_BODY_MORE || used == piece);
        reading.taken += used;
    }
    return reading;
}

/* Behind the line that starts here; NULL where it does not end. */
static const uint8_t *line_end(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 2; at++) {
        if (at[0] == '\r' && at[1] == '\n')
            return at + 2;
    }
    return NULL;
}

/*
 * Where chunks that are complete and small, as their sizes alone have it, end. It believes that
 * extensions and trailers are well-formed: what the codec took is.
 */
static size_t chunked_length(const uint8_t *data, size_t size, uint64_t *total)
{
    const uint8_t *at = data;
    const uint8_t *end = data + size;

    *total = 0;
    for (;;) {
        const uint8_t *next = line_end(at, end);
        char digits[24];
        size_t length = 0;
        uint64_t chunk;

        REQUIRE(next != NULL);
        while (at < next && *at == '0' && next - at > 1 && strchr("0123456789abcdefABCDEF", at[1]))
            at++;
        while (length < sizeof(digits) - 1 && at[length] != '\r' && at[length] != ';' &&
               at[length] != ' ' && at[length] != '\t') {
            digits[length] = (char)at[length];
            length++;
        }
        digits[length] = '\0';
        chunk = strtoull(digits, NULL, 16);
        at = next;
        if (chunk == 0)
            break;
        REQUIRE((uint64_t)(end - at) >= chunk && (uint64_t)(end - at) - chunk >= 2);
        at += chunk;
        REQUIRE(at[0] == '\r' && at[1] == '\n');
        at += 2;
        *total += chunk;
    }
    while (at[0] != '\r') {
        at = line_end(at, end);
        REQUIRE(at != NULL);
    }
    REQUIRE(end - at >= 2 && at[1] == '\n');
    return (size_t)(at + 2 - data);
}

static void check_body(const struct http_head *head, uint64_t limit, const uint8_t *data,
    size_t size, unsigned int choice)
{
    struct http_body body;
    bool unknown_coding = false;
    enum http_body_status status = http_body_begin(&body, head, limit, &unknown_coding);
    struct reading whole;

    REQUIRE(!unknown_coding || status == HTTP_BODY_BAD);
    if (head->version_minor == 0 && http_head_count(head, "Transfer-Encoding") > 0)
        REQUIRE(status == HTTP_BODY_BAD);
    if (http_head_count(head, "Content-Length") > 0 &&
        http_head_count(head, "Transfer-Encoding") > 0)
        REQUIRE(status == HTTP_BODY_BAD);
    if (status != HTTP_BODY_MORE)
        return;
    whole = read_body(body, data, size, (struct fuzz_pieces){0});
    for (uint32_t sequence = 1; sequence <= 2; sequence++) {
        struct reading cut =
            read_body(body, data, size, (struct fuzz_pieces){sequence + choice * (sequence - 1)});

        REQUIRE(cut.status == whole.status);
        REQUIRE(cut.taken == whole.taken);
    }
    if (whole.status != HTTP_BODY_DONE)
        return;
    /* Not one byte less is enough. */
    REQUIRE(
        read_body(body, data, whole.taken - 1, (struct fuzz_pieces){0}).status == HTTP_BODY_MORE);
    if (http_head_count(head, "Transfer-Encoding") > 0) {
        uint64_t total;

        REQUIRE(chunked_length(data, whole.taken, &total) == whole.taken);
        REQUIRE(total <= limit);
    } else {
        uint32_t at = 0;
        const struct http_field *field = http_head_find(head, "Content-Length", &at);

        REQUIRE(field != NULL);
        REQUIRE(strtoull(http_head_text(head, field->value), NULL, 10) == whole.taken);
        REQUIRE(whole.taken <= limit);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char request_lines[2][18] = {"POST / HTTP/1.1\r\n", "POST / HTTP/1.0\r\n"};
    unsigned int choice = fuzz_take_byte(&data, &size);
    uint64_t limit = UINT64_C(1) << (choice & 63);
    const char *request_line = request_lines[choice >> 7];
    struct http_head head;
    struct http_field fields[FIELDS_MAX];
    char storage[STORAGE_SIZE];
    size_t used;

    http_head_init(&head, storage, sizeof(storage), fields, FIELDS_MAX);
    if (http_head_parse(&head, (const unsigned char *)request_line, strlen(request_line), &used) !=
        HTTP_HEAD_MORE)
        abort();
    if (http_head_parse(&head, data, size, &used) == HTTP_HEAD_DONE)
        check_body(&head, limit, data + used, size - used, choice);
    return 0;
}
