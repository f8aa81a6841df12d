/* An extension that looks at what happens around it as its connections are freed. */
#ifndef LWSLOOP_TESTS_PROCESSES_PROBE_H
#define LWSLOOP_TESTS_PROCESSES_PROBE_H

#include <libwebsockets.h>

/* "x-probe", and the end. */
extern struct libwebsocket_extension probe_extensions[];

/* For how many connections DESTROY came; -1 where a connection was written to that had been freed.
 */
int probe_ended(void);

/* For how many of them a signal handler that asked for WRITEABLE meanwhile was told 0. */
int probe_taken(void);

#endif
