#include "connection/header_tokens.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[WSI_TOKEN_COUNT] = {
    [WSI_TOKEN_HOST] = "Host",
    [WSI_TOKEN_CONNECTION] = "Connection",
    [WSI_TOKEN_KEY1] = "Sec-WebSocket-Key1",
    [WSI_TOKEN_KEY2] = "Sec-WebSocket-Key2",
    [WSI_TOKEN_PROTOCOL] = "Sec-WebSocket-Protocol",
    [WSI_TOKEN_UPGRADE] = "Upgrade",
    [WSI_TOKEN_ORIGIN] = "Origin",
    [WSI_TOKEN_DRAFT] = "Sec-WebSocket-Draft",
    [WSI_TOKEN_KEY] = "Sec-WebSocket-Key",
    [WSI_TOKEN_VERSION] = "Sec-WebSocket-Version",
    [WSI_TOKEN_SWORIGIN] = "Sec-WebSocket-Origin",
    [WSI_TOKEN_EXTENSIONS] = "Sec-WebSocket-Extensions",
    [WSI_TOKEN_ACCEPT] = "Sec-WebSocket-Accept",
    [WSI_TOKEN_NONCE] = "Sec-WebSocket-Nonce",
};

/* All values of a name with ", " between them. NULL where memory is short. */
static char *combine(const struct http_head *head, const char *name, size_t *length)
{
    const struct http_field *field;
    size_t size = 1, used = 0;
    uint32_t at = 0;
    char *text;

    while ((field = http_head_find(head, name, &at)))
        size += field->value_length + 2;
    text = malloc(size);
    if (!text)
        return NULL;
    at = 0;
    while ((field = http_head_find(head, name, &at))) {
        if (used > 0) {
            memcpy(text + used, ", ", 2);
            used += 2;
        }
        memcpy(text + used, http_head_text(head, field->value), field->value_length);
        used += field->value_length;
    }
    text[used] = '\0';
    *length = used;
    return text;
}

static bool fill_one(struct header_tokens *tokens, const struct http_head *head, int index)
{
    struct lws_tokens *token = &tokens->list[index];
    uint32_t count = http_head_count(head, names[index]);
    const struct http_field *field;
    uint32_t at = 0;
    size_t length;

    if (count == 0)
        return true;
    if (count == 1) {
        field = http_head_find(head, names[index], &at);
        token->token = head->storage + field->value;
        token->token_len = (int)field->value_length;
        return true;
    }
    token->token = combine(head, names[index], &length);
    token->token_len = token->token ? (int)length : 0;
    tokens->combined[index] = token->token;
    return token->token != NULL;
}

bool header_tokens_fill(struct header_tokens *tokens, const struct http_head *head)
{
    for (int i = 0; i < WSI_TOKEN_COUNT; i++)
        if (names[i] && !fill_one(tokens, head, i))
            return false;
    return true;
}

void header_tokens_set(struct header_tokens *tokens, enum lws_token_indexes index, const char *text)
{
    /* Not const in the API: programs only read what is there. */
    tokens->list[index].token = (char *)(size_t)text;
    tokens->list[index].token_len = text ? (int)strlen(text) : 0;
}

void header_tokens_clear(struct header_tokens *tokens)
{
    for (int i = 0; i < WSI_TOKEN_COUNT; i++)
        free(tokens->combined[i]);
    memset(tokens, 0, sizeof(*tokens));
}
