/* Memory for the head of a request or an answer, which grows with it up to a limit. */
#ifndef LWSLOOP_CONNECTION_HEAD_STORAGE_H
#define LWSLOOP_CONNECTION_HEAD_STORAGE_H

#include "codec/http_head.h"
#include "connection/engine.h"

#include <stdbool.h>

/* False where memory is short. */
bool head_storage_begin(struct http_head *head, const struct limits *limits, bool is_answer);

enum head_growth { HEAD_GROWN, HEAD_TOO_LARGE, HEAD_NO_MEMORY };

enum head_growth head_storage_grow(struct http_head *head, const struct limits *limits);

/* Harmless where it never began. */
void head_storage_free(struct http_head *head);

#endif
