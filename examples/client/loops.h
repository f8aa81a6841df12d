/* The same client on three event loops, one in each of loop_poll.c, loop_uv.c and loop_event.c. */
#ifndef CLIENT_LOOPS_H
#define CLIENT_LOOPS_H

#include <stdbool.h>
#include <stddef.h>

struct libwebsocket_context;

/*
 * Puts the context on a loop and runs until a callback has destroyed it and set *ended. Returns 0;
 * or -1 where the loop failed, and the context is destroyed all the same.
 */
typedef int(loop_function)(struct libwebsocket_context *context, const bool *ended);

loop_function loop_run_poll;
loop_function loop_run_uv;
loop_function loop_run_event;

struct loop {
    const char *name;
    loop_function *run; /* NULL where the adapter was not built */
};

/* Returns NULL where there is no loop of that name. */
const struct loop *loop_find(const char *name);

#endif
