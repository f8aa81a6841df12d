#include "connection/subprotocol.h"

#include "codec/token_list.h"

#include <string.h>

/* Subprotocols in one offer. Each is compared with those before it. */
enum { MOST_OFFERED = 64 };

/* Whether an element of the offer stands in it before `name`, too. */
static bool is_repeated(const char *offer, const char *name, size_t length)
{
    const char *element;
    size_t element_length;

    while (token_list_next(&offer, &element, &element_length) && element != name)
        if (element_length == length && memcmp(element, name, length) == 0)
            return true;
    return false;
}

const char *subprotocol_offer_fault(const char *offer)
{
    const char *cursor = offer;
    const char *element;
    size_t length;
    int count = 0;

    while (token_list_next(&cursor, &element, &length)) {
        if (++count > MOST_OFFERED)
            return "more subprotocols than anybody offers";
        if (!token_is_valid(element, length) || is_repeated(offer, element, length))
            return "the subprotocols are not a list of unique tokens";
    }
    return NULL;
}

struct protocol *subprotocol_find(struct engine *engine, const char *name, size_t length)
{
    for (size_t i = 0; i < engine->protocol_count; i++) {
        struct protocol *protocol = &engine->protocols[i];

        if (protocol->name && strlen(protocol->name) == length &&
            memcmp(protocol->name, name, length) == 0)
            return protocol;
    }
    return NULL;
}

struct protocol *subprotocol_first_known(
    struct engine *engine, const char *offer, const char **name, size_t *length)
{
    while (token_list_next(&offer, name, length)) {
        struct protocol *protocol = subprotocol_find(engine, *name, *length);

        if (protocol)
            return protocol;
    }
    *name = NULL;
    *length = 0;
    return NULL;
}

struct protocol *subprotocol_of_nobody(struct engine *engine)
{
    for (size_t i = 0; i < engine->protocol_count; i++)
        if (!engine->protocols[i].name)
            return &engine->protocols[i];
    return &engine->protocols[0];
}
