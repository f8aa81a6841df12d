#include "role.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/ws_client.h"

struct line {
    int commands[2];
    int answers[2];
};

static struct line lines[ROLES];

int role_peer_port;

void roles_open(void)
{
    for (int i = 0; i < ROLES; i++) {
        ck_assert_int_eq(pipe2(lines[i].commands, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(lines[i].answers, O_CLOEXEC), 0);
    }
}

void roles_close(void)
{
    for (int i = 0; i < ROLES; i++)
        for (int end = 0; end < 2; end++) {
            close(lines[i].commands[end]);
            close(lines[i].answers[end]);
        }
}

static bool wait_to_read(int fd, int timeout_ms)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    return poll(&pollfd, 1, timeout_ms) == 1;
}

void tell(enum role role, char command)
{
    ck_assert_int_eq(write(lines[role].commands[1], &command, 1), 1);
}

int answer_of(enum role role)
{
    int number = -1;

    ck_assert_msg(
        wait_to_read(lines[role].answers[0], WS_PATIENCE_MS), "role %d does not answer", (int)role);
    ck_assert_int_eq(read(lines[role].answers[0], &number, sizeof(number)), sizeof(number));
    return number;
}

bool has_answered(enum role role)
{
    return wait_to_read(lines[role].answers[0], 0);
}

int ask(enum role role, char command)
{
    tell(role, command);
    return answer_of(role);
}

void ask_until(enum role role, char command, int wanted)
{
    int64_t deadline = ws_now_ms() + WS_PATIENCE_MS;

    while (ask(role, command) != wanted)
        ck_assert_msg(
            ws_now_ms() < deadline, "role %d never answered %d to %c", (int)role, wanted, command);
}

void answer(enum role role, int number)
{
    if (write(lines[role].answers[1], &number, sizeof(number)) != sizeof(number))
        _exit(EXIT_FAILURE);
}

int next_command(enum role role, int timeout_ms)
{
    char command;

    if (!wait_to_read(lines[role].commands[0], timeout_ms))
        return -1;
    return read(lines[role].commands[0], &command, 1) == 1 ? command : -1;
}

void become_reaper(void)
{
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

void expect_nobody_left(void)
{
    int64_t deadline = ws_now_ms() + WS_PATIENCE_MS;

    for (;;) {
        pid_t ended = waitpid(-1, NULL, WNOHANG);

        if (ended < 0 && errno == ECHILD)
            return;
        if (ended > 0)
            continue;
        ck_assert_msg(ws_now_ms() < deadline, "a process is left");
        usleep(2000);
    }
}
