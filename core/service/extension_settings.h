/* A context's extensions, made from what the program gave. */
#ifndef LWSLOOP_SERVICE_EXTENSION_SETTINGS_H
#define LWSLOOP_SERVICE_EXTENSION_SETTINGS_H

#include "base/text.h"
#include "connection/engine.h"

/* Copies the program's array, which may be NULL, and the settings of permessage-deflate. False, and
 * `error` says why, where something makes no sense or memory is short. */
bool extension_settings(struct engine *engine, const struct libwebsocket_extension *elements,
    const struct lws_context_extras *extras, struct text *error);

#endif
