/* Programs of older generations, whose calls fork; each is in a file of its own level. */
#ifndef LWSLOOP_TESTS_PROCESSES_OLDER_H
#define LWSLOOP_TESTS_PROCESSES_OLDER_H

#include <stdbool.h>
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

/* What it is inside a callback: the error, where the context then goes on in a process that has no
 * children; -1 where it does not. The second is of 2011-02-21, and polls by itself: the callback is
 * inside libwebsocket_service_fd(), or in a broadcast outside of all service. */
int older_loop_inside(int port);
int older_polling_inside(int port, bool broadcasts);

/* A page that a program of 2011-02-21 writes in pieces for longer than a connection may be idle, by
 * a clock that it holds, and leaves then. */
enum page_end {
    PAGE_WAS_CUT, /* when it was left */
    PAGE_WAS_CUT_EARLY,
    PAGE_CAME_WRONG,
    PAGE_WITHOUT_PORT
};
enum page_end older_page_in_pieces(int port);

#endif
