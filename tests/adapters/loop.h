/* The loop that a program of tests is about: loop_poll.c, loop_uv.c or loop_event.c. */
#ifndef LWSLOOP_TESTS_ADAPTERS_LOOP_H
#define LWSLOOP_TESTS_ADAPTERS_LOOP_H

extern const char loop_name[];

/* What differs: 1 or 0. */
extern const int loop_forwards;           /* protocols[0] is told too */
extern const int loop_refuses_files;      /* a regular file cannot be watched */
extern const int loop_reports_unwanted;   /* hang-ups of descriptors that are wanted for nothing */
extern const int loop_is_held_by_helpers; /* the engine's own descriptors keep it running */
extern const int loop_nests;              /* it may be run from inside itself */
extern const int loop_adopts;             /* in a process that was forked there is one of its own */
extern const int loop_tells_owner;        /* it knows whether that has been initialised again */
extern const int loop_closes_all;         /* a program can close what is not its own */

void loop_open(void);
int loop_attach(void);
/* One turn that does not wait. */
void loop_turn(void);
/* Whether it would wait. */
int loop_is_held(void);
/* As libuv and libevent ask for it in a process that was forked. */
void loop_reinit(void);
/* Closes all that the loop has, as a program may that ends. */
void loop_close_all(void);
/* Checks that the loop is as empty as it was. */
void loop_close(void);

#endif
