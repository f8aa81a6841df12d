/*
 * Stands in for the engine under an adapter: it names descriptors to the sink as a test says, and
 * checks what the adapter hands in. Nothing of the library but the adapter is in these programs.
 */
#ifndef LWSLOOP_TESTS_ADAPTERS_FAKE_ENGINE_H
#define LWSLOOP_TESTS_ADAPTERS_FAKE_ENGINE_H

#include <libwebsockets.h>

/* What a test does when a descriptor is served. */
typedef void(fake_served_function)(int fd, int revents);

struct fake_descriptor {
    int live; /* between ADD and DEL */
    int wanted;
    unsigned int flags;
    fake_served_function *served; /* NULL: nothing is done */
    int hits;                     /* how often it was served since it was last added */
    int revents;                  /* what was handed in the last time */
};

/* The one context. */
extern struct libwebsocket_context *const fake_context;

/* fd is below 1024. */
struct fake_descriptor *fake_descriptor(int fd);

/* The four, as the engine would tell them. add and try_set return what the sink returned, 0 without
 * one. */
int fake_add(int fd, int events, unsigned int flags, fake_served_function *served);
int fake_try_set(int fd, int events);
void fake_set(int fd, int events);
void fake_clear(int fd, int events);
void fake_delete(int fd);

/* What the engine does in a process that was forked: it begins to use the context, for which it
 * returns what the sink did; lets go of the sink; or closes all and frees the context unused. */
int fake_adopt(void);
void fake_let_go(void);
void fake_give_up(void);

/* Nothing is served from now on. */
void fake_refuse(void);

/* How often protocols[0] would have been told, and a sink POLL_DETACHED. */
int fake_forwarded(void);
int fake_detached(void);

#endif
