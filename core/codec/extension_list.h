/* The Sec-WebSocket-Extensions field (RFC 6455 section 9.1). */
#ifndef LWSLOOP_CODEC_EXTENSION_LIST_H
#define LWSLOOP_CODEC_EXTENSION_LIST_H

#include <stdbool.h>

/* Whether a NUL-terminated value has the form of a list of at least one extension: tokens with
 * parameters, whose values are tokens or quoted strings that hold one. */
bool extension_list_is_valid(const char *list);

#endif
