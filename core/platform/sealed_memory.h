/* Memory that can be handed to another process as a descriptor, unchangeable from then on (memfd).
 */
#ifndef LWSLOOP_PLATFORM_SEALED_MEMORY_H
#define LWSLOOP_PLATFORM_SEALED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* An empty file without a name in any folder, kept over a fork and closed on exec. -1 with errno.
 */
int anonymous_file(const char *label);

/* One with these bytes, which nobody can change any more. -1 with errno. */
int sealed_memory_make(const void *bytes, size_t length);

/*
 * Reads one, from whomever it came, into a buffer of `length` bytes. False, with EINVAL, where it
 * is not sealed or not exactly that long; or with what reading failed with. Never waits.
 */
bool sealed_memory_read(int fd, void *bytes, size_t length);

#endif
