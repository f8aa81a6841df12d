#include "input.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { COMMAND_MORE = 'm', COMMAND_STOP = 's', COMMAND_INTERRUPTED = 'i' };

static int interrupt_fd;

static void send_command(int fd, char command)
{
    while (write(fd, &command, 1) < 0 && errno == EINTR)
        ;
}

static void on_signal(int number)
{
    int error = errno;

    (void)number;
    send_command(interrupt_fd, COMMAND_INTERRUPTED);
    errno = error;
}

/* Once handled, each signal does again what it does by itself: it ends the process. */
static int handle_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return -1;
    return 0;
}

static void default_signals(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

static long long clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A context that is being destroyed needs nothing any more. */
static void hand_over(struct input *input, input_function *function)
{
    if (lws_call_in_service(input->context, function, input->argument) != 0 && errno != ECANCELED) {
        perror("client");
        _exit(EXIT_FAILURE);
    }
}

/* False where there was nothing after all. */
static bool read_some(struct input *input)
{
    ssize_t length = read(STDIN_FILENO, input_bytes(input), INPUT_MOST);

    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return false;
    input->length = length < 0 ? 0 : (size_t)length;
    input->error = length < 0 ? errno : 0;
    return true;
}

/* Returns 0 where there is no command. */
static char read_command(struct input *input)
{
    char command = 0;

    return read(input->commands[0], &command, 1) == 1 ? command : 0;
}

static void *wait_for_user(void *argument)
{
    struct input *input = argument;
    struct pollfd polled[] = {
        {.fd = input->commands[0], .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
    };
    long long interval = 1000LL * input->ping_seconds;
    long long ping_at = clock_ms() + interval;

    for (;;) {
        long long left = interval ? ping_at - clock_ms() : -1;
        int ready = 0;

        if (interval && left <= 0) {
            hand_over(input, input->ping_due);
            ping_at += interval;
            continue;
        }
        ready = poll(polled, 2, (int)left);
        if (ready > 0 && polled[0].revents) {
            char command = read_command(input);

            if (command == COMMAND_STOP)
                return NULL;
            if (command == COMMAND_MORE)
                polled[1].fd = STDIN_FILENO;
            if (command == COMMAND_INTERRUPTED)
                hand_over(input, input->interrupted);
        } else if (ready > 0 && read_some(input)) {
            polled[1].fd = -1;
            hand_over(input, input->arrived);
        }
    }
}

int input_start(struct input *input, struct libwebsocket_context *context)
{
    int error;

    input->context = context;
    if (pipe(input->commands) != 0)
        return -1;
    interrupt_fd = input->commands[1];
    error =
        handle_signals() != 0 ? errno : pthread_create(&input->thread, NULL, wait_for_user, input);
    if (error) {
        default_signals();
        close(input->commands[0]);
        close(input->commands[1]);
        errno = error;
        return -1;
    }
    input->started = true;
    return 0;
}

void input_more(struct input *input)
{
    send_command(input->commands[1], COMMAND_MORE);
}

void input_stop(struct input *input)
{
    if (!input->started)
        return;
    input->started = false;
    send_command(input->commands[1], COMMAND_STOP);
    pthread_join(input->thread, NULL);
    default_signals();
    close(input->commands[0]);
    close(input->commands[1]);
}
