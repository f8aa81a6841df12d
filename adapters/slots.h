/* An array with a slot for each descriptor number, shared by the adapters. */
#ifndef LWSLOOP_ADAPTERS_SLOTS_H
#define LWSLOOP_ADAPTERS_SLOTS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/*
 * Makes sure that an array has a slot with the index fd.
 *
 *   slots       the array, from malloc(), or NULL where there is none yet
 *   count       how many slots it has; set to how many it has now
 *   slot_size   bytes of a slot, at least 1
 *
 * Returns the array, which may have moved, with zeros in the new slots; NULL, and the array as it
 * was, where memory is short or fd is negative.
 */
static inline void *lws_slots_for(void *slots, size_t *count, size_t slot_size, int fd)
{
    size_t wanted;
    void *grown;

    if (fd < 0)
        return NULL;
    if ((size_t)fd < *count)
        return slots;
    /* Descriptor numbers are small and dense: doubling keeps the copies rare. */
    wanted = *count < 64 ? 64 : *count * 2;
    if (wanted <= (size_t)fd)
        wanted = (size_t)fd + 1;
    /* Not realloc(): large memory fresh from calloc() takes up no room before it is used. */
    grown = calloc(wanted, slot_size);
    if (!grown)
        return NULL;
    if (slots)
        memcpy(grown, slots, *count * slot_size);
    free(slots);
    *count = wanted;
    return grown;
}

/*
 * Whether a descriptor is open. One that is not a loop forgets without taking it out of what it
 * shares with another process, where it may be open still.
 */
static inline bool lws_is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

#endif
