#include "codec/extension_list.h"

#include "codec/token_list.h"

#include <stddef.h>

/* What is left of one element of the list. */
struct rest {
    const char *at;
    const char *end;
};

static void skip_blanks(struct rest *rest)
{
    while (rest->at < rest->end && (*rest->at == ' ' || *rest->at == '\t'))
        rest->at++;
}

static bool take(struct rest *rest, char byte)
{
    if (rest->at == rest->end || *rest->at != byte)
        return false;
    rest->at++;
    return true;
}

static bool take_token(struct rest *rest)
{
    const char *start = rest->at;

    while (rest->at < rest->end && token_character((unsigned char)*rest->at))
        rest->at++;
    return rest->at > start;
}

/* The string without its quotes and escapes must be a token. The opening quote has been taken. */
static bool take_quoted_token(struct rest *rest)
{
    size_t length = 0;

    while (rest->at < rest->end && *rest->at != '"') {
        if (*rest->at == '\\' && rest->at + 1 < rest->end)
            rest->at++;
        if (!token_character((unsigned char)*rest->at++))
            return false;
        length++;
    }
    return take(rest, '"') && length > 0;
}

static bool take_parameter(struct rest *rest)
{
    skip_blanks(rest);
    if (!take_token(rest))
        return false;
    skip_blanks(rest);
    if (!take(rest, '='))
        return true;
    skip_blanks(rest);
    return take(rest, '"') ? take_quoted_token(rest) : take_token(rest);
}

static bool extension_is_valid(struct rest rest)
{
    if (!take_token(&rest))
        return false;
    skip_blanks(&rest);
    while (take(&rest, ';')) {
        if (!take_parameter(&rest))
            return false;
        skip_blanks(&rest);
    }
    return rest.at == rest.end;
}

bool extension_list_is_valid(const char *list)
{
    const char *element;
    size_t length, count = 0;

    while (token_list_next(&list, &element, &length)) {
        if (!extension_is_valid((struct rest){element, element + length}))
            return false;
        count++;
    }
    return count > 0;
}
