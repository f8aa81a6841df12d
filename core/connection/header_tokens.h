/* The header fields that programs can read, by the numbers the API gives them. */
#ifndef LWSLOOP_CONNECTION_HEADER_TOKENS_H
#define LWSLOOP_CONNECTION_HEADER_TOKENS_H

#include "connection/http_exchange.h"

/* Fills in the exchange's tokens from its head and path. False where memory is short. */
bool header_tokens_fill(struct http_exchange *exchange);

/* NULL where the client did not send it, or there is no request to read from. */
const struct lws_tokens *header_token(const struct libwebsocket *wsi, enum lws_token_indexes index);

#endif
