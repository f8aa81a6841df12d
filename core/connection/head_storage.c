#include "connection/head_storage.h"

#include <stdlib.h>

enum { FIRST_SIZE = 1024 };

bool head_storage_begin(struct http_head *head, const struct limits *limits, bool is_answer)
{
    uint32_t size = limits->head < FIRST_SIZE ? limits->head : FIRST_SIZE;
    char *storage = malloc(size);
    struct http_field *fields = calloc(limits->header_fields, sizeof(*fields));

    if (!storage || !fields) {
        free(storage);
        free(fields);
        return false;
    }
    if (is_answer)
        http_head_init_response(head, storage, size, fields, limits->header_fields);
    else
        http_head_init(head, storage, size, fields, limits->header_fields);
    return true;
}

enum head_growth head_storage_grow(struct http_head *head, const struct limits *limits)
{
    uint32_t size = head->storage_size > limits->head / 2 ? limits->head : head->storage_size * 2;
    char *storage;

    if (head->storage_size >= limits->head)
        return HEAD_TOO_LARGE;
    storage = realloc(head->storage, size);
    if (!storage)
        return HEAD_NO_MEMORY;
    http_head_move(head, storage, size);
    return HEAD_GROWN;
}

void head_storage_free(struct http_head *head)
{
    free(head->storage);
    free(head->fields);
    head->storage = NULL;
    head->fields = NULL;
}
