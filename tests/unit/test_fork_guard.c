#include "suites.h"

#include "platform/fork_guard.h"
#include "support/children.h"

#include <pthread.h>

static struct fork_guard guard;

static void set_up(void)
{
    ck_assert(fork_guard_open(&guard));
}

static void tear_down(void)
{
    fork_guard_close(&guard);
}

START_TEST(same_process_keeps_its_number)
{
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(fork_guard_process(&guard), 1);
}
END_TEST

static int number(void *unused)
{
    (void)unused;
    return (int)fork_guard_process(&guard);
}

START_TEST(child_has_another_and_parent_keeps_its_own)
{
    ck_assert_int_eq(run_in_child(number, NULL), 2);
    ck_assert_int_eq(run_in_child(number, NULL), 2);
    ck_assert_uint_eq(fork_guard_process(&guard), 1);
}
END_TEST

/* Says whether the grandchild's number differs from the one kept in between. */
static int grandchild_differs(void *looks)
{
    unsigned int kept = *(bool *)looks ? fork_guard_process(&guard) : 1;
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(fork_guard_process(&guard) != kept && fork_guard_process(&guard) != 1 ? 0 : 1);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return 2;
    if (kept != 1 && fork_guard_process(&guard) != kept)
        return 3;
    return WEXITSTATUS(status);
}

START_TEST(grandchild_differs_from_both)
{
    bool looks = _i != 0;

    ck_assert_int_eq(run_in_child(grandchild_differs, &looks), 0);
}
END_TEST

enum { THREADS = 8 };

static pthread_barrier_t together;

static void *look(void *result)
{
    unsigned int *mine = result;

    (void)pthread_barrier_wait(&together);
    *mine = fork_guard_process(&guard);
    return NULL;
}

/* Whether threads that look at the same time for the first time after a fork agree. */
static int threads_agree(void *unused)
{
    pthread_t threads[THREADS];
    unsigned int seen[THREADS] = {0};

    (void)unused;
    if (pthread_barrier_init(&together, NULL, THREADS))
        return 1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, look, &seen[i]))
            return 1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_join(threads[i], NULL))
            return 1;
    for (int i = 0; i < THREADS; i++)
        if (seen[i] != fork_guard_process(&guard) || seen[i] == 1)
            return 2;
    return 0;
}

START_TEST(threads_of_a_child_agree)
{
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(run_in_child(threads_agree, NULL), 0);
}
END_TEST

Suite *fork_guard_suite(void)
{
    Suite *suite = suite_create("fork_guard");
    TCase *tests = tcase_create("processes");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, same_process_keeps_its_number);
    tcase_add_test(tests, child_has_another_and_parent_keeps_its_own);
    tcase_add_loop_test(tests, grandchild_differs_from_both, 0, 2);
    tcase_add_test(tests, threads_of_a_child_agree);
    suite_add_tcase(suite, tests);
    return suite;
}
