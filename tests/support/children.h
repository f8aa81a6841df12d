/* Processes that a test forks, and what they say. */
#ifndef LWSLOOP_TESTS_CHILDREN_H
#define LWSLOOP_TESTS_CHILDREN_H

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child runs the function and ends with what it returns; nothing of the test's runs in it. */
static inline pid_t fork_and_run(int (*function)(void *), void *argument)
{
    pid_t child;

    /* What is in the buffers now would be written by both. */
    fflush(NULL);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(function(argument));
    return child;
}

/* Its exit status; 128 and the signal where one ended it. */
static inline int status_of(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int run_in_child(int (*function)(void *), void *argument)
{
    return status_of(fork_and_run(function, argument));
}

static inline void kill_child(pid_t child)
{
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(status_of(child), 128 + SIGKILL);
}

/* How many descriptors the process has. */
static inline int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* One byte from a pipe; -1 where it ends. */
static inline int hear(int fd)
{
    unsigned char byte;
    ssize_t got;

    do
        got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? byte : -1;
}

static inline void say(int fd, unsigned char byte)
{
    while (write(fd, &byte, 1) < 0 && errno == EINTR)
        continue;
}

#endif
