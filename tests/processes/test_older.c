/* The calls of older generations that serve in a process of their own, and pages that their
 * programs write. */
#include "suites.h"

#include <errno.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/children.h"
#include "../support/run_loop.h"
#include "../support/ws_client.h"
#include "older.h"
#include "role.h"

enum { STATUS = 7, DESCRIPTORS_MOST = 256 };

/* Further commands of the program. */
enum {
    LEAVE_WITH_STATUS = 'y', /* ends, by exit(STATUS) */
    LOOK = 'z'               /* whether something is left that should not be: 0 for nothing */
};

static const struct older_program *const programs[] = {&older_server, &older_loop};
static const struct older_program *older;
static bool ignores_children;
static int port;
static pid_t program;   /* the one that was started */
static int descriptors; /* that it had before */

static int look(void)
{
    /* What broadcasts need: the socket, the lock, and what tells the other of the end. */
    if (count_descriptors() > descriptors + 3)
        return 3;
    /* Children that it knows nothing of would be in the way of its own. */
    if (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD)
        return 1;
    for (int fd = 0; fd < DESCRIPTORS_MOST; fd++) {
        int listens = 0;
        socklen_t length = sizeof(listens);

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens)
            return 2;
    }
    return 0;
}

static int broadcast(void)
{
    errno = 0;
    return older->broadcast("from the program") < 0 ? errno : 0;
}

static int play(void *unused)
{
    (void)unused;
    alarm(ROLE_SECONDS);
    lws_set_log_level(0, NULL);
    if (ignores_children && signal(SIGCHLD, SIG_IGN) == SIG_ERR)
        return EXIT_FAILURE;
    descriptors = count_descriptors();
    /* When it returns, there is somebody to broadcast to. */
    if (older->start(port) != 0 || broadcast() != 0)
        return EXIT_FAILURE;
    answer(PARENT, (int)getpid());
    for (;;) {
        int command = next_command(PARENT, ROLE_SECONDS * 1000);

        if (command == BROADCAST)
            answer(PARENT, broadcast());
        else if (command == LOOK)
            answer(PARENT, look());
        else if (command == LEAVE_WITH_STATUS)
            exit(STATUS);
        else
            return EXIT_FAILURE;
    }
}

static int find_port(void)
{
    int found = 0;
    int fd = run_loop_listen("127.0.0.1", 1, &found);

    ck_assert_int_ge(fd, 0);
    close(fd);
    return found;
}

/* Returns the process that goes on with the program. Somebody else may have taken the port. */
static pid_t start(int which)
{
    older = programs[which];
    for (int attempt = 0; attempt < 5; attempt++) {
        int status;

        port = find_port();
        program = fork_and_run(play, NULL);
        for (int64_t end = ws_now_ms() + WS_PATIENCE_MS; ws_now_ms() < end; usleep(1000)) {
            if (has_answered(PARENT))
                return (pid_t)answer_of(PARENT);
            if (waitpid(program, &status, WNOHANG) == program)
                break;
        }
    }
    ck_abort_msg("there is no server");
}

/* Which process serves. */
static pid_t ask_who_serves(struct ws_client *client)
{
    struct ws_frame frame;
    pid_t process;

    ws_send_frame(client, WS_FIN | WS_TEXT, "who?", 4);
    ws_receive_frame(client, &frame);
    process = (pid_t)strtol((char *)frame.payload, NULL, 10);
    ck_assert_int_gt(process, 0);
    ws_frame_free(&frame);
    return process;
}

static void set_up(void)
{
    ignores_children = false;
    become_reaper();
    roles_open();
}

static void tear_down(void)
{
    expect_nobody_left();
    roles_close();
}

enum { SERVER, LOOP, BOTH };

static void expect_going(struct ws_client *client)
{
    ws_expect_close(client, 1001);
    ws_free(client);
}

START_TEST(the_program_goes_on_and_broadcasts)
{
    pid_t goes_on, serves;
    struct ws_client *client;

    ignores_children = _i / BOTH != 0;
    goes_on = start(_i % BOTH);
    client = ws_open(port, "news");
    serves = ask_who_serves(client);
    ck_assert_int_ne(serves, goes_on);
    if (older == &older_server)
        ck_assert_int_eq(goes_on, program);
    else
        ck_assert_int_eq(serves, program);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(ask(PARENT, BROADCAST), 0);
        ws_expect_text(client, "from the program");
    }
    ck_assert_int_eq(ask(PARENT, LOOK), 0);
    tell(PARENT, LEAVE_WITH_STATUS);
    expect_going(client);
    /* A status that nobody may ask for is 0. */
    ck_assert_int_eq(
        status_of(program), older == &older_loop && ignores_children ? EXIT_SUCCESS : STATUS);
}
END_TEST

