/* The public functions about extensions. */
#include "codec/deflate_parameters.h"
#include "connection/deflate_extension.h"
#include "connection/extension.h"
#include "connection/extension_negotiation.h"

#include <errno.h>
#include <string.h>

struct libwebsocket_extension *libwebsocket_get_internal_extensions(void)
{
    static const struct libwebsocket_extension extensions[] = {
        {deflate_extension_name, deflate_extension, 0, NULL}, {NULL, NULL, 0, NULL}};

    /* Not const in the API, but not to be written to. */
    return (struct libwebsocket_extension *)(size_t)extensions;
}

int lws_extension_is_active(struct libwebsocket *wsi, const char *name)
{
    const struct extension_set *set = wsi && wsi->established ? extension_set_of(wsi) : NULL;

    for (size_t i = 0; set && name && i < set->count; i++)
        if (strcmp(set->list[i].extension->element.name, name) == 0)
            return 1;
    return 0;
}

int lws_extension_add_parameter(
    struct lws_extension_negotiation *negotiation, const char *name, const char *value)
{
    struct negotiation_out *out = negotiation ? negotiation->out : NULL;
    size_t before;
    int error = EINVAL;

    if (out && out->text && name) {
        before = out->text->length;
        if (extension_text_add_parameter(out->text, name, value) &&
            out->text->length - out->start <= EXTENSION_PARAMETERS_MAX)
            return 0;
        if (out->text->overflow || out->text->length > before)
            error = EMSGSIZE;
        out->text->overflow = false;
        out->text->length = before;
        out->text->bytes[before] = '\0';
    }
    lwsl_warn("lws_extension_add_parameter: %s\n",
        error == EINVAL ? "no parameter, or no time for one" : "too many parameters");
    errno = error;
    return -1;
}
