/* The extensions of the engine under test: permessage-deflate, and one that cuts everything to
 * small pieces, the stream as well as messages. */
#ifndef LWSLOOP_FUZZ_ENGINE_EXTENSION_H
#define LWSLOOP_FUZZ_ENGINE_EXTENSION_H

#include "fuzz.h"

#include <libwebsockets.h>

#define ENGINE_EXTENSION_PIECES "x-pieces"
#define ENGINE_EXTENSION_DEFLATE "permessage-deflate"

/* Gives them to a context that is to be made, unless the library was built without. */
void engine_extension_prepare(
    struct lws_context_creation_info *info, struct lws_context_extras *extras);

/* On how many connections the second is active. */
unsigned int engine_extension_connections(void);

#endif
