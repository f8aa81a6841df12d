/* What the victim lives through. */
#ifndef LWSLOOP_TESTS_SCRIPT_H
#define LWSLOOP_TESTS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct script_step {
    const char *name;
    /* Whether it begins with an established WebSocket. */
    bool websocket;
    /* False where anything was not as it should be: the connection may have ended, or not. */
    bool (*function)(void);
};

extern const struct script_step script[];
extern const size_t script_length;

/* The victim's usual handshake. */
bool script_establish(void);

/* Leaves connections in the middle of everything, for the context to be destroyed with them. */
void script_last_scene(void);

#endif
