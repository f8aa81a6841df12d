/* Sec-WebSocket-Extensions: agrees with a plain reading of the grammar, one byte at a time, and
 * what is taken apart and put together again is what such a reading puts together. */
#include "codec/extension_list.h"

#include "codec/token_list.h"
#include "fuzz.h"

/* What has been read of an element. */
enum place {
    PLACE_START,
    PLACE_NAME,
    PLACE_BEHIND_NAME,
    PLACE_BEFORE_PARAMETER,
    PLACE_PARAMETER,
    PLACE_BEHIND_PARAMETER,
    PLACE_BEFORE_VALUE,
    PLACE_VALUE,
    PLACE_QUOTED,
    PLACE_QUOTED_MORE,
    PLACE_ESCAPE,
    PLACE_BEHIND_VALUE,
    PLACE_WRONG
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Where only a comma or a semicolon may follow. */
static enum place behind(char byte)
{
    if (byte == ',')
        return PLACE_START;
    return byte == ';' ? PLACE_BEFORE_PARAMETER : PLACE_WRONG;
}

static enum place next(enum place place, char byte)
{
    bool token = token_character((unsigned char)byte);

    switch (place) {
    case PLACE_START:
        if (is_blank(byte) || byte == ',')
            return PLACE_START;
        return token ? PLACE_NAME : PLACE_WRONG;
    case PLACE_NAME:
        if (token)
            return PLACE_NAME;
        return is_blank(byte) ? PLACE_BEHIND_NAME : behind(byte);
    case PLACE_BEHIND_NAME:
        return is_blank(byte) ? PLACE_BEHIND_NAME : behind(byte);
    case PLACE_BEFORE_PARAMETER:
        if (is_blank(byte))
            return PLACE_BEFORE_PARAMETER;
        return token ? PLACE_PARAMETER : PLACE_WRONG;
    case PLACE_PARAMETER:
        if (token)
            return PLACE_PARAMETER;
        if (byte == '=')
            return PLACE_BEFORE_VALUE;
        return is_blank(byte) ? PLACE_BEHIND_PARAMETER : behind(byte);
    case PLACE_BEHIND_PARAMETER:
        if (byte == '=')
            return PLACE_BEFORE_VALUE;
        return is_blank(byte) ? PLACE_BEHIND_PARAMETER : behind(byte);
    case PLACE_BEFORE_VALUE:
        if (is_blank(byte))
            return PLACE_BEFORE_VALUE;
        if (byte == '"')
            return PLACE_QUOTED;
        return token ? PLACE_VALUE : PLACE_WRONG;
    case PLACE_VALUE:
        if (token)
            return PLACE_VALUE;
        return is_blank(byte) ? PLACE_BEHIND_VALUE : behind(byte);
    case PLACE_QUOTED:
    case PLACE_QUOTED_MORE:
        if (byte == '"' && place == PLACE_QUOTED_MORE)
            return PLACE_BEHIND_VALUE;
        if (byte == '\\')
            return PLACE_ESCAPE;
        return token ? PLACE_QUOTED_MORE : PLACE_WRONG;
    case PLACE_ESCAPE:
        return token ? PLACE_QUOTED_MORE : PLACE_WRONG;
    case PLACE_BEHIND_VALUE:
        return is_blank(byte) ? PLACE_BEHIND_VALUE : behind(byte);
    case PLACE_WRONG:
        break;
    }
    return PLACE_WRONG;
}

static bool may_end(enum place place)
{
    switch (place) {
    case PLACE_START:
    case PLACE_NAME:
    case PLACE_BEHIND_NAME:
    case PLACE_PARAMETER:
    case PLACE_BEHIND_PARAMETER:
    case PLACE_VALUE:
    case PLACE_BEHIND_VALUE:
        return true;
    default:
        return false;
    }
}

/* What to write for this byte of a list. */
static void write_plainly(struct text *text, enum place before, enum place place, char byte)
{
    if (place == PLACE_NAME && before == PLACE_START && text->length > 0)
        text_add(text, ", ");
    if (place == PLACE_PARAMETER && before == PLACE_BEFORE_PARAMETER)
        text_add(text, "; ");
    if (place == PLACE_BEFORE_VALUE && byte == '=')
        text_add(text, "=");
    if (place == PLACE_NAME || place == PLACE_PARAMETER || place == PLACE_VALUE ||
        place == PLACE_QUOTED_MORE)
        text_add(text, "%c", byte);
}

static bool read_plainly(const char *list, struct text *text)
{
    enum place place = PLACE_START;
    bool any = false;

    for (; *list != '\0'; list++) {
        enum place before = place;

        place = next(place, *list);
        write_plainly(text, before, place, *list);
        any = any || place == PLACE_NAME;
    }
    return any && may_end(place);
}

static char *copy_text(const char *bytes, size_t length)
{
    char *copy = fuzz_allocate(length + 1);

    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

static void add_parameter(struct text *text, const struct extension_parameter *parameter)
{
    char *name = copy_text(parameter->name, parameter->name_length);
    char *value = fuzz_allocate(parameter->value_length + 1);
    size_t length = extension_value_copy(parameter, value, parameter->value_length + 1);

    REQUIRE(extension_parameter_is(parameter, name));
    REQUIRE(length == strlen(value) && (length > 0) == (parameter->value != NULL));
    REQUIRE(extension_value_copy(parameter, value, length) == 0);
    length = extension_value_copy(parameter, value, length + 1);
    REQUIRE(length == strlen(value));
    REQUIRE(extension_text_add_parameter(text, name, parameter->value ? value : NULL) !=
            text->overflow);
    free(name);
    free(value);
}

/* Of a list that is not valid there may be less than it has, but nothing else. */
static void write_again(const char *list, struct text *text)
{
    struct extension_element element;
    struct extension_parameter parameter;

    while (extension_list_next(&list, &element)) {
        char *name = copy_text(element.name, element.name_length);

        REQUIRE(extension_element_is(&element, name));
        REQUIRE(extension_text_add_name(text, name) != text->overflow);
        while (extension_parameter_next(&element, &parameter))
            add_parameter(text, &parameter);
        free(name);
    }
}

static void check_writing(const char *list, bool valid)
{
    /* At most a blank is added for each byte. */
    size_t room = 2 * strlen(list) + 1;
    char *plain = fuzz_allocate(room);
    char *written = fuzz_allocate(room);
    struct text text;

    text_init(&text, plain, room);
    REQUIRE(read_plainly(list, &text) == valid);
    REQUIRE(!text.overflow);
    if (valid) {
        text_init(&text, written, strlen(plain) + 1);
        write_again(list, &text);
        REQUIRE(!text.overflow && strcmp(written, plain) == 0);
        REQUIRE(extension_list_is_valid(written));
        text_init(&text, written, strlen(plain));
        write_again(list, &text);
        REQUIRE(text.overflow && strncmp(written, plain, text.length) == 0);
    } else {
        text_init(&text, written, room);
        write_again(list, &text);
        REQUIRE(!text.overflow);
        REQUIRE(text.length == 0 || extension_list_is_valid(written));
    }
    free(plain);
    free(written);
}

/* Something that may be no token, as the name and the value of what is written. */
static void check_word(const char *word)
{
    bool token = token_is_valid(word, strlen(word));
    size_t room = 4 * strlen(word) + 16;
    char *bytes = fuzz_allocate(room);
    struct text text;

    text_init(&text, bytes, room);
    REQUIRE(extension_text_add_name(&text, word) == token);
    REQUIRE(extension_text_add_parameter(&text, word, NULL) == token);
    REQUIRE(extension_text_add_parameter(&text, "a", word) == token);
    REQUIRE(extension_text_add_parameter(&text, word, "b") == token);
    REQUIRE(!text.overflow && extension_list_is_valid(bytes) == token);
    REQUIRE((text.length > 0) == token);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *list = fuzz_text(data, size);
    size_t length = strlen(list);
    bool valid = extension_list_is_valid(list);
    char *twice = fuzz_allocate(2 * length + 2);

    check_writing(list, valid);
    check_word(list);

    /* Two lists with a comma between them are one. */
    if (valid) {
        memcpy(twice, list, length);
        twice[length] = ',';
        memcpy(twice + length + 1, list, length + 1);
        REQUIRE(extension_list_is_valid(twice));
    }
    free(twice);
    free(list);
    return 0;
}
