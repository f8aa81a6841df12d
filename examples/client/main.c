/*
 * A client for the command line: what is typed, or comes through a pipe, goes to a WebSocket
 * server, and what comes back is printed.
 *
 *   client [--loop poll|uv|event] [OPTION...] ws://localhost:7681/
 *
 * options.c is the command line, with url.c and header_lines.c; connect.c begins a connection,
 * session.c and sending.c are what it does; input.c and messages.c what goes there, output.c and
 * display.c what comes back; loop_*.c the event loops.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "connect.h"
#include "options.h"
#include "session.h"

/* So that no socket becomes standard input or output where the program was started without. */
static int open_standard_files(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        return -1;
    return close(fd);
}

int main(int argc, char **argv)
{
    static struct session session; /* too large for a stack */
    struct libwebsocket_context *context;
    struct options options;

    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_HELP:
        return OUTCOME_GOOD;
    case OPTIONS_WRONG:
        return OUTCOME_USAGE;
    case OPTIONS_GOOD:
        break;
    }
    if (open_standard_files() != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        perror("client");
        return OUTCOME_FAILED;
    }
    session.options = &options;
    output_open(&session.output, options.quiet);
    context = connect_begin(&session);
    if (!context)
        return OUTCOME_FAILED;
    if (options.loop->run(context, &session.ended) != 0) {
        fprintf(stderr, "client: the %s loop failed\n", options.loop->name);
        return OUTCOME_FAILED;
    }
    return (int)session.outcome;
}
