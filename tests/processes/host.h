/*
 * A program with one thread that serves a context on a loop of one of four kinds, a turn at a time,
 * so that it can be forked between two of them.
 */
#ifndef LWSLOOP_TESTS_PROCESSES_HOST_H
#define LWSLOOP_TESTS_PROCESSES_HOST_H

#include <stdbool.h>

#include <libwebsockets.h>

enum host_loop { HOST_POLL, HOST_UV, HOST_EVENT, HOST_OWN, HOST_LOOPS };

struct host {
    enum host_loop loop;
    struct libwebsocket_context *context;
    int port;
    int failed;                  /* clients that came to nothing */
    int destroyed;               /* how often PROTOCOL_DESTROY came */
    int mistold;                 /* how often protocols[0] was told what makes no sense */
    struct libwebsocket *newest; /* WebSocket that was established and is still there */
    bool forks;                  /* the next message has the process forked inside the callback */
    bool is_child;               /* this is the one that was forked there */

    struct libwebsocket_extension *extensions; /* to be set before host_open(); NULL: none */
};

/* The one that a process has. */
extern struct host host;

/* "news" sends messages back, and passes broadcasts on. */
extern struct libwebsocket_protocols host_protocols[];

/*
 * Makes a context that listens on a free port. False where something fails.
 *
 *   extras        NULL for the defaults
 *   certificate   with a key of the same name: it speaks TLS; NULL: it does not
 */
bool host_open(enum host_loop loop, const struct lws_context_extras *extras,
    const char *certificate, const char *key);

/* How many descriptors are in the array that protocols[0] keeps. */
int host_polled(void);

/* Attaches the context to a new loop. False with errno. */
bool host_attach(void);

/* Serves what is ready within so many milliseconds. */
void host_turn(int timeout_ms);

/* What libuv and libevent ask for in a process that was forked. False where it fails. */
bool host_reinit(void);

/* How many handles, or events of descriptors, there are in their loops. */
int host_left(void);

/* Whether such a loop sleeps until a timer of that many milliseconds ends. */
bool host_rests(int timeout_ms);

#endif
