#include "program.h"

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/children.h"
#include "probe.h"

enum { TURN_MS = 5, REST_MS = 50, MESSAGES = 100, LARGE = 65536 };

static intptr_t calls_given;
static int calls;
static bool calls_overtook;
static int complaints;
static int lines;

static void play(enum role role);

static void count_call(struct libwebsocket_context *context, void *argument)
{
    (void)context;
    calls_overtook = calls_overtook || (intptr_t)argument != calls;
    calls++;
}

static void destroy_in_call(struct libwebsocket_context *context, void *argument)
{
    count_call(context, argument);
    libwebsocket_context_destroy(context);
    host.context = NULL;
}

static int call(void (*function)(struct libwebsocket_context *context, void *argument))
{
    if (lws_call_in_service(host.context, function, (void *)calls_given) < 0)
        return errno;
    calls_given++;
    return 0;
}

static int result_of(int result)
{
    return result == 0 ? 0 : errno;
}

static int fork_child(void)
{
    pid_t child = fork();

    if (child == 0) {
        play(CHILD);
        _exit(EXIT_SUCCESS);
    }
    return (int)child;
}

static int destroy(void)
{
    libwebsocket_context_destroy(host.context);
    host.context = NULL;
    return 0;
}

static int broadcast(size_t length)
{
    static unsigned char bytes[LARGE];

    memset(bytes, 'n', length);
    return result_of(libwebsockets_broadcast(&host_protocols[1], bytes, length));
}

static int flood(void)
{
    int error;

    do
        error = broadcast(LARGE);
    while (error == 0);
    return error;
}

static int connect_to_peer(const char *address)
{
    return libwebsocket_client_connect(
               host.context, address, role_peer_port, 0, "/", "localhost", "localhost", "news", -1)
               ? 0
               : errno;
}

static int write_messages(void)
{
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + 1 + LWS_SEND_BUFFER_POST_PADDING];

    for (int i = 0; i < MESSAGES; i++) {
        room[LWS_SEND_BUFFER_PRE_PADDING] = 'm';
        if (libwebsocket_write(
                host.newest, room + LWS_SEND_BUFFER_PRE_PADDING, 1, LWS_WRITE_TEXT) != 1)
            return errno;
    }
    return 0;
}

/* More than the system takes. */
static int write_large(void)
{
    size_t length = (size_t)PROGRAM_LARGE;
    unsigned char *room =
        calloc(1, LWS_SEND_BUFFER_PRE_PADDING + length + LWS_SEND_BUFFER_POST_PADDING);
    int result = ENOMEM;

    if (!room)
        return result;
    memset(room + LWS_SEND_BUFFER_PRE_PADDING, 'l', length);
    result = libwebsocket_write(host.newest, room + LWS_SEND_BUFFER_PRE_PADDING, length,
                 LWS_WRITE_TEXT) == (int)length
                 ? 0
                 : errno;
    free(room);
    return result;
}

static int attach_to(int loop)
{
    if (loop < 0 || loop >= HOST_LOOPS)
        return 0;
    host.loop = (enum host_loop)loop;
    return host_attach() ? 0 : errno;
}

static int obey(int command)
{
    errno = 0;
    switch (command) {
    case FORK:
        return fork_child();
    case FORK_INSIDE:
        host.forks = true;
        return 0;
    case ADOPT:
        return result_of(lws_adopt(host.context));
    case ATTACH:
        return host_attach() ? 0 : errno;
    case TURN:
        host_turn(TURN_MS);
        return 0;
    case REINIT:
        return host_reinit() ? 0 : EIO;
    case LEFT:
        return host_left();
    case RESTS:
        return host_rests(REST_MS) ? 1 : 0;
    case DESTROY:
        return destroy();
    case RENOUNCE:
        return result_of(lws_renounce(host.context));
    case CALL:
        return call(count_call);
    case CALL_TO_DESTROY:
        return call(destroy_in_call);
    case COUNT:
        return calls_overtook ? -1 : calls;
    case DESTROYED:
        return host.destroyed;
    case BROADCAST:
        return broadcast(4);
    case FLOOD:
        return flood();
    case CONNECT:
        return connect_to_peer("127.0.0.1");
    case CONNECT_BY_NAME:
        return connect_to_peer("localhost");
    case COMPLAINTS:
        return complaints;
    case LINES:
        return lines;
    case FAILED:
        return host.failed;
    case WRITE:
        return write_messages();
    case WRITE_LARGE:
        return write_large();
    case ESTABLISHED:
        return host.newest ? 1 : 0;
    case PROBED:
        return probe_ended();
    case TAKEN:
        return probe_taken();
    case POLLED:
        return host_polled();
    case MISTOLD:
        return host.mistold;
    default:
        return attach_to(command - ATTACH_TO);
    }
}

static void play(enum role role)
{
    bool serves = false;

    alarm(ROLE_SECONDS);
    for (;;) {
        int command = next_command(role, serves ? 0 : ROLE_SECONDS * 1000);

        if (command == SERVE || command == PAUSE)
            serves = command == SERVE;
        if (command >= 0)
            answer(role, obey(command));
        if (command == LEAVE)
            return;
        if (serves && host.context)
            host_turn(TURN_MS);
        if (host.is_child) {
            /* It only returns from what its parent had called. */
            (void)destroy();
            return;
        }
    }
}

static void keep_log(int level, const char *line)
{
    (void)level;
    lines++;
    if (strstr(line, "attached to a loop that this process shares"))
        complaints++;
    else
        fputs(line, stderr);
}

static int play_parent(void *argument)
{
    const struct program_options *options = argument;
    const struct lws_context_extras extras = {.ping_interval_ms = options->ping_interval_ms,
        .ping_timeout_ms = 1000 * ROLE_SECONDS,
        .resolve_timeout_ms = 1000 * ROLE_SECONDS,
        .unix_path = options->unix_path};

    lws_set_log_level(LLL_ERR, keep_log);
    if (options->extended)
        host.extensions = probe_extensions;
    if (!host_open(options->loop, &extras, options->tls ? certificates_path("server.pem") : NULL,
            options->tls ? certificates_path("server.key") : NULL) ||
        !host_attach()) {
        perror("the program cannot begin");
        return EXIT_FAILURE;
    }
    answer(PARENT, host.port);
    play(PARENT);
    return EXIT_SUCCESS;
}

int program_start(const struct program_options *options, pid_t *process)
{
    struct program_options copy = *options;

    *process = fork_and_run(play_parent, &copy);
    return answer_of(PARENT);
}
