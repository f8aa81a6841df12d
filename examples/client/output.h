/* What the user sees: messages on standard output, everything else on standard error. */
#ifndef CLIENT_OUTPUT_H
#define CLIENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "display.h"

struct output {
    bool quiet;
    bool terminal;    /* standard output is one */
    bool interactive; /* and so is standard input: there is a prompt */
    bool asking;      /* it is the user's turn, as far as there are turns */
    bool prompted;    /* the line begins with the prompt, and goes on with what is being typed */
    bool inside;      /* a message has begun */
    bool lead;        /* see display_text() */
    struct dump dump;
};

void output_open(struct output *output, bool quiet);

/* Shows a piece of a message. Returns 0, or -1 with errno where it could not be written. */
int output_piece(struct output *output, const char *bytes, size_t length, bool binary, bool last);

/* Shows the prompt, here and again below whatever else is shown, until the user has typed. */
void output_ask(struct output *output);
void output_typed(struct output *output);

/* Nothing more comes: the prompt goes, and a message that is not complete ends its line. */
void output_end(struct output *output);

/* A line about how it goes, which --quiet leaves out, or about what went wrong. */
void output_note(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void output_error(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
