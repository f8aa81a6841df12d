#include "connection/http_exchange.h"

#include <stdlib.h>
#include <unistd.h>

enum { FIRST_HEAD_SIZE = 1024 };

struct http_exchange *http_exchange_begin(struct libwebsocket *wsi)
{
    const struct limits *limits = &engine_of(wsi)->limits;
    uint32_t size = limits->head < FIRST_HEAD_SIZE ? limits->head : FIRST_HEAD_SIZE;
    struct http_exchange *exchange;
    struct http_field *fields;
    char *storage;

    if (wsi->http)
        return wsi->http;
    exchange = calloc(1, sizeof(*exchange));
    storage = malloc(size);
    fields = calloc(limits->header_fields, sizeof(*fields));
    if (!exchange || !storage || !fields) {
        free(exchange);
        free(storage);
        free(fields);
        return NULL;
    }
    http_head_init(&exchange->head, storage, size, fields, limits->header_fields);
    exchange->file = -1;
    wsi->http = exchange;
    return exchange;
}

void http_exchange_free(struct libwebsocket *wsi)
{
    struct http_exchange *exchange = wsi->http;

    if (!exchange)
        return;
    wsi->http = NULL;
    if (exchange->file >= 0)
        close(exchange->file);
    for (int i = 0; i < WSI_TOKEN_COUNT; i++)
        free(exchange->combined[i]);
    free(exchange->head.storage);
    free(exchange->head.fields);
    free(exchange->path);
    free(exchange);
}

bool http_exchange_ignores_input(const struct libwebsocket *wsi)
{
    return wsi->http && wsi->http->answer == HTTP_ANSWER_RAW;
}

bool http_exchange_sends_file(const struct libwebsocket *wsi)
{
    return wsi->http && wsi->http->answer == HTTP_ANSWER_FILE;
}
