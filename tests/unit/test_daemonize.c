#include "suites.h"

#include "libwebsockets.h"
#include "support/children.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static char folder[] = "/tmp/daemonize-XXXXXX";
static char path[64];

/* Those of the standard descriptors that a program is started without, as bits. */
static int without;

static void no_log(int level, const char *line)
{
    (void)level;
    (void)line;
}

static void set_up(void)
{
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/lock", folder);
    lws_set_log_level(0, no_log);
    without = 0;
}

static void tear_down(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

struct daemon_pipes {
    int says[2];
    int ends[2];
};

static void open_pipes(struct daemon_pipes *pipes)
{
    ck_assert_int_eq(pipe(pipes->says), 0);
    ck_assert_int_eq(pipe(pipes->ends), 0);
}

static void close_pipes(struct daemon_pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        close(pipes->says[i]);
        close(pipes->ends[i]);
    }
}

static bool are_null(void)
{
    struct stat null, standard;

    if (stat("/dev/null", &null) < 0)
        return false;
    for (int fd = 0; fd <= 2; fd++)
        if (fstat(fd, &standard) < 0 || standard.st_rdev != null.st_rdev)
            return false;
    return true;
}

/* The daemon says what it is, and lives until the test has ended. */
static int go_into_background(void *argument)
{
    struct daemon_pipes *pipes = argument;
    pid_t before = getpid();
    char where[8] = "";
    pid_t self;

    close(pipes->says[0]);
    close(pipes->ends[1]);
    for (int fd = 0; fd <= 2; fd++)
        if (without >> fd & 1)
            close(fd);
    if (lws_daemonize(path))
        return errno;
    self = getpid();
    if (self == before || getsid(0) != self || !getcwd(where, sizeof(where)) ||
        strcmp(where, "/") != 0 || !are_null())
        self = -1;
    (void)!write(pipes->says[1], &self, sizeof(self));
    (void)hear(pipes->ends[0]);
    return 0;
}

static int written_id(void)
{
    FILE *file = fopen(path, "r");
    int id = 0;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &id), 1);
    fclose(file);
    return id;
}

/* Whatever descriptors the program was started with. */
START_TEST(one_daemon_at_a_time)
{
    without = _i;
    for (int round = 0; round < 2; round++) {
        struct daemon_pipes pipes;
        pid_t daemon = 0;

        open_pipes(&pipes);
        ck_assert_int_eq(run_in_child(go_into_background, &pipes), 0);
        ck_assert_int_eq(read(pipes.says[0], &daemon, sizeof(daemon)), sizeof(daemon));
        ck_assert_int_gt(daemon, 0);
        ck_assert_int_eq(written_id(), daemon);
        ck_assert_int_eq(run_in_child(go_into_background, &pipes), EEXIST);
        ck_assert_int_eq(written_id(), daemon);
        /* It ends, and with it its lock, though not the file. */
        close(pipes.says[1]);
        pipes.says[1] = open("/dev/null", O_RDONLY);
        say(pipes.ends[1], 'e');
        ck_assert_int_eq(hear(pipes.says[0]), -1);
        close_pipes(&pipes);
    }
}
END_TEST

START_TEST(no_link_is_followed)
{
    struct daemon_pipes pipes;
    char target[80];
    int fd;

    snprintf(target, sizeof(target), "%s/target", folder);
    fd = open(target, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    open_pipes(&pipes);
    ck_assert_int_eq(_i ? link(target, path) : symlink(target, path), 0);
    ck_assert_int_eq(run_in_child(go_into_background, &pipes), _i ? EPERM : ELOOP);
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
    close(fd);
    ck_assert_int_eq(unlink(target), 0);
    close_pipes(&pipes);
}
END_TEST

Suite *daemonize_suite(void)
{
    Suite *suite = suite_create("daemonize");
    TCase *tests = tcase_create("lock");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, one_daemon_at_a_time, 0, 8);
    tcase_add_loop_test(tests, no_link_is_followed, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
