#include "connection/extension_negotiation.h"

#include "connection/client.h"
#include "connection/extension.h"

#include <stdlib.h>
#include <string.h>

size_t extension_text_size(const struct engine *engine)
{
    return engine->extension_count * EXTENSION_ALTERNATIVES_MAX *
               (EXTENSION_NAME_MAX + EXTENSION_PARAMETERS_MAX + sizeof(", ; ")) +
           1;
}

/* --- What the peer has said */

/* The parameters in a form for the program, in one block of memory. NULL where that is short. */
static struct lws_extension_parameter *read_parameters(
    struct extension_element element, size_t *count)
{
    struct extension_element again = element;
    struct extension_parameter parameter;
    struct lws_extension_parameter *list;
    size_t bytes = 0;
    char *at;

    *count = 0;
    while (extension_parameter_next(&element, &parameter)) {
        bytes += parameter.name_length + parameter.value_length + 2;
        ++*count;
    }
    list = malloc((*count + 1) * sizeof(*list) + bytes);
    if (!list)
        return NULL;
    at = (char *)(list + *count + 1);
    for (size_t i = 0; extension_parameter_next(&again, &parameter); i++) {
        list[i].name = at;
        memcpy(at, parameter.name, parameter.name_length);
        at += parameter.name_length;
        *at++ = '\0';
        list[i].value = parameter.value ? at : NULL;
        if (parameter.value)
            at += extension_value_copy(&parameter, at, parameter.value_length + 1) + 1;
    }
    return list;
}

static struct extension *find(struct engine *engine, const struct extension_element *element)
{
    for (size_t i = 0; i < engine->extension_count; i++)
        if (extension_element_is(element, engine->extensions[i].element.name))
            return &engine->extensions[i];
    return NULL;
}

static bool is_active(const struct extension_set *set, const struct extension *extension)
{
    for (size_t i = 0; set && i < set->count; i++)
        if (set->list[i].extension == extension)
            return true;
    return false;
}

/* Room for one more of the context's. False where memory is short. */
static bool make_room(struct libwebsocket *wsi)
{
    struct extension_set *set = extension_set_of(wsi);
    struct extension_set *larger;
    size_t count = set ? set->count : 0;

    if (!connection_rarely(wsi))
        return false;
    larger = realloc(set, sizeof(*set) + (count + 1) * sizeof(set->list[0]));
    if (!larger)
        return false;
    if (!set)
        memset(larger, 0, sizeof(*larger));
    /* It is on no list yet, and may have moved. */
    list_init(&larger->ticking);
    larger->wsi = wsi;
    wsi->rarely->extensions = larger;
    wsi->extended = true;
    return true;
}

enum verdict { AGREED, DECLINED, NO_MEMORY };

/* Has an extension look at what the peer has said; what it answers is in the text, if there is one.
 */
static enum verdict construct(struct libwebsocket *wsi, struct extension *extension,
    const struct extension_element *element, struct text *text)
{
    struct negotiation_out out = {text, text ? text->length : 0, element};
    struct lws_extension_negotiation negotiation = {.out = &out};
    struct active_extension active = {.extension = extension};
    struct lws_extension_parameter *parameters;
    size_t size = extension->element.per_session_data_size;
    enum verdict verdict = NO_MEMORY;

    parameters = read_parameters(*element, &negotiation.parameter_count);
    if (size > 0)
        active.session = calloc(1, size);
    if (!parameters || (size > 0 && !active.session) || !make_room(wsi))
        goto done;
    negotiation.parameters = parameters;
    verdict = DECLINED;
    if (extension_call(wsi, &active,
            text ? LWS_EXT_CALLBACK_CONSTRUCT : LWS_EXT_CALLBACK_CLIENT_CONSTRUCT, &negotiation, 0))
        goto done;
    active.reserved_bits = negotiation.reserved_bits & FRAME_RESERVED_BITS;
    if (active.reserved_bits & extension_reserved_bits(wsi)) {
        lwsl_notice("connection %d: the extension %s wants a reserved bit that another has\n",
            wsi->transport.fd, extension->element.name);
        (void)extension_call(wsi, &active, LWS_EXT_CALLBACK_DESTROY, NULL, 0);
        goto done;
    }
    verdict = AGREED;
    extension_set_of(wsi)->list[extension_set_of(wsi)->count++] = active;
    active.session = NULL;
done:
    free(parameters);
    free(active.session);
    return verdict;
}

/* --- A server's side */

static bool is_gone(const struct libwebsocket *wsi, unsigned char state)
{
    return engine_of(wsi)->ending || wsi->state != state;
}

bool extension_accept(
    struct libwebsocket *wsi, void *session, const char *offer, struct text *answer)
{
    struct engine *engine = engine_of(wsi);
    unsigned char state = wsi->state;
    struct extension_element element;
    uint32_t refused = 0, asked = 0;

