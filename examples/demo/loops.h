/* The same engine on three event loops, one in each of loop_poll.c, loop_uv.c and loop_event.c. */
#ifndef DEMO_LOOPS_H
#define DEMO_LOOPS_H

struct libwebsocket_context;

/*
 * Puts the context on a loop, prints the announcement and runs until SIGINT or SIGTERM; then
 * destroys the context, which closes every connection with 1001. Returns 0, or -1 where the loop
 * failed; the context is destroyed in any case.
 */
typedef int(loop_function)(struct libwebsocket_context *context, const char *announcement);

loop_function loop_run_poll;
loop_function loop_run_uv;
loop_function loop_run_event;

int loop_announce(const char *announcement);

struct loop {
    const char *name;
    loop_function *run; /* NULL where the adapter was not built */
};

/* Returns NULL where there is no loop of that name. */
const struct loop *loop_find(const char *name);

#endif
