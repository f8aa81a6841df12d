/* What a peer needs to accept a client's handshake. */
#ifndef LWSLOOP_FUZZ_ACCEPTANCE_H
#define LWSLOOP_FUZZ_ACCEPTANCE_H

#include "fuzz.h"

#define ACCEPTANCE_LENGTH 28

/* The value of Sec-WebSocket-Accept for a request, NUL-terminated. */
void acceptance_of(const char *request, size_t length, char value[ACCEPTANCE_LENGTH + 1]);

/* Puts a value in the place of that of RFC 6455's example, in the first field that has it. */
void acceptance_put(uint8_t *bytes, size_t length, const char *value);

#endif
