/* Comma-separated lists in header fields (RFC 9110 section 5.6.1), and tokens (5.6.2). */
#ifndef LWSLOOP_CODEC_TOKEN_LIST_H
#define LWSLOOP_CODEC_TOKEN_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Whether this byte may stand in a token. */
bool token_character(unsigned char byte);

/* Whether all of it is a token; an empty string is not. */
bool token_is_valid(const char *text, size_t length);

/*
 * The next element of a NUL-terminated list at *cursor, without white space around it; empty
 * elements are passed over. Returns false at the end of the list. Nothing is copied; *cursor
 * starts at the list's first byte. A comma inside a quoted string does not end an element.
 */
bool token_list_next(const char **cursor, const char **element, size_t *length);

/* Whether the list has that element, in any case of letters (for Connection and Upgrade). */
bool token_list_has(const char *list, const char *token);

/* Whether two texts are equal, in any case of letters. */
bool token_equal(const char *text, size_t length, const char *token);

#endif
