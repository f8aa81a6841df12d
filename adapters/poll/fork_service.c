/* A service loop in a process of its own: the two ways in which the older generations have it. */

/* The last day that has fork_service_loop. */
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20130130

#include "fork_service.h"

#include "lws_poll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve_until.h"

/*
 * What tells a process that serves of the end of the other: a pipe whose writing end the other one
 * keeps, and where the system has it a descriptor for the process itself. Children of the other one
 * may keep the pipe open for longer.
 */
struct lifeline {
    int watched;
    int kept;
};

static bool open_lifeline(struct lifeline *lifeline)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    *lifeline = (struct lifeline){ends[0], ends[1]};
    return true;
}

static void close_lifeline(struct lifeline *lifeline)
{
    close(lifeline->watched);
    close(lifeline->kept);
}

static int open_process(pid_t process)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, process, 0);
#else
    (void)process;
    errno = ENOSYS;
    return -1;
#endif
}

/* What becomes readable when the process ends, of which the caller is sure that it had not when the
 * lifeline was made. */
static int watch(struct lifeline *lifeline, pid_t process)
{
    int fd = open_process(process);

    close(lifeline->kept);
    if (fd < 0)
        return lifeline->watched;
    close(lifeline->watched);
    return fd;
}

static int wait_for(pid_t child)
{
    int status = 0;
    pid_t ended;

    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    /* A handler of the program's may have been quicker. */
    if (ended < 0)
        return EXIT_SUCCESS;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int fail(const char *name)
{
    int error = errno;

    lwsl_err("%s: %s\n", name, strerror(error));
    errno = error;
    return -1;
}

/* With the ends of a socket for a word of the child's. Both are opened, or neither. */
static bool open_lines(struct lifeline *lifeline, int word[2])
{
    int error;

    if (!open_lifeline(lifeline))
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, word) == 0)
        return true;
    error = errno;
    close_lifeline(lifeline);
    errno = error;
    return false;
}

/* 0, or what went wrong. False where nobody is there to be told. */
static bool say(int fd, int error)
{
    unsigned char word = (unsigned char)error;

    return send(fd, &word, 1, MSG_NOSIGNAL) == 1;
}

/* What was said; ECHILD where the other process ended without a word. */
static int hear(int fd)
{
    unsigned char word;
    ssize_t got;

    do
        got = read(fd, &word, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? word : ECHILD;
}

/* The calling process is the one that the program was started as, and ends as the program does. */
static _Noreturn void serve_until_child_ends(
    struct libwebsocket_context *context, pid_t child, struct lifeline *lifeline)
{
    int status = EXIT_FAILURE;

    switch (lws_poll_serve_until(context, watch(lifeline, child))) {
    case LWS_POLL_ENDED:
        status = wait_for(child);
        libwebsocket_context_destroy(context);
        break;
    case LWS_POLL_DESTROYED:
        status = EXIT_SUCCESS;
        break;
    case LWS_POLL_FAILED:
        libwebsocket_context_destroy(context);
        break;
    }
    exit(status);
}

/* Inside a callback, whatever the way into it, the context cannot be renounced: the other process
 * waits for what comes of that. */
static void go_on_in_child(
    struct libwebsocket_context *context, const struct lifeline *lifeline, const int word[2])
{
    int error;

    close(word[0]);
    /* The writing end stays open for as long as this process lives. */
    close(lifeline->watched);
    error = lws_renounce(context) < 0 ? errno : 0;
    if (!say(word[1], error) || error)
        _exit(EXIT_FAILURE);
    close(word[1]);
}

int libwebsockets_fork_service_loop(struct libwebsocket_context *context)
{
    struct lifeline lifeline;
    int word[2];
    pid_t child;
    int error;

    if (!context) {
        errno = EINVAL;
        return -1;
    }
    if (!lws_poll_can_serve(context))
        return -1;
    if (!open_lines(&lifeline, word))
        return fail("libwebsockets_fork_service_loop");
    /* What is in the buffers now would be written by both. */
    fflush(NULL);
    child = fork();
    if (child == 0) {
        go_on_in_child(context, &lifeline, word);
        return 0;
    }
    error = child < 0 ? errno : 0;
    close(word[1]);
    if (child > 0)
        error = hear(word[0]);
    close(word[0]);
    if (!error)
        serve_until_child_ends(context, child, &lifeline);
    close_lifeline(&lifeline);
    if (child > 0)
        (void)wait_for(child);
    errno = error;
    return fail("libwebsockets_fork_service_loop");
}

/* Two forks away from the program, so that it never has to wait for a child that it knows nothing
 * of. Says by a byte that it serves. */
static _Noreturn void serve_until_program_ends(
    struct libwebsocket_context *context, pid_t program, struct lifeline *lifeline, int serves)
{
    int end = watch(lifeline, program);
    enum lws_poll_end result;

    /* With the first service this process is the one that broadcasts go to. The program waits for
     * the byte; where it does not, it has ended, and its number may be another's. */
    if (libwebsocket_service(context, 0) < 0 || !say(serves, 0))
        _exit(EXIT_FAILURE);
    close(serves);
    result = lws_poll_serve_until(context, end);
    if (result != LWS_POLL_DESTROYED)
        libwebsocket_context_destroy(context);
    /* exit(3) would run what the program left to be done at its own end. */
    fflush(NULL);
    _exit(result == LWS_POLL_FAILED ? EXIT_FAILURE : EXIT_SUCCESS);
}

int lws_fork_service(struct libwebsocket_context *context)
{
    pid_t program = getpid();
    struct lifeline lifeline;
    int word[2];
    pid_t child;
    bool serves;

    if (!open_lines(&lifeline, word))
        return fail("libwebsocket_create_server");
    fflush(NULL);
    child = fork();
    if (child < 0)
        (void)fail("libwebsocket_create_server: fork");
    if (child == 0) {
        close(word[0]);
        child = fork();
        if (child != 0)
            _exit(child < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        serve_until_program_ends(context, program, &lifeline, word[1]);
    }
    close(lifeline.watched);
    close(word[1]);
    serves = child > 0 && wait_for(child) == EXIT_SUCCESS && hear(word[0]) == 0;
    close(word[0]);
    if (serves && lws_renounce(context) == 0)
        return 0;
    if (child > 0)
        lwsl_err("libwebsocket_create_server: the process that is to serve did not come up\n");
    close(lifeline.kept);
    return -1;
}
