#include "connection/client_answer.h"

#include "connection/head_storage.h"

#include <string.h>

/* Whoever sends more of them has nothing else to say. */
enum { MOST_INTERIM = 16, SWITCHING_PROTOCOLS = 101, FIRST_FINAL = 200 };

/* Whether the head at hand is only an interim one. */
static bool is_interim(const struct http_head *head)
{
    return head->status < FIRST_FINAL && head->status != SWITCHING_PROTOCOLS;
}

/* False where it may not be longer, or memory is short. */
static bool enlarge(struct http_head *head, const struct limits *limits, const char **why)
{
    switch (head_storage_grow(head, limits)) {
    case HEAD_GROWN:
        return true;
    case HEAD_TOO_LARGE:
        *why = "the answer's head is too large";
        break;
    case HEAD_NO_MEMORY:
        *why = "out of memory";
        break;
    }
    return false;
}

/* A whole head is there. MORE: it was an interim one, and the next may come. */
static enum client_answer_status finish(struct client_answer *answer, const char **why)
{
    struct http_head *head = &answer->head;

    if (!is_interim(head))
        return CLIENT_ANSWER_DONE;
    if (++answer->interim > MOST_INTERIM) {
        *why = "too many interim answers";
        return CLIENT_ANSWER_BAD;
    }
    http_head_init_response(
        head, head->storage, head->storage_size, head->fields, head->fields_max);
    return CLIENT_ANSWER_MORE;
}

enum client_answer_status client_answer_read(struct client_answer *answer,
    const struct limits *limits, const unsigned char *bytes, size_t length, size_t *used,
    const char **why)
{
    struct http_head *head = &answer->head;
    enum client_answer_status status = CLIENT_ANSWER_MORE;

    *used = 0;
    if (!head->storage && !head_storage_begin(head, limits, true)) {
        *why = "out of memory";
        return CLIENT_ANSWER_BAD;
    }
    while (status == CLIENT_ANSWER_MORE && *used < length) {
        size_t taken = 0;
        enum http_head_status parsed = http_head_parse(head, bytes + *used, length - *used, &taken);

        *used += taken;
        switch (parsed) {
        case HTTP_HEAD_MORE:
            break;
        case HTTP_HEAD_DONE:
            status = finish(answer, why);
            break;
        case HTTP_HEAD_STORAGE_FULL:
            if (!enlarge(head, limits, why))
                status = CLIENT_ANSWER_BAD;
            break;
        case HTTP_HEAD_FIELDS_FULL:
            *why = "the answer has too many header fields";
            status = CLIENT_ANSWER_BAD;
            break;
        case HTTP_HEAD_BAD:
            *why = "the answer is not HTTP";
            status = CLIENT_ANSWER_BAD;
            break;
        case HTTP_HEAD_BAD_VERSION:
            *why = "the answer is not HTTP/1";
            status = CLIENT_ANSWER_BAD;
            break;
        }
    }
    return status;
}

void client_answer_clear(struct client_answer *answer)
{
    header_tokens_clear(&answer->tokens);
    head_storage_free(&answer->head);
    memset(answer, 0, sizeof(*answer));
}
