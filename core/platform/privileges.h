/* Becoming somebody else, for good. */
#ifndef LWSLOOP_PLATFORM_PRIVILEGES_H
#define LWSLOOP_PLATFORM_PRIVILEGES_H

#include "base/text.h"

#include <stdbool.h>

/*
 * Changes to the group and the user, where they are greater than 0, supplementary groups included.
 * False, and `error` says why, where that fails or could be undone.
 */
bool privileges_drop(int gid, int uid, struct text *error);

#endif
