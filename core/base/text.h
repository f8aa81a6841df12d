/* Text put together in a buffer of fixed size; what does not fit is remembered, not written. */
#ifndef LWSLOOP_BASE_TEXT_H
#define LWSLOOP_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct text {
    char *bytes;
    size_t size;
    size_t length;
    bool overflow; /* something was left out; what is there is still NUL-terminated */
};

static inline void text_init(struct text *text, char *bytes, size_t size)
{
    text->bytes = bytes;
    text->size = size;
    text->length = 0;
    text->overflow = size == 0;
    if (size)
        bytes[0] = '\0';
}

__attribute__((format(printf, 2, 3))) static inline void text_add(
    struct text *text, const char *format, ...)
{
    va_list arguments;
    int added;

    if (text->overflow)
        return;
    va_start(arguments, format);
    added = vsnprintf(text->bytes + text->length, text->size - text->length, format, arguments);
    va_end(arguments);
    if (added < 0 || (size_t)added >= text->size - text->length) {
        text->overflow = true;
        text->bytes[text->length] = '\0';
        return;
    }
    text->length += (size_t)added;
}

/* A phrase of somebody else's in the middle of a sentence: it begins with a small letter there, but
 * for a word that is all capitals. */
static inline void text_add_phrase(struct text *text, const char *phrase)
{
    bool capital = phrase[0] >= 'A' && phrase[0] <= 'Z' && phrase[1] >= 'a' && phrase[1] <= 'z';

    if (capital)
        text_add(text, "%c%s", phrase[0] - 'A' + 'a', phrase + 1);
    else
        text_add(text, "%s", phrase);
}

#endif