START_TEST(service_ends_when_the_program_is_killed)
{
    pid_t goes_on = start(_i);
    struct ws_client *client = ws_open(port, "news");

    (void)ask_who_serves(client);
    ck_assert_int_eq(kill(goes_on, SIGKILL), 0);
    expect_going(client);
    ck_assert_int_eq(status_of(program), 128 + SIGKILL);
}
END_TEST

/* What the signals of programs of the time did as well. */
START_TEST(program_is_told_when_service_is_killed)
{
    pid_t goes_on = start(_i);
    struct ws_client *client = ws_open(port, "news");
    pid_t serves = ask_who_serves(client);

    ck_assert_int_eq(kill(serves, SIGKILL), 0);
    ws_expect_eof(client);
    ws_free(client);
    ask_until(PARENT, BROADCAST, EPIPE);
    ck_assert_int_eq(ask(PARENT, BROADCAST), EPIPE);
    ck_assert_int_eq(kill(goes_on, 0), 0);
    tell(PARENT, LEAVE_WITH_STATUS);
    if (older == &older_server)
        ck_assert_int_eq(status_of(program), STATUS);
    else
        ck_assert_int_eq(status_of(program), 128 + SIGKILL);
}
END_TEST

static int call_wrongly(void *another)
{
    lws_set_log_level(0, NULL);
    return another ? older_loop_of_another() : older_loop_of_nothing();
}

static int write_page(void *unused)
{
    (void)unused;
    alarm(ROLE_SECONDS);
    lws_set_log_level(0, NULL);
    return (int)older_page_in_pieces(port);
}

/* Its time begins with each piece. */
START_TEST(a_page_in_pieces_is_cut_when_it_is_left)
{
    int status = PAGE_WITHOUT_PORT;

    for (int attempt = 0; attempt < 5 && status == PAGE_WITHOUT_PORT; attempt++) {
        port = find_port();
        status = run_in_child(write_page, NULL);
    }
    ck_assert_int_eq(status, PAGE_WAS_CUT);
}
END_TEST

enum inside { INSIDE_SERVICE, INSIDE_SERVICE_FD, INSIDE_BROADCAST, INSIDE };

static int call_inside(void *where)
{
    enum inside inside = *(enum inside *)where;

    alarm(ROLE_SECONDS);
    lws_set_log_level(0, NULL);
    return inside == INSIDE_SERVICE ? older_loop_inside(port)
                                    : older_polling_inside(port, inside == INSIDE_BROADCAST);
}

/* Somebody else may have taken the port. */
START_TEST(a_callback_cannot_be_forked_from)
{
    enum inside inside = (enum inside)_i;
    int status = 255;

    for (int attempt = 0; attempt < 5 && status == 255; attempt++) {
        port = find_port();
        status = run_in_child(call_inside, &inside);
    }
    ck_assert_int_eq(status, EINVAL);
}
END_TEST

START_TEST(what_cannot_be_served_is_refused)
{
    bool another = true;

    ck_assert_int_eq(run_in_child(call_wrongly, NULL), EINVAL);
    ck_assert_int_eq(run_in_child(call_wrongly, &another), EBUSY);
}
END_TEST

static int start_in_vain(void *unused)
{
    (void)unused;
    lws_set_log_level(0, NULL);
    errno = 0;
    return older->start(port) == -1 && waitpid(-1, NULL, WNOHANG) < 0 ? 0 : 1;
}

START_TEST(a_port_that_is_taken_is_an_error)
{
    int fd = run_loop_listen("127.0.0.1", 1, &port);

    older = programs[_i];
    ck_assert_int_eq(run_in_child(start_in_vain, NULL), 0);
    close(fd);
}
END_TEST

Suite *older_suite(void)
{
    Suite *suite = suite_create("older");
    TCase *tests = tcase_create("service processes");

    tcase_set_timeout(tests, ROLE_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, the_program_goes_on_and_broadcasts, 0, 2 * BOTH);
    tcase_add_loop_test(tests, service_ends_when_the_program_is_killed, 0, BOTH);
    tcase_add_loop_test(tests, program_is_told_when_service_is_killed, 0, BOTH);
    tcase_add_test(tests, a_page_in_pieces_is_cut_when_it_is_left);
    tcase_add_loop_test(tests, a_callback_cannot_be_forked_from, 0, INSIDE);
    tcase_add_test(tests, what_cannot_be_served_is_refused);
    tcase_add_loop_test(tests, a_port_that_is_taken_is_an_error, 0, BOTH);
    suite_add_tcase(suite, tests);
    return suite;
}
