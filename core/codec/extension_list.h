/* The Sec-WebSocket-Extensions field (RFC 6455 section 9.1). */
#ifndef LWSLOOP_CODEC_EXTENSION_LIST_H
#define LWSLOOP_CODEC_EXTENSION_LIST_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a NUL-terminated value has the form of a list of at least one extension: tokens with
 * parameters, whose values are tokens or quoted strings that hold one. */
bool extension_list_is_valid(const char *list);

/* One extension of a list, which stays where it is. */
struct extension_element {
    const char *name;
    size_t name_length;
    const char *at; /* the next parameter */
    const char *end;
};

struct extension_parameter {
    const char *name;
    size_t name_length;
    const char *value; /* NULL where it has none; else without its quotes, but with escapes */
    size_t value_length;
};

/*
 * The next extension of a list that is known to be valid; *cursor starts at the list's first byte.
 * False at its end.
 */
bool extension_list_next(const char **cursor, struct extension_element *element);

/* The next parameter of an extension. False where there is none any more. */
bool extension_parameter_next(
    struct extension_element *element, struct extension_parameter *parameter);

/* Whether it has this name. The case of letters counts: RFC 6455 says where it does not, and says
 * nothing of the kind about extensions. */
bool extension_element_is(const struct extension_element *element, const char *name);
bool extension_parameter_is(const struct extension_parameter *parameter, const char *name);

/*
 * Copies a parameter's value without escapes, and a NUL. Returns its length; 0, and an empty copy,
 * where it has none or it does not fit.
 */
size_t extension_value_copy(const struct extension_parameter *parameter, char *copy, size_t size);

/*
 * Adds an extension to a list, behind a comma where the text has something already. False, with
 * nothing added, where the name is no token, and where it does not fit: text->overflow says so
 * then, and stays set, so that a text put together in several calls can be looked at once.
 */
bool extension_text_add_name(struct text *text, const char *name);

/*
 * Adds a parameter to the extension at the end of the text, in the same way. The value is NULL for
 * none, else a token: whatever a quoted string may hold here needs no quotes. False where there is
 * no extension, too.
 */
bool extension_text_add_parameter(struct text *text, const char *name, const char *value);

#endif
