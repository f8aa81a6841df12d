#include "deflate_option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char extension_name[] = "permessage-deflate";

static bool set(
    const char *name, size_t length, unsigned long value, struct lws_context_extras *extras)
{
    const struct {
        const char *name;
        int *number;
    } known[] = {
        {"level", &extras->deflate_level},
        {"memory_level", &extras->deflate_memory_level},
        {"send_bits", &extras->deflate_send_window_bits},
        {"receive_bits", &extras->deflate_receive_window_bits},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i].name) == length && memcmp(name, known[i].name, length) == 0) {
            *known[i].number = (int)value;
            return true;
        }
    }
    if (length == 9 && memcmp(name, "threshold", length) == 0)
        extras->deflate_threshold = value;
    else if (length == 8 && memcmp(name, "takeover", length) == 0)
        extras->deflate_takeover = (unsigned int)value;
    else if (length == 8 && memcmp(name, "unpacked", length) == 0)
        extras->max_unpacked_size = value;
    else
        return false;
    return true;
}

bool deflate_option(
    const char *text, struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    const char *at = text;

    info->extensions = libwebsocket_get_internal_extensions();
    if (!info->extensions) {
        fprintf(stderr, "the library was built without extensions\n");
        return false;
    }
    while (*at) {
        size_t length = strcspn(at, "=,");
        char *end = NULL;

        if (at[length] == '=') {
            unsigned long value = strtoul(at + length + 1, &end, 10);

            if (end == at + length + 1 || !set(at, length, value, extras))
                end = NULL;
        }
        if (!end || (*end && *end != ',')) {
            fprintf(stderr, "--deflate %s: not understood from \"%s\" on\n", text, at);
            return false;
        }
        at = *end ? end + 1 : end;
    }
    return true;
}

const char *deflate_name(struct libwebsocket *wsi)
{
    return lws_extension_is_active(wsi, extension_name) ? extension_name : "none";
}
