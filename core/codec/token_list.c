#include "codec/token_list.h"

#include <string.h>

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static unsigned char lower(char byte)
{
    unsigned char letter = (unsigned char)byte;

    if (letter >= 'A' && letter <= 'Z')
        return (unsigned char)(letter + ('a' - 'A'));
    return letter;
}

bool token_character(unsigned char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
        return true;
    if (byte >= '0' && byte <= '9')
        return true;
    switch (byte) {
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '.':
    case '^':
    case '_':
    case '`':
    case '|':
    case '~':
        return true;
    default:
        return false;
    }
}

bool token_is_valid(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!token_character((unsigned char)text[i]))
            return false;
    }
    return length != 0;
}

/* The comma or the NUL that ends the element. A quoted string left open runs to the NUL. */
static const char *element_end(const char *at)
{
    bool quoted = false;

    for (; *at != '\0'; at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted && *at == '\\' && at[1] != '\0')
            at++;
        else if (!quoted && *at == ',')
            break;
    }
    return at;
}

bool token_list_next(const char **cursor, const char **element, size_t *length)
{
    const char *start = *cursor;
    const char *end;

    while (is_blank(*start) || *start == ',')
        start++;
    *cursor = start;
    if (*start == '\0')
        return false;
    end = element_end(start);
    *cursor = end;
    while (is_blank(end[-1]))
        end--;
    *element = start;
    *length = (size_t)(end - start);
    return true;
}

bool token_list_has(const char *list, const char *token)
{
    const char *element;
    size_t length;

    while (token_list_next(&list, &element, &length)) {
        if (token_equal(element, length, token))
            return true;
    }
    return false;
}

bool token_equal(const char *text, size_t length, const char *token)
{
    if (strlen(token) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (lower(text[i]) != lower(token[i]))
            return false;
    }
    return true;
}
