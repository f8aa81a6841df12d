/* The header lines that the user adds to the handshake. */
#ifndef CLIENT_HEADER_LINES_H
#define CLIENT_HEADER_LINES_H

#include <stddef.h>

struct header_lines {
    char text[4096]; /* whole lines, each with CRLF at its end */
    size_t length;
};

/* Adds a "Name: value". Returns NULL, or what is wrong with it. */
const char *header_lines_add(struct header_lines *lines, const char *field);

/* Adds Basic authentication (RFC 7617) as "user:password". Returns NULL, or what is wrong. */
const char *header_lines_add_credentials(struct header_lines *lines, const char *credentials);

#endif
