#include "suites.h"

#include "platform/process_lock.h"
#include "support/children.h"

#include <fcntl.h>

static struct process_lock lock;
static int to_child[2];
static int to_parent[2];

static void set_up(void)
{
    ck_assert(process_lock_open(&lock, true));
    ck_assert_int_eq(pipe2(to_child, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(to_parent, O_CLOEXEC), 0);
}

static void tear_down(void)
{
    process_lock_close(&lock);
    for (int i = 0; i < 2; i++) {
        close(to_child[i]);
        close(to_parent[i]);
    }
}

static int is_alive(void *unused)
{
    (void)unused;
    return process_lock_is_alive(&lock) ? 1 : 0;
}

START_TEST(creator_holds_it)
{
    ck_assert(process_lock_is_holder(&lock));
    ck_assert(process_lock_is_alive(&lock));
    ck_assert_int_eq(run_in_child(is_alive, NULL), 1);
}
END_TEST

START_TEST(survives_no_exec)
{
    ck_assert_int_eq(fcntl(lock.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}
END_TEST

/* Becomes the holder, and lives until told otherwise. */
static int hold(void *unused)
{
    (void)unused;
    if (!process_lock_join(&lock))
        return 1;
    process_lock_claim(&lock);
    say(to_parent[1], 'h');
    (void)hear(to_child[0]);
    return 0;
}

START_TEST(holder_that_is_killed_is_not_alive)
{
    pid_t child = fork_and_run(hold, NULL);

    ck_assert_int_eq(hear(to_parent[0]), 'h');
    ck_assert(!process_lock_is_holder(&lock));
    ck_assert(process_lock_is_alive(&lock));
    ck_assert_int_eq(run_in_child(is_alive, NULL), 1);
    kill_child(child);
    ck_assert(!process_lock_is_alive(&lock));
    ck_assert_int_eq(run_in_child(is_alive, NULL), 0);
    process_lock_claim(&lock);
    ck_assert(process_lock_is_alive(&lock));
    ck_assert_int_eq(run_in_child(is_alive, NULL), 1);
}
END_TEST

/* Has a child that outlives it. */
static int hold_with_a_child(void *unused)
{
    pid_t child;

    (void)unused;
    if (!process_lock_join(&lock))
        return 1;
    process_lock_claim(&lock);
    child = fork();
    if (child == 0) {
        (void)hear(to_child[0]);
        say(to_parent[1], process_lock_is_alive(&lock) ? 'a' : 'c');
        (void)hear(to_child[0]);
        _exit(0);
    }
    return child < 0 ? 1 : 0;
}

START_TEST(children_of_the_holder_do_not_keep_it)
{
    ck_assert_int_eq(run_in_child(hold_with_a_child, NULL), 0);
    say(to_child[1], 'g');
    ck_assert_int_eq(hear(to_parent[0]), 'c');
    ck_assert(!process_lock_is_alive(&lock));
    say(to_child[1], 'e');
}
END_TEST

static int close_it(void *joins)
{
    if (*(bool *)joins && !process_lock_join(&lock))
        return 1;
    process_lock_close(&lock);
    return 0;
}

START_TEST(who_closes_a_copy_takes_nothing_from_the_holder)
{
    bool joins = _i != 0;

    ck_assert_int_eq(run_in_child(close_it, &joins), 0);
    ck_assert(process_lock_is_holder(&lock));
    ck_assert_int_eq(run_in_child(is_alive, NULL), 1);
}
END_TEST

static int run_another_program(void *unused)
{
    (void)unused;
    if (!process_lock_join(&lock))
        return 1;
    process_lock_claim(&lock);
    dup2(to_parent[1], STDOUT_FILENO);
    dup2(to_child[0], STDIN_FILENO);
    execlp("sh", "sh", "-c", "printf x; read line", (char *)NULL);
    return 2;
}

START_TEST(holder_that_runs_another_program_is_gone)
{
    pid_t child = fork_and_run(run_another_program, NULL);

    ck_assert_int_eq(hear(to_parent[0]), 'x');
    ck_assert(!process_lock_is_alive(&lock));
    say(to_child[1], '\n');
    ck_assert_int_eq(status_of(child), 0);
}
END_TEST

START_TEST(who_leaves_is_not_alive_and_may_join_again)
{
    process_lock_leave(&lock);
    ck_assert(!process_lock_is_holder(&lock));
    ck_assert(!process_lock_is_alive(&lock));
    ck_assert_int_eq(run_in_child(is_alive, NULL), 0);
    ck_assert(process_lock_join(&lock));
    ck_assert(!process_lock_is_holder(&lock));
    process_lock_claim(&lock);
    ck_assert(process_lock_is_alive(&lock));
    ck_assert_int_eq(run_in_child(is_alive, NULL), 1);
}
END_TEST

START_TEST(without_asking_it_needs_no_descriptor)
{
    struct process_lock quiet;
    int before = count_descriptors();

    ck_assert(process_lock_open(&quiet, false));
    ck_assert_int_eq(count_descriptors(), before);
    ck_assert(process_lock_is_holder(&quiet));
    process_lock_close(&quiet);
    process_lock_close(&quiet);
}
END_TEST

Suite *process_lock_suite(void)
{
    Suite *suite = suite_create("process_lock");
    TCase *tests = tcase_create("holders");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, creator_holds_it);
    tcase_add_test(tests, survives_no_exec);
    tcase_add_test(tests, holder_that_is_killed_is_not_alive);
    tcase_add_test(tests, children_of_the_holder_do_not_keep_it);
    tcase_add_loop_test(tests, who_closes_a_copy_takes_nothing_from_the_holder, 0, 2);
    tcase_add_test(tests, holder_that_runs_another_program_is_gone);
    tcase_add_test(tests, who_leaves_is_not_alive_and_may_join_again);
    tcase_add_test(tests, without_asking_it_needs_no_descriptor);
    suite_add_tcase(suite, tests);
    return suite;
}
