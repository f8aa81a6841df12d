/*
 * WebSockets for programs that have no event loop of their own. Link with lwsloop-poll.
 *
 * libwebsocket_service(), declared in lws_context.h, is this library's loop:
 *
 *   while (!done && libwebsocket_service(context, timeout_ms) >= 0)
 *       ;
 *
 * It waits with epoll(7) on Linux, where the cost of a turn depends on what is ready and not on how
 * many connections there are, and with poll(2) elsewhere. A call waits once, serves at most 64
 * descriptors that are ready, and returns; what else is ready is served by the next call. A signal
 * that is handled ends the wait. It may be called from inside callbacks, those of a service call
 * included, but not from the four POLL_FD callbacks. Where a callback destroys the context, it
 * returns 0 as always, and the program has to know that it must not be called again.
 */
#ifndef LWSLOOP_LWS_POLL_H
#define LWSLOOP_LWS_POLL_H

#include "libwebsockets.h"

LWS_BEGIN_DECLARATIONS

/*
 * Has a context served by libwebsocket_service(), which does this by itself where nothing is
 * attached. It has to be called only by programs that want to know early whether it works, or that
 * move a context here from another loop.
 *
 *   context   may have connections already. Attaching again begins anew.
 *
 * Unlike under other adapters, protocols[0] goes on receiving the four POLL_FD callbacks, so that a
 * program may keep an array for poll(2) and mix libwebsocket_service_fd() with
 * libwebsocket_service(). What it returns from them is ignored.
 *
 * In a process that was forked since, the next call of libwebsocket_service() begins anew by
 * itself: protocols[0] is told DEL, and then ADD, for each descriptor.
 *
 * Returns 0. Returns -1 with errno and a log line where context is NULL, where it is called from
 * inside one of the four or the context is being destroyed (EINVAL); where memory or descriptors
 * are short (ENOMEM, EMFILE, ENFILE); or where the system would not watch one of the descriptors
 * (its error): the four go to protocols[0] alone then, and connections live on.
 *
 * To be called from anywhere but the four. Calls back: only the four, to protocols[0]. What it
 * takes is one descriptor and a byte for each descriptor number up to the highest in use, and it is
 * given back when the context is destroyed or attached to another loop. An addition.
 */
LWS_VISIBLE int lws_poll_attach(struct libwebsocket_context *context) LWS_LINK(lws_poll_attach);

LWS_END_DECLARATIONS

#endif
