#include "output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void output_open(struct output *output, bool quiet)
{
    *output = (struct output){.quiet = quiet, .terminal = isatty(STDOUT_FILENO)};
    output->interactive = output->terminal && isatty(STDIN_FILENO);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
}

static void show_prompt(struct output *output)
{
    if (!output->asking || output->prompted || output->inside)
        return;
    fputs("> ", stdout);
    fflush(stdout);
    output->prompted = true;
}

void output_ask(struct output *output)
{
    output->asking = output->interactive;
    show_prompt(output);
}

void output_typed(struct output *output)
{
    output->asking = false;
    output->prompted = false;
}

/* Takes the prompt away for a moment. What has been typed is kept by the terminal. */
static void hide_prompt(struct output *output)
{
    if (!output->prompted)
        return;
    fputs("\r\033[K", stdout);
    fflush(stdout);
    output->prompted = false;
}

void output_end(struct output *output)
{
    output->asking = false;
    hide_prompt(output);
    if (output->inside && output->terminal) {
        putc('\n', stdout);
        fflush(stdout);
    }
}

/* Lines after the first are indented, so that none of them looks like a message of its own. */
static void show_text(struct output *output, const char *text, size_t length)
{
    while (length > 0) {
        const char *newline = output->interactive ? memchr(text, '\n', length) : NULL;
        size_t part = newline ? (size_t)(newline - text) + 1 : length;

        display_text(stdout, &output->lead, text, part);
        if (newline)
            fputs("  ", stdout);
        text += part;
        length -= part;
    }
}

static void show(struct output *output, const char *bytes, size_t length, bool binary, bool last)
{
    if (!output->inside) {
        hide_prompt(output);
        if (output->interactive)
            fputs(binary ? "< binary\n" : "< ", stdout);
    }
    if (binary)
        dump_add(&output->dump, stdout, (const unsigned char *)bytes, length);
    else
        show_text(output, bytes, length);
    if (!last)
        return;
    if (binary)
        dump_end(&output->dump, stdout);
    else
        putc('\n', stdout);
}

int output_piece(struct output *output, const char *bytes, size_t length, bool binary, bool last)
{
    if (output->terminal) {
        show(output, bytes, length, binary, last);
    } else {
        fwrite(bytes, 1, length, stdout);
        if (last && !binary)
            putc('\n', stdout);
    }
    output->inside = !last;
    if (last && fflush(stdout) != 0)
        return -1;
    show_prompt(output);
    return ferror(stdout) ? -1 : 0;
}

static void write_line(struct output *output, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void write_line(struct output *output, const char *format, va_list arguments)
{
    char line[1024];
    bool lead = false;

    hide_prompt(output);
    if (vsnprintf(line, sizeof(line), format, arguments) < 0)
        return;
    display_text(stderr, &lead, line, strlen(line));
    putc('\n', stderr);
    show_prompt(output);
}

void output_note(struct output *output, const char *format, ...)
{
    va_list arguments;

    if (output->quiet)
        return;
    va_start(arguments, format);
    write_line(output, format, arguments);
    va_end(arguments);
}

void output_error(struct output *output, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(output, format, arguments);
    va_end(arguments);
}
