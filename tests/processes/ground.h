/* What tests of contexts in two processes stand on: a program, its child, and their clients. */
#ifndef LWSLOOP_TESTS_PROCESSES_GROUND_H
#define LWSLOOP_TESTS_PROCESSES_GROUND_H

#include "program.h"

#include <stdbool.h>

#include "../support/ws_client.h"

extern struct program_options options; /* the defaults, until a test sets others */
extern pid_t program;
extern int port;

/* A checked fixture. */
void set_up(void);
void tear_down(void);

/* Starts the program. */
void start(enum host_loop loop);

/* Has it leave, and expects that all went well there. */
void end_program(void);

/* The loops of libuv and libevent are not for two processes. */
bool shares_its_loop(void);

void adopt_in_child(void);

void expect_echo(struct ws_client *client, const char *text);

#endif
