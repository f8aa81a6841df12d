/* Creation in which an allocation or a system call fails, and the loss of privileges. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/children.h"
#include "../support/ws_client.h"
#include "creation.h"
#include "extension.h"
#include "failures.h"
#include "program.h"
#include "stage.h"
#include "suites.h"

#define NOBODY 65534
#define RUNS_MOST 1000u

/* A descriptor for which the engine's table has to grow. */
#define HIGH_DESCRIPTOR 200

static bool is_listening(int fd)
{
    int listens = 0;
    socklen_t length = sizeof listens;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0;
}

static int move_up(int fd)
{
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);

    ck_assert_int_ge(higher, HIGH_DESCRIPTOR);
    ck_assert_int_eq(close(fd), 0);
    return higher;
}

static void remove_socket(const char *path)
{
    ck_assert(unlink(path) == 0 || errno == ENOENT);
}

/* Listens in all ways that there are. Returns how many calls failed. */
static unsigned int run(const struct failure_plan *plan, const char *iface)
{
    struct creation creation;
    int ports[2];
    int fds[2];
    char path[128];
    struct stat status;
    unsigned int made;

    snprintf(path, sizeof path, "%s", stage_path("socket"));
    fds[0] = listen_somewhere(&ports[0]);
    fds[1] = move_up(listen_somewhere(&ports[1]));
    ck_assert_int_eq(close(listen_at_path(path)), 0);

    creation_setup(&creation);
    creation.info.port = free_port();
    creation.info.iface = iface;
    creation.info.extensions = extension_list(true);
    creation.extras.unix_path = path;
    creation.extras.listen_fds = fds;
    creation.extras.listen_fd_count = 2;
    failures_begin(plan);
    if (creation_try(&creation) == 0) {
        made = failures_made();
        ck_assert(connects(AF_INET, creation.info.port));
        creation_destroy(&creation);
        made = failures_made() > made ? failures_made() : made;
        failures_end();
        if (made == 0)
            ck_assert_int_eq(lstat(path, &status), -1);
        ck_assert(fcntl(fds[0], F_GETFD) < 0 && fcntl(fds[1], F_GETFD) < 0);
    } else {
        made = failures_made();
        failures_end();
        ck_assert_msg(made > 0, "creation failed by itself: %s", creation.error);
        ck_assert(is_listening(fds[0]) && is_listening(fds[1]));
        ck_assert(connects(AF_INET, ports[0]) && connects(AF_INET, ports[1]));
        ck_assert(!connects(AF_INET, creation.info.port));
        ck_assert_int_eq(close(fds[0]) + close(fds[1]), 0);
    }
    remove_socket(path);
    return made;
}

/* What creation calls, and how often at least. */
static const struct {
    enum failing_call call;
    unsigned int least;
} reached[] = {
    {FAIL_ALLOCATION, 10},
    {FAIL_BIND, 3},
    {FAIL_CONNECT, 1},
    {FAIL_EVENTFD, 1},
    {FAIL_FCNTL, 4},
    {FAIL_GETADDRINFO, 1},
    {FAIL_GETHOSTNAME, 1},
    {FAIL_GETIFADDRS, 1},
    {FAIL_GETSOCKOPT, 2},
    {FAIL_LISTEN, 2},
    {FAIL_LSTAT, 1},
    {FAIL_MEMFD_CREATE, 1},
    {FAIL_MMAP, 3},
    {FAIL_SETSOCKOPT, 3},
    {FAIL_SOCKET, 4},
    {FAIL_SOCKETPAIR, 1},
    {FAIL_TIMERFD_CREATE, 1},
    {FAIL_UNLINK, 2},
};

START_TEST(each_call_fails)
{
    static const char *const ifaces[] = {NULL, "lo", "127.0.0.1"};
    static const struct failure_plan nothing = {.call = FAIL_NOTHING};
    struct failure_plan plan = {.call = reached[_i].call};
    unsigned int most = 0;

    stage_open();
    ck_assert_uint_eq(run(&nothing, "lo"), 0);
    for (size_t i = 0; i < sizeof ifaces / sizeof ifaces[0]; i++) {
        for (size_t error = 0; error < failures_errors(plan.call); error++) {
            plan.error = failures_error(plan.call, error);
            plan.first = 0;
            do {
                plan.first++;
                ck_assert_uint_lt(plan.first, RUNS_MOST);
                failing_now(&plan);
            } while (run(&plan, ifaces[i]) > 0);
            most = plan.first - 1 > most ? plan.first - 1 : most;
        }
    }
    failing_now(NULL);
    ck_assert_msg(most >= reached[_i].least, "only %u calls of %s", most, failures_name(plan.call));
    stage_close();
}
END_TEST

