#include "service/extension_settings.h"

#include "codec/token_list.h"
#include "connection/deflate_extension.h"
#include "connection/extension.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_LEVEL = 3, DEFAULT_MEMORY_LEVEL = 8, DEFAULT_THRESHOLD = 256 };

static bool is_within(int value, int least, int most)
{
    return value == 0 || (value >= least && value <= most);
}

static bool deflate_settings(
    struct deflate_settings *settings, const struct lws_context_extras *extras, struct text *error)
{
    bool forgets_sent = !(extras->deflate_takeover & LWS_DEFLATE_TAKEOVER_SEND);
    bool forgets_received = !(extras->deflate_takeover & LWS_DEFLATE_TAKEOVER_RECEIVE);
    unsigned char send_bits = (unsigned char)extras->deflate_send_window_bits;
    unsigned char receive_bits = (unsigned char)extras->deflate_receive_window_bits;

    if (!is_within(extras->deflate_level, 1, 9) || !is_within(extras->deflate_memory_level, 1, 9) ||
        !is_within(extras->deflate_send_window_bits, DEFLATE_WINDOW_MIN, DEFLATE_WINDOW_MAX) ||
        !is_within(extras->deflate_receive_window_bits, DEFLATE_WINDOW_MIN, DEFLATE_WINDOW_MAX) ||
        (extras->deflate_takeover &
            ~(unsigned int)(LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE))) {
        text_add(error, "a deflate_ setting is out of range");
        return false;
    }
    settings->level = extras->deflate_level ? extras->deflate_level : DEFAULT_LEVEL;
    settings->memory_level =
        extras->deflate_memory_level ? extras->deflate_memory_level : DEFAULT_MEMORY_LEVEL;
    settings->threshold = extras->deflate_threshold ? extras->deflate_threshold : DEFAULT_THRESHOLD;
    settings->as_server =
        (struct deflate_parameters){forgets_sent, forgets_received, send_bits, receive_bits};
    settings->as_client =
        (struct deflate_parameters){forgets_received, forgets_sent, receive_bits, send_bits};
    return true;
}

/* NULL, or what is wrong with one. */
static const char *find_fault(const struct libwebsocket_extension *elements, size_t index)
{
    const char *name = elements[index].name;

    if (!name || !token_is_valid(name, strlen(name)) || strlen(name) > EXTENSION_NAME_MAX)
        return "a name that is no token of at most 64 characters";
    for (size_t i = 0; i < index; i++)
        if (strcmp(elements[i].name, name) == 0)
            return "a name that another has";
    return NULL;
}

bool extension_settings(struct engine *engine, const struct libwebsocket_extension *elements,
    const struct lws_context_extras *extras, struct text *error)
{
    size_t count = 0;

    if (!deflate_settings(&engine->deflate.settings, extras, error))
        return false;
    for (; elements && count <= EXTENSIONS_MAX && elements[count].callback; count++) {
        const char *fault = find_fault(elements, count);

        if (fault) {
            text_add(error, "extension %zu has %s", count, fault);
            return false;
        }
    }
    if (count > EXTENSIONS_MAX) {
        text_add(error, "more than %d extensions, or an array without an end", EXTENSIONS_MAX);
        return false;
    }
    if (count == 0)
        return true;
    engine->extensions = calloc(count, sizeof(*engine->extensions));
    if (!engine->extensions) {
        text_add(error, "out of memory");
        return false;
    }
    engine->extension_count = count;
    for (size_t i = 0; i < count; i++) {
        engine->extensions[i].element = elements[i];
        engine->extensions[i].is_internal = elements[i].callback == deflate_extension;
        if (engine->extensions[i].is_internal)
            engine->extensions[i].element.per_session_data_size = deflate_extension_session_size();
    }
    return true;
}
