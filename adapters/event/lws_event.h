/* WebSockets on a program's libevent base. Link with lwsloop-event. */
#ifndef LWSLOOP_LWS_EVENT_H
#define LWSLOOP_LWS_EVENT_H

#include <event2/event.h>

#include "libwebsockets.h"

LWS_BEGIN_DECLARATIONS

/*
 * Has a context served by an event base: from now on everything happens inside the program's
 * event_base_dispatch() or event_base_loop().
 *
 *   context   may have connections already. Attaching again, to the same base or another, moves
 *             it, and so does attaching it to another kind of loop.
 *   base      made by the program and its own: it is never run, broken out of or freed here. It
 *             must not be freed before the context has been destroyed or attached elsewhere.
 *
 * The library has one struct event for each of the context's descriptors, at the base's default
 * priority. libevent knows no event that does not count: event_base_dispatch() does not return of
 * itself before the context has been destroyed, even where it neither listens nor has connections.
 *
 * Destroying the context frees these events at once; the base needs no further turn.
 *
 * A process that was forked since shares the base with the other one, and cannot use the context by
 * it: calls fail there with EBUSY until it has been attached to a base that was made after the
 * fork. Destroying or renouncing its copy frees the events there too, at once, for which the base
 * must still be there, and takes nothing from the other process.
 *
 * Where such a process goes on with the old base, it destroys or renounces its copy first, then
 * calls event_reinit(), and only then runs the base. Where event_reinit() came before, it is called
 * once more: what the other process has open would keep waking the base. So it would while a copy
 * is kept, of which nothing is served. A base that a copy was attached away from keeps the events,
 * and cannot be used any more.
 *
 * Returns 0. Returns -1 with errno and a log line where context or base is NULL, where it is called
 * from inside one of the four POLL_FD callbacks or the context is being destroyed (EINVAL); where
 * memory is short (ENOMEM); or where libevent would not watch one of the descriptors (the system's
 * error, EIO if it gave none): the four go to protocols[0] again then, and connections live on.
 *
 * To be called on the thread that runs the base, from anywhere but the four POLL_FD callbacks.
 * Calls back: only the four, to protocols[0], which is told DEL of what it was polling for so far,
 * and ADD again where attaching fails. An addition.
 */
LWS_VISIBLE int lws_event_attach(struct libwebsocket_context *context, struct event_base *base)
    LWS_LINK(lws_event_attach);

LWS_END_DECLARATIONS

#endif