    while (extension_list_next(&offer, &element)) {
        struct extension *extension = find(engine, &element);
        char bytes[EXTENSION_NAME_MAX + EXTENSION_PARAMETERS_MAX + 64];
        struct text text;
        uint32_t bit;

        if (!extension || is_active(extension_set_of(wsi), extension))
            continue;
        bit = UINT32_C(1) << (extension - engine->extensions);
        if (!(asked & bit) &&
            connection_callback_as(wsi, &engine->protocols[0], LWS_CALLBACK_CONFIRM_EXTENSION_OKAY,
                session, (void *)(size_t)extension->element.name, 0))
            refused |= bit;
        asked |= bit;
        if (is_gone(wsi, state))
            return false;
        if (refused & bit)
            continue;
        text_init(&text, bytes, sizeof(bytes));
        (void)extension_text_add_name(&text, extension->element.name);
        switch (construct(wsi, extension, &element, &text)) {
        case AGREED:
            text_add(answer, "%s%s", answer->length > 0 ? ", " : "", text.bytes);
            break;
        case DECLINED:
            break;
        case NO_MEMORY:
            return false;
        }
        if (is_gone(wsi, state))
            return false;
    }
    /* What was only tried leaves nothing behind. */
    if (wsi->extended && extension_set_of(wsi)->count == 0)
        extension_release(wsi);
    return true;
}

void extension_show_reply(struct libwebsocket *wsi, const struct text *reply)
{
    const struct extension_set *set = extension_set_of(wsi);

    for (size_t i = 0; set && i < set->count; i++)
        if (!set->list[i].extension->is_internal)
            (void)extension_call(wsi, &set->list[i], LWS_EXT_CALLBACK_HANDSHAKE_REPLY_TX,
                reply->bytes, reply->length);
}

/* --- A client's side */

static bool wants_to_offer(struct libwebsocket *wsi, struct extension *extension)
{
    void *name = (void *)(size_t)extension->element.name;
    unsigned char state = wsi->state;

    return !extension_call_all(wsi, LWS_EXT_CALLBACK_CHECK_OK_TO_PROPOSE_EXTENSION, name, 0) &&
           !is_gone(wsi, state) &&
           connection_callback_as(wsi, &engine_of(wsi)->protocols[0],
               LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED, wsi->session, name, 0) == 0;
}

void extension_offer(struct libwebsocket *wsi, struct text *offer)
{
    struct engine *engine = engine_of(wsi);
    unsigned char state = wsi->state;

    for (size_t i = 0; i < engine->extension_count && !is_gone(wsi, state); i++) {
        struct extension *extension = &engine->extensions[i];
        const struct active_extension idle = {.extension = extension};
        int more = 1;

        if (!wants_to_offer(wsi, extension) || is_gone(wsi, state))
            continue;
        for (unsigned int alternative = 0;
             more > 0 && alternative < EXTENSION_ALTERNATIVES_MAX && !is_gone(wsi, state);
             alternative++) {
            char bytes[EXTENSION_NAME_MAX + EXTENSION_PARAMETERS_MAX + 64];
            struct text text;
            struct negotiation_out out = {.text = &text};
            struct lws_extension_negotiation negotiation = {
                .alternative = alternative, .out = &out};

            text_init(&text, bytes, sizeof(bytes));
            (void)extension_text_add_name(&text, extension->element.name);
            out.start = text.length;
            more = extension_call(wsi, &idle, LWS_EXT_CALLBACK_OFFER, &negotiation, 0);
            if (more < 0 || is_gone(wsi, state))
                break;
            text_add(offer, "%s%s", offer->length > 0 ? ", " : "", text.bytes);
            wsi->client->offered |= UINT32_C(1) << i;
        }
    }
}

const char *extension_confirm(struct libwebsocket *wsi, const char *answer)
{
    struct engine *engine = engine_of(wsi);
    unsigned char state = wsi->state;
    struct extension_element element;

    if (!extension_list_is_valid(answer))
        return "the answer's Sec-WebSocket-Extensions is not a list of extensions";
    while (extension_list_next(&answer, &element)) {
        struct extension *extension = find(engine, &element);

        if (!extension || is_active(extension_set_of(wsi), extension) ||
            !(wsi->client->offered & UINT32_C(1) << (extension - engine->extensions)))
            return "the server uses an extension that was not offered";
        switch (construct(wsi, extension, &element, NULL)) {
        case AGREED:
            break;
        case DECLINED:
            return "the server uses an extension in a way that was not offered";
        case NO_MEMORY:
            return "out of memory";
        }
        if (is_gone(wsi, state))
            return "given up by the program";
    }
    return NULL;
}
