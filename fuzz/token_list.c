/* A comma-separated list: its elements, joined again, are the same elements. */
#include "codec/token_list.h"

#include "fuzz.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Whether a comma stands in it outside of a quoted string. */
static bool has_comma(const char *element, size_t length)
{
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        if (element[i] == '"')
            quoted = !quoted;
        else if (quoted && element[i] == '\\')
            i++;
        else if (!quoted && element[i] == ',')
            return true;
    }
    return false;
}

static void check_element(const char *list, const char *element, size_t length)
{
    char *copy = fuzz_text((const uint8_t *)element, length);

    REQUIRE(length > 0);
    REQUIRE(!is_blank(element[0]) && !is_blank(element[length - 1]));
    REQUIRE(!has_comma(element, length));
    REQUIRE(token_equal(element, length, copy));
    REQUIRE(token_list_has(list, copy));
    if (token_is_valid(element, length)) {
        for (size_t i = 0; i < length; i++) {
            REQUIRE(token_character((unsigned char)element[i]));
            if (copy[i] >= 'a' && copy[i] <= 'z')
                copy[i] = (char)(copy[i] - 'a' + 'A');
        }
        REQUIRE(token_list_has(list, copy));
        REQUIRE(strcspn(copy, " \t,;=\"()<>@:\\/[]?{}") == length);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *list = fuzz_text(data, size);
    char *joined = fuzz_allocate(strlen(list) + 2);
    const char *end = list + strlen(list);
    const char *cursor = list;
    const char *behind = list;
    const char *element;
    size_t length;
    size_t joined_length = 0;
    const char *again;

    while (token_list_next(&cursor, &element, &length)) {
        REQUIRE(element >= behind && cursor >= element + length && cursor <= end);
        behind = cursor;
        check_element(list, element, length);
        if (joined_length > 0)
            joined[joined_length++] = ',';
        memcpy(joined + joined_length, element, length);
        joined_length += length;
    }
    joined[joined_length] = '\0';
    cursor = list;
    again = joined;
    while (token_list_next(&cursor, &element, &length)) {
        const char *same;
        size_t same_length;

        REQUIRE(token_list_next(&again, &same, &same_length));
        REQUIRE(same_length == length && memcmp(same, element, length) == 0);
    }
    REQUIRE(!token_list_next(&again, &element, &length));
    REQUIRE(!token_list_has(list, ""));
    free(joined);
    free(list);
    return 0;
}
