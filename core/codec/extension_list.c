#include "codec/extension_list.h"

#include "codec/token_list.h"

#include <string.h>

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

static bool take_token(struct rest *rest, const char **token, size_t *length)
{
    *token = rest->at;
    while (rest->at < rest->end && token_character((unsigned char)*rest->at))
        rest->at++;
    *length = (size_t)(rest->at - *token);
    return *length > 0;
}

/* The string without its quotes and escapes must be a token. The opening quote has been taken. */
static bool take_quoted_token(struct rest *rest, const char **token, size_t *length)
{
    *token = rest->at;
    while (rest->at < rest->end && *rest->at != '"') {
        if (*rest->at == '\\' && rest->at + 1 < rest->end)
            rest->at++;
        if (!token_character((unsigned char)*rest->at++))
            return false;
    }
    *length = (size_t)(rest->at - *token);
    return take(rest, '"') && *length > 0;
}

static bool take_parameter(struct rest *rest, struct extension_parameter *parameter)
{
    parameter->value = NULL;
    parameter->value_length = 0;
    skip_blanks(rest);
    if (!take_token(rest, &parameter->name, &parameter->name_length))
        return false;
    skip_blanks(rest);
    if (!take(rest, '='))
        return true;
    skip_blanks(rest);
    return take(rest, '"') ? take_quoted_token(rest, &parameter->value, &parameter->value_length)
                           : take_token(rest, &parameter->value, &parameter->value_length);
}

static bool take_element(struct rest *rest, struct extension_element *element)
{
    if (!take_token(rest, &element->name, &element->name_length))
        return false;
    skip_blanks(rest);
    element->at = rest->at;
    element->end = rest->end;
    return true;
}

bool extension_parameter_next(
    struct extension_element *element, struct extension_parameter *parameter)
{
    struct rest rest = {element->at, element->end};

    if (!take(&rest, ';') || !take_parameter(&rest, parameter))
        return false;
    skip_blanks(&rest);
    element->at = rest.at;
    return true;
}

static bool extension_is_valid(struct rest rest)
{
    struct extension_element element;
    struct extension_parameter parameter;

    if (!take_element(&rest, &element))
        return false;
    while (extension_parameter_next(&element, &parameter))
        continue;
    return element.at == element.end;
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

bool extension_list_next(const char **cursor, struct extension_element *element)
{
    const char *at;
    size_t length;

    if (!token_list_next(cursor, &at, &length))
        return false;
    return take_element(&(struct rest){at, at + length}, element);
}

size_t extension_value_copy(const struct extension_parameter *parameter, char *copy, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < parameter->value_length && length < size; i++) {
        if (parameter->value[i] == '\\' && i + 1 < parameter->value_length)
            i++;
        copy[length++] = parameter->value[i];
    }
    if (length == size)
        length = 0;
    if (size > 0)
        copy[length] = '\0';
    return length;
}

static bool is(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(text, name, length) == 0;
}

bool extension_element_is(const struct extension_element *element, const char *name)
{
    return is(element->name, element->name_length, name);
}

bool extension_parameter_is(const struct extension_parameter *parameter, const char *name)
{
    return is(parameter->name, parameter->name_length, name);
}

static bool is_token(const char *text)
{
    return token_is_valid(text, strlen(text));
}

bool extension_text_add_name(struct text *text, const char *name)
{
    if (!is_token(name))
        return false;
    text_add(text, "%s%s", text->length > 0 ? ", " : "", name);
    return !text->overflow;
}

bool extension_text_add_parameter(struct text *text, const char *name, const char *value)
{
    if (text->length == 0 || !is_token(name) || (value && !is_token(value)))
        return false;
    text_add(text, "; %s%s%s", name, value ? "=" : "", value ? value : "");
    return !text->overflow;
}
