/* Sec-WebSocket-Extensions: agrees with a plain reading of the grammar, one byte at a time. */
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

static bool is_valid_plainly(const char *list)
{
    enum place place = PLACE_START;
    bool any = false;

    for (; *list != '\0'; list++) {
        place = next(place, *list);
        any = any || place == PLACE_NAME;
    }
    return any && may_end(place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *list = fuzz_text(data, size);
    size_t length = strlen(list);
    bool valid = extension_list_is_valid(list);
    char *twice = fuzz_allocate(2 * length + 2);

    REQUIRE(valid == is_valid_plainly(list));

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
