/* What a context is made from, whatever the form in which the program said it. */
#ifndef LWSLOOP_SERVICE_SETTINGS_H
#define LWSLOOP_SERVICE_SETTINGS_H

#include "base/text.h"
#include "connection/engine.h"
#include "service/level.h"

/* Fills in the limits, with the defaults where the program did not say. NULL extras: all of them.
 * False, and `error` says why, where a value makes no sense. */
bool settings_limits(
    struct limits *limits, const struct lws_context_extras *extras, struct text *error);

/*
 * Copies as much of a program's extras as this library knows: the program may have been compiled
 * against an older or a newer header. False where the size is none.
 */
bool settings_extras(
    struct lws_context_extras *known, const struct lws_context_extras *given, struct text *error);

/* The engine's own array, made from the program's, which is in the layout of its level; NULL, and
 * `error` says why. */
struct protocol *settings_protocols(void *elements, int level, size_t *count, struct text *error);

#endif
