/*
 * How the engine and an event loop talk. Included by libwebsockets.h.
 *
 * The engine owns no loop. It names the descriptors it waits for, and the events, by four reasons
 * (LWS_CALLBACK_ADD_POLL_FD and the three that follow it), and is told of readiness by
 * libwebsocket_service_fd(). There is nothing else: it keeps its timers in a descriptor too.
 * docs/architecture.md has the rules by number; what a host must know is this.
 *
 * - Forward what is ready. Readiness is level-triggered: forward it as long as it lasts.
 *
 * - ADD comes before anything else about a descriptor, DEL exactly once for each ADD, before the
 *   descriptor is closed. SET_MODE and CLEAR_MODE come in between, only where they change
 *   something.
 *
 * - The four may come from any call into the library. Inside them only
 *   libwebsocket_get_socket_fd() may be called.
 */
#ifndef LWSLOOP_LWS_POLL_FD_H
#define LWSLOOP_LWS_POLL_FD_H

#include "lws_link.h"
#include "lws_protocol.h"

LWS_BEGIN_DECLARATIONS

/*
 * In a sink's flags: the descriptor is one of the engine's own (wake-ups, timers, broadcasts), for
 * which a loop need not be kept alive that would otherwise have nothing to do.
 */
#define LWS_POLL_HELPER 1u

/*
 * What is told of descriptors in place of protocols[0]: the foundation of adapters.
 *
 *   user     what was given to lws_set_poll_fd_callback()
 *   reason   LWS_CALLBACK_ADD_POLL_FD, _DEL_POLL_FD, _SET_MODE_POLL_FD, _CLEAR_MODE_POLL_FD, or
 *            LWS_CALLBACK_POLL_DETACHED, after which it is not called again and may free what it
 *            has; or LWS_CALLBACK_POLL_FORKED; fd is -1 in these two
 *   fd       the descriptor
 *   events   ADD: the events to wait for; SET_MODE: those to add to them; CLEAR_MODE: those to take
 *            from them; poll(2)'s POLLIN and POLLOUT, perhaps neither
 *   flags    LWS_POLL_HELPER or 0, the same in all calls about a descriptor
 *
 * Nonzero from ADD says that the descriptor cannot be watched: that connection is dropped, or,
 * while the sink is being set, setting it fails. The sink is not told DEL for it. Nonzero from
 * SET_MODE says that the events cannot be waited for: that connection is dropped, with DEL.
 *
 * POLL_FORKED comes in a process that was forked since, as it begins to use its copy of the
 * context. 0 says that the sink has forgotten all descriptors, has a loop of its own from now on,
 * and has left the one before as it was, which is the other process's: it is told ADD for each
 * descriptor next, and no DEL before that. Nonzero says that it cannot, and the call that was made
 * fails with EBUSY. It may come again.
 *
 * In a process that was forked since and has not begun to use the context, POLL_DETACHED comes
 * without DEL for the descriptors that were told: what watches them belongs to the other process,
 * and nothing may be done to it. Where the copy is destroyed or renounced they have been closed by
 * then, so that a loop can forget them and take nothing from the other one; where another sink is
 * set they are open.
 *
 * What else is returned is ignored. An addition.
 */
typedef int(lws_poll_fd_function)(struct libwebsocket_context *context, void *user,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags);

/*
 * Sets the sink of a context, at any time, also when there are connections.
 *
 *   function   NULL to go back to protocols[0]
 *   user       given to it; the caller's, until POLL_DETACHED
 *
 * Whoever was told of descriptors before is told DEL for each, and a sink POLL_DETACHED; then the
 * new one is told ADD for each. In a process that was forked since and has not begun to use the
 * context the old sink is told POLL_DETACHED alone, and the context adopted with the new one.
 *
 * Returns 0. Returns -1 where context is NULL, where it is called
 * from inside one of the four or while the context is being destroyed (EINVAL), or where the new
 * sink's ADD refused a descriptor: it has then been told DEL for those it took, is not told
 * POLL_DETACHED, and protocols[0] is told of descriptors again. An addition.
 */
LWS_VISIBLE int lws_set_poll_fd_callback(struct libwebsocket_context *context,
    lws_poll_fd_function *function, void *user) LWS_LINK(lws_set_poll_fd_callback);

/*
 * The sink that is set, or NULL; and in *user, unless user is NULL, what was given with it. This is
 * how an adapter finds its own again. NULL for a context of NULL. An addition.
 */
LWS_VISIBLE lws_poll_fd_function *lws_get_poll_fd_callback(
    struct libwebsocket_context *context, void **user) LWS_LINK(lws_get_poll_fd_callback);

/*
 * Tells protocols[0] too of what a sink was just told, for an adapter whose programs may keep an
 * array of their own beside it. Only to be called by a sink, with its own arguments; and with DEL,
 * as it is told POLL_FORKED or POLL_DETACHED, for each descriptor of which it was told ADD and not
 * DEL, because the array of a process that was forked is not shared. What protocols[0] returns is
 * ignored. Does nothing for POLL_DETACHED and POLL_FORKED themselves, nor in a process that frees
 * or renounces a copy that it has not used. An addition.
 */
LWS_VISIBLE void lws_poll_fd_to_protocol(struct libwebsocket_context *context,
    enum libwebsocket_callback_reasons reason, int fd, int events)
    LWS_LINK(lws_poll_fd_to_protocol);

LWS_END_DECLARATIONS

#endif
