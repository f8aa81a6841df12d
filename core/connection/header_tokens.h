/* The header fields that programs can read, by the numbers the API gives them. */
#ifndef LWSLOOP_CONNECTION_HEADER_TOKENS_H
#define LWSLOOP_CONNECTION_HEADER_TOKENS_H

#include "codec/http_head.h"
#include "libwebsockets.h"

#include <stdbool.h>

/* All zero has none. */
struct header_tokens {
    struct lws_tokens list[WSI_TOKEN_COUNT]; /* point into a head, or are combined copies */
    char *combined[WSI_TOKEN_COUNT];
};

/* Fills in those that are header fields. The head has to stay. False where memory is short. */
bool header_tokens_fill(struct header_tokens *tokens, const struct http_head *head);

/* Sets one that is not a field, to a text that has to stay; NULL for none. */
void header_tokens_set(
    struct header_tokens *tokens, enum lws_token_indexes index, const char *text);

void header_tokens_clear(struct header_tokens *tokens);

/* NULL where there is none. */
static inline const char *header_tokens_text(
    const struct header_tokens *tokens, enum lws_token_indexes index)
{
    return tokens->list[index].token;
}

#endif
