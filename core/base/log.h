/* The log, as it is set up by the library itself. */
#ifndef LWSLOOP_BASE_LOG_H
#define LWSLOOP_BASE_LOG_H

/* Which lines are emitted as long as no program has chosen any with lws_set_log_level(). */
void log_set_default(int initial);

#endif