static const enum failing_call channel_calls[] = {FAIL_SOCKETPAIR, FAIL_MEMFD_CREATE};

static int broadcast_news(void)
{
    unsigned char news[] = "news";

    errno = 0;
    return libwebsockets_broadcast(&program_protocols[1], news, 4) < 0 ? errno : 0;
}

static int broadcast_in_child(void *unused)
{
    (void)unused;
    return broadcast_news();
}

static bool news_is_there(void)
{
    unsigned int first;
    size_t length, total;

    return client_frame(&stage.healthy, &first, &length, &total) != NULL;
}

static void expect_news(void)
{
    unsigned int first;
    size_t length, total;
    const unsigned char *payload;

    ck_assert(stage_wait(&stage.healthy, news_is_there));
    payload = client_frame(&stage.healthy, &first, &length, &total);
    ck_assert_uint_eq(first, WS_FIN | WS_TEXT);
    ck_assert_uint_eq(length, 4);
    ck_assert_mem_eq(payload, "news", 4);
    client_take(&stage.healthy, total);
}

/* Only broadcasts from elsewhere are missing where the system lacks what they take. */
START_TEST(serves_without_broadcasts_from_elsewhere)
{
    struct failure_plan plan = {.call = channel_calls[_i], .first = 1, .lasting = true};

    stage_open();
    for (size_t error = 0; error < failures_errors(plan.call); error++) {
        plan.error = failures_error(plan.call, error);
        failures_begin(&plan);
        INSIDE_LIBRARY(stage_begin());
        ck_assert_uint_gt(failures_made(), 0);
        failures_end();
        ck_assert_int_eq(run_in_child(broadcast_in_child, NULL), plan.error);
        ck_assert_int_eq(broadcast_news(), 0);
        expect_news();
        ck_assert_int_eq(run_in_child(broadcast_in_child, NULL), plan.error);
        ck_assert(client_echo(&stage.healthy, "good evening"));
        stage_end();
    }
    stage_close();
}
END_TEST

TCase *creation_failures_case(void)
{
    TCase *failures = tcase_create("calls that fail");

    tcase_set_timeout(failures, 60);
    tcase_add_loop_test(failures, each_call_fails, 0, sizeof reached / sizeof reached[0]);
    tcase_add_loop_test(failures, serves_without_broadcasts_from_elsewhere, 0,
        sizeof channel_calls / sizeof channel_calls[0]);
    return failures;
}

/* --- privileges */

/* Runs a function in a child, because what it does is for good. */
static void in_child(void (*function)(void))
{
    pid_t child;
    int status;

    fflush(NULL);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        function();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child: status %#x",
        (unsigned int)status);
}

/* In the child an assertion of Check's would go on in the parent's place. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static bool is_user(uid_t uid)
{
    uid_t real;
    uid_t effective;
    uid_t saved;

    return getresuid(&real, &effective, &saved) == 0 && real == uid && effective == uid &&
           saved == uid;
}

static bool is_group(gid_t gid)
{
    gid_t real;
    gid_t effective;
    gid_t saved;

    return getresgid(&real, &effective, &saved) == 0 && real == gid && effective == gid &&
           saved == gid;
}

static bool has_only_group(gid_t gid)
{
    gid_t groups[64];
    int count = getgroups(64, groups);

    for (int i = 0; i < count; i++) {
        if (groups[i] != gid)
            return false;
    }
    return count >= 0;
}

static void have_groups(void)
{
    const gid_t groups[] = {1, 2, 3};

    REQUIRE(setgroups(3, groups) == 0);
}

/* What is the program's is not called with privileges that it has given up. */
static int privileged_callback(struct libwebsocket_context *context,
    struct libwebsocket_extension *extension, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)extension;
    (void)wsi;
    (void)reason;
    (void)user;
    (void)in;
    (void)len;
    REQUIRE(is_user(NOBODY) && is_group(NOBODY) && has_only_group(NOBODY));
    return 0;
}

