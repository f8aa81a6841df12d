/* In place of what there is about extensions, in a library that is built without them. */
#include "service/extension_settings.h"

#include <errno.h>

bool extension_settings(struct engine *engine, const struct libwebsocket_extension *elements,
    const struct lws_context_extras *extras, struct text *error)
{
    (void)engine;
    (void)extras;
    if (!elements || !elements->callback)
        return true;
    text_add(error, "extensions are given, and the library was built without them");
    return false;
}

/* What programs of 2011 and 2012 give to a context by name: there are none. */
LWS_VISIBLE extern struct libwebsocket_extension libwebsocket_internal_extensions[] LWS_LINK(
    libwebsocket_internal_extensions);

struct libwebsocket_extension libwebsocket_internal_extensions[] = {{NULL, NULL, 0, NULL}};

struct libwebsocket_extension *libwebsocket_get_internal_extensions(void)
{
    return NULL;
}

int lws_extension_is_active(struct libwebsocket *wsi, const char *name)
{
    (void)wsi;
    (void)name;
    return 0;
}

int lws_extension_add_parameter(
    struct lws_extension_negotiation *negotiation, const char *name, const char *value)
{
    (void)negotiation;
    (void)name;
    (void)value;
    lwsl_warn("lws_extension_add_parameter: the library was built without extensions\n");
    errno = EINVAL;
    return -1;
}
