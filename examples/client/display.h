/* Showing what strangers have sent on a terminal, which must not take it for commands. */
#ifndef CLIENT_DISPLAY_H
#define CLIENT_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Writes UTF-8 text, where control characters other than tabs and newlines look like "\x1b".
 *
 *   lead   kept between the pieces of a text: whether the last one ended inside a character that
 *          may be such a one; false at first
 */
void display_text(FILE *file, bool *lead, const char *text, size_t length);

/* A hexadecimal dump that can be fed in pieces. */
struct dump {
    unsigned char row[16];
    unsigned long long length; /* of all that was fed */
};

/* Writes the rows that are complete; beyond the first kilobyte it only counts. */
void dump_add(struct dump *dump, FILE *file, const unsigned char *bytes, size_t length);

/* Writes the last row and how much there was, and begins anew. */
void dump_end(struct dump *dump, FILE *file);

#endif
