/* What ws_frames.c needs of ws_client.c. */
#ifndef LWSLOOP_TESTS_WS_BYTES_H
#define LWSLOOP_TESTS_WS_BYTES_H

#include "ws_client.h"

/* Ends the test with a message. */
_Noreturn void ws_fail_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes the buffer hold so many bytes of `what`. */
void ws_need(struct ws_client *client, size_t length, const char *what, const char *file, int line);

/* Takes so many bytes out of the buffer. */
void ws_take(struct ws_client *client, size_t length);

#endif
