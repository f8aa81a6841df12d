/* Programs of older generations, whose calls fork; each is in a file of its own level. */
#ifndef LWSLOOP_TESTS_PROCESSES_OLDER_H
#define LWSLOOP_TESTS_PROCESSES_OLDER_H

#include <stddef.h>

struct older_program {
    /* Serves the port in a process of its own, and returns what the API's call did in the one that
     * goes on. */
    int (*start)(int port);

    /* Broadcasts to all connections of "news". */
    int (*broadcast)(const char *text);
};

/* 2010-12-18: libwebsocket_create_server(). */
extern const struct older_program older_server;

/* 2011-02-12: libwebsockets_fork_service_loop(). */
extern const struct older_program older_loop;

/* What the second returns for NULL, and for a context that is attached to another loop. */
int older_loop_of_nothing(void);
int older_loop_of_another(void);

#endif
