/*
 * Names looked up by threads, so that the loop never waits for a name service. A resolver has a
 * bounded number of them, with all signals blocked; what they cannot take at once waits its turn. A
 * thread that finds nothing to do ends.
 *
 * All functions are for the one thread that has the resolver. After a fork the other process may
 * call all of them too, on a resolver and lookups of its own copy: a lookup that was begun before
 * fails there, and new ones get threads of that process.
 */
#ifndef LWSLOOP_PLATFORM_RESOLVER_H
#define LWSLOOP_PLATFORM_RESOLVER_H

#include "platform/socket_address.h"

enum { RESOLVER_THREADS_MAX = 8 };

struct resolver;
struct lookup;

/* NULL where memory is short. */
struct resolver *resolver_create(void);

/* Never waits: threads that are in the middle of something let go of the rest by themselves. All
 * lookups were taken or cancelled before. NULL is harmless. */
void resolver_release(struct resolver *resolver);

/*
 * Begins to look up a name's addresses.
 *
 *   fd   an eventfd of the caller's, written to once the answer is there; it is not touched any
 *        more when lookup_take has returned an answer or lookup_cancel has returned
 *
 * NULL with errno where memory is short or no thread can be started and none runs.
 */
struct lookup *lookup_begin(struct resolver *resolver, const char *name, int port, int fd);

enum lookup_result { LOOKUP_FOUND, LOOKUP_FAILED, LOOKUP_PENDING };

/*
 * Takes the answer, which ends the lookup unless it is LOOKUP_PENDING. FOUND: *addresses has at
 * least one, and is the caller's to free. FAILED: *why is a static text such as "host not found".
 */
enum lookup_result lookup_take(
    struct lookup *lookup, struct socket_addresses **addresses, const char **why);

/* Ends a lookup whose answer is not wanted any more. Never waits. */
void lookup_cancel(struct lookup *lookup);

#endif
