/* Showing what strangers have sent on a terminal, which must not take it for commands. */
#ifndef CLIENT_DISPLAY_H
#define CLIENT_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Writes UTF-8 text with its control characters, but for tabs and newlines, as \x1b.
 *
 *   lead   the byte 0xc2, where text that was cut before left one, and whether this text does;
 *          false at first
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
