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

#endif