static void becomes_nobody(void)
{
    static struct libwebsocket_extension extensions[] = {
        {"privileged", privileged_callback, 0, NULL}, {NULL, NULL, 0, NULL}};
    struct creation creation;

    have_groups();
    creation_setup(&creation);
    if (extension_is_there())
        creation.info.extensions = extensions;
    creation.info.uid = NOBODY;
    creation.info.gid = NOBODY;
    REQUIRE(creation_try(&creation) == 0);
    REQUIRE(is_user(NOBODY) && is_group(NOBODY) && has_only_group(NOBODY));
    REQUIRE(setuid(0) != 0 && seteuid(0) != 0 && setgid(0) != 0 && setegid(0) != 0);
    creation_destroy(&creation);
}

static void changes_user_alone(void)
{
    struct creation creation;

    have_groups();
    creation_setup(&creation);
    creation.info.uid = NOBODY;
    REQUIRE(creation_try(&creation) == 0);
    REQUIRE(is_user(NOBODY) && is_group(0) && has_only_group(0));
    REQUIRE(setuid(0) != 0);
    creation_destroy(&creation);
}

static void changes_group_alone(void)
{
    struct creation creation;

    have_groups();
    creation_setup(&creation);
    creation.info.gid = NOBODY;
    REQUIRE(creation_try(&creation) == 0);
    REQUIRE(is_user(0) && is_group(NOBODY) && has_only_group(NOBODY));
    creation_destroy(&creation);
}

static void stays_who_it_is(void)
{
    struct creation creation;
    gid_t groups[64];

    have_groups();
    creation_setup(&creation);
    creation.info.uid = 0;
    creation.info.gid = 0;
    REQUIRE(creation_try(&creation) == 0);
    REQUIRE(is_user(0) && is_group(0) && getgroups(64, groups) == 3);
    creation_destroy(&creation);
}

/* Somebody else may become nobody else. */
static void may_not_change(void)
{
    struct creation creation;
    int port;
    int fd = listen_somewhere(&port);

    if (geteuid() == 0) {
        REQUIRE(setgroups(0, NULL) == 0);
        REQUIRE(setresgid(NOBODY, NOBODY, NOBODY) == 0);
        REQUIRE(setresuid(NOBODY, NOBODY, NOBODY) == 0);
    }
    creation_setup(&creation);
    creation.extras.listen_fds = &fd;
    creation.extras.listen_fd_count = 1;
    creation.info.uid = 1;
    REQUIRE(creation_try(&creation) == -1);
    REQUIRE(strstr(creation.error, "user 1") != NULL);
    creation.info.uid = -1;
    creation.info.gid = 1;
    REQUIRE(creation_try(&creation) == -1);
    REQUIRE(strstr(creation.error, "group 1") != NULL);
    REQUIRE(is_listening(fd) && connects(AF_INET, port));

    /* What it is already. */
    creation.info.uid = (int)getuid();
    creation.info.gid = (int)getgid();
    REQUIRE(creation_try(&creation) == 0);
    creation_destroy(&creation);
    REQUIRE(fcntl(fd, F_GETFD) < 0);
}

static enum failing_call failing_privilege;

static void fails_to_drop(void)
{
    struct failure_plan plan = {.call = failing_privilege, .first = 1};
    struct creation creation;
    int port;
    int fd = listen_somewhere(&port);

    plan.error = failures_error(plan.call, 0);
    creation_setup(&creation);
    creation.extras.listen_fds = &fd;
    creation.extras.listen_fd_count = 1;
    creation.info.uid = NOBODY;
    creation.info.gid = NOBODY;
    failures_begin(&plan);
    REQUIRE(creation_try(&creation) == -1);
    REQUIRE(failures_made() == 1);
    REQUIRE(is_listening(fd) && connects(AF_INET, port));
}

START_TEST(privileges)
{
    static const enum failing_call calls[] = {FAIL_SETGROUPS, FAIL_SETRESGID, FAIL_SETRESUID};

    in_child(may_not_change);
    /* The rest only the superuser can do. */
    if (geteuid() != 0)
        return;
    in_child(becomes_nobody);
    in_child(changes_user_alone);
    in_child(changes_group_alone);
    in_child(stays_who_it_is);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        failing_privilege = calls[i];
        in_child(fails_to_drop);
    }
}
END_TEST

TCase *privileges_case(void)
{
    TCase *drop = tcase_create("privileges");

    tcase_set_timeout(drop, 60);
    tcase_add_test(drop, privileges);
    return drop;
}
