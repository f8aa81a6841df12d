/*
 * Processes that do what a test asks them to: each command is a letter, and is answered by a
 * number, 0 or an error number as a rule.
 */
#ifndef LWSLOOP_TESTS_PROCESSES_ROLE_H
#define LWSLOOP_TESTS_PROCESSES_ROLE_H

#include <stdbool.h>
#include <sys/types.h>

/* The one that makes a context, and one that is forked off it. */
enum role { PARENT, CHILD, ROLES };

/* How long anything may take; after that, processes end by themselves. */
enum { ROLE_SECONDS = 60 };

enum {
    SERVE = 's',       /* goes on serving between commands */
    PAUSE = 'p',       /* does nothing between them, as at the beginning */
    FORK = 'f',        /* forks the child's role; answers with its process number */
    FORK_INSIDE = 'i', /* forks inside the callback of the next message */
    ADOPT = 'a',
    ATTACH = 'r', /* to a new loop */
    TURN = 't',   /* serves for a moment */
    REINIT = 'z', /* uv_loop_fork() or event_reinit() */
    LEFT = 'y',   /* how many handles, or events of descriptors, it has */
    RESTS = 'L',  /* whether it sleeps where nothing is due */
    DESTROY = 'd',
    RENOUNCE = 'n',
    CALL = 'c',            /* lws_call_in_service() of a function that counts */
    CALL_TO_DESTROY = 'u', /* the same of one that destroys the context */
    COUNT = 'o',           /* how often they were called; -1: not in the order they were given in */
    DESTROYED = 'j',       /* how often PROTOCOL_DESTROY came */
    BROADCAST = 'b',
    FLOOD = 'l',   /* broadcasts until that fails, and answers with why */
    CONNECT = 'k', /* as a client, to the port that was set */
    CONNECT_BY_NAME = 'q',
    FAILED = 'g',     /* how many clients came to nothing */
    COMPLAINTS = 'h', /* how often the log was told that the loop is not its own */
    LINES = 'N',      /* how many lines it had, those included */
    WRITE = 'w',      /* a hundred messages on the newest connection */
    WRITE_LARGE = 'v',
    ESTABLISHED = 'e', /* whether there is one */
    PROBED = 'm',      /* probe_ended() of probe.h */
    TAKEN = 'A',       /* probe_taken() */
    POLLED = 'P',      /* host_polled() of host.h */
    MISTOLD = 'M',     /* how often what the array is kept by made no sense */
    ATTACH_TO = '0',   /* to a new loop: with the number of its kind added, an enum host_loop */
    LEAVE = 'x'        /* ends, by _exit(0) */
};

/* In the test's process, before anything else: the lines to all roles. */
void roles_open(void);
void roles_close(void);

/* Asks a role, and waits for its answer. */
int ask(enum role role, char command);

/* The two halves of it. */
void tell(enum role role, char command);
int answer_of(enum role role);
bool has_answered(enum role role);

/* Asks until the answer is this one. */
void ask_until(enum role role, char command, int answer);

/* Of the process that plays it. */
void answer(enum role role, int number);

/* The next command; -1 where none comes in that time, in milliseconds. */
int next_command(enum role role, int timeout_ms);

/* A port for CONNECT. To be set before the role is begun. */
extern int role_peer_port;

/* Waits until all that was ever forked is gone, children's children included; fails the test where
 * something stays. The test's process must be a subreaper. */
void become_reaper(void);
void expect_nobody_left(void);

#endif
