#include "connection/http_exchange.h"

#include "connection/head_storage.h"

#include <stdlib.h>
#include <unistd.h>

struct http_exchange *http_exchange_begin(struct libwebsocket *wsi)
{
    const struct limits *limits = &engine_of(wsi)->limits;
    struct http_exchange *exchange;

    if (wsi->http)
        return wsi->http;
    exchange = calloc(1, sizeof(*exchange));
    if (!exchange || !head_storage_begin(&exchange->head, limits, false)) {
        free(exchange);
        return NULL;
    }
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
    header_tokens_clear(&exchange->tokens);
    head_storage_free(&exchange->head);
    free(exchange->file_path);
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
