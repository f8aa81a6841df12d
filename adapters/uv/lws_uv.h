/* WebSockets on a program's libuv loop. Link with lwsloop-uv. */
#ifndef LWSLOOP_LWS_UV_H
#define LWSLOOP_LWS_UV_H

#include <uv.h>

#include "libwebsockets.h"

LWS_BEGIN_DECLARATIONS

/*
 * Has a context served by a loop: from now on everything happens inside the program's uv_run().
 *
 *   context   may have connections already. Attaching again, to the same loop or another, moves
 *             it, and so does attaching it to another kind of loop.
 *   loop      initialised by the program and its own: it is never run, stopped or closed here. It
 *             must not be closed before the context has been destroyed or attached elsewhere.
 *
 * The library has one uv_poll_t for each of the context's descriptors. Those of listening sockets
 * and connections keep uv_run() from returning as any active handle does; the engine's own do not.
 *
 * Destroying the context closes these handles. As libuv asks of everybody, the loop must run once
 * more before uv_loop_close(), which otherwise returns UV_EBUSY: let uv_run() come to its end, or
 * call uv_run(loop, UV_RUN_NOWAIT). The memory of the handles is freed then.
 *
 * They are not the program's: one that closes all that uv_walk() finds destroys the context first,
 * and leaves alone what is closing. Otherwise nothing is served any more, and one turn may not be
 * enough after the context is destroyed; let uv_run() come to its end then.
 *
 * A process that was forked since shares the loop with the other one, and cannot use the context by
 * it: calls fail there with EBUSY until it has been attached to a loop that was made after the
 * fork. Destroying or renouncing its copy closes the handles there too, at once, for which the loop
 * must still be there, and takes nothing from the other process.
 *
 * Where such a process goes on with the old loop, uv_loop_fork() comes before the loop runs there,
 * as libuv asks, and so does destroying or renouncing the copy. Where the loop has run with a copy
 * that is destroyed later, uv_loop_fork() is called once more: what the other process has open
 * would keep waking the loop. While a copy is kept nothing of it is served, and what is ready is
 * not watched any more. A loop that a copy was attached away from keeps the handles, and cannot be
 * used any more.
 *
 * Returns 0. Returns -1 with errno and a log line where context or loop is NULL, where it is called
 * from inside one of the four POLL_FD callbacks or the context is being destroyed (EINVAL); where
 * memory is short (ENOMEM); or where libuv would not watch one of the descriptors (libuv's own
 * error as errno): the four go to protocols[0] again then, and connections live on.
 *
 * To be called on the thread that runs the loop, from anywhere but the four POLL_FD callbacks.
 * Calls back: only the four, to protocols[0], which is told DEL of what it was polling for so far,
 * and ADD again where attaching fails. An addition.
 */
LWS_VISIBLE int lws_uv_attach(struct libwebsocket_context *context, uv_loop_t *loop)
    LWS_LINK(lws_uv_attach);

LWS_END_DECLARATIONS

#endif
