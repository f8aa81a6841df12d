#include "suites.h"

#include "interposed.h"
#include "platform/resolver.h"
#include "platform/wake.h"
#include "support/random_sequence.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 8080, PATIENCE_MS = 30000 };

static struct resolver *resolver;
static int fd;

static void set_up(void)
{
    interposed_reset();
    resolver = resolver_create();
    ck_assert_ptr_nonnull(resolver);
    fd = wake_open();
    ck_assert_int_ge(fd, 0);
}

/* Whoever lets its threads go has them end, so that none is left to the next test. */
static void tear_down(void)
{
    resolver_release(resolver);
    names_let_all_through();
    ck_assert(threads_wait_for_end());
    ck_assert_uint_eq(names_open_signals(), 0);
    ck_assert_int_eq(close(fd), 0);
}

static struct lookup *begin(const char *name)
{
    struct lookup *lookup = lookup_begin(resolver, name, PORT, fd);

    ck_assert_msg(lookup != NULL, "%s: %s", name, strerror(errno));
    return lookup;
}

static bool is_readable(int timeout)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    return poll(&pollfd, 1, timeout) == 1 && (pollfd.revents & POLLIN);
}

/* The answer; LOOKUP_PENDING where the descriptor did not become readable. */
static enum lookup_result await(
    struct lookup *lookup, struct socket_addresses **addresses, const char **why)
{
    enum lookup_result result = lookup_take(lookup, addresses, why);

    while (result == LOOKUP_PENDING && is_readable(PATIENCE_MS)) {
        wake_clear(fd);
        result = lookup_take(lookup, addresses, why);
    }
    return result;
}

static void expect_found(struct lookup *lookup)
{
    struct socket_addresses *addresses = NULL;
    const char *why = NULL;
    char text[64];

    ck_assert_int_eq(await(lookup, &addresses, &why), LOOKUP_FOUND);
    ck_assert_uint_eq(addresses->count, 1);
    socket_address_text(&addresses->list[0], text, sizeof(text));
    ck_assert_str_eq(text, "192.0.2.7");
    ck_assert_int_eq(ntohs(addresses->list[0].v4.sin_port), PORT);
    free(addresses);
}

static void expect_failed(struct lookup *lookup, const char *expected)
{
    struct socket_addresses *addresses = NULL;
    const char *why = NULL;

    ck_assert_int_eq(await(lookup, &addresses, &why), LOOKUP_FAILED);
    ck_assert_ptr_null(addresses);
    ck_assert_str_eq(why, expected);
}

static void expect_pending(struct lookup *lookup)
{
    struct socket_addresses *addresses = NULL;
    const char *why = NULL;

    ck_assert_int_eq(lookup_take(lookup, &addresses, &why), LOOKUP_PENDING);
}

/* The descriptor is closed, and another one gets its number. */
static void replace_fd(void)
{
    int before = fd;

    ck_assert_int_eq(close(fd), 0);
    fd = wake_open();
    ck_assert_int_eq(fd, before);
}

START_TEST(the_system_is_asked)
{
    struct lookup *lookups[40];

    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++)
        lookups[i] = begin("localhost");
    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
        struct socket_addresses *addresses = NULL;
        const char *why = NULL;

        ck_assert_msg(await(lookups[i], &addresses, &why) == LOOKUP_FOUND, "%s", why);
        ck_assert_uint_ge(addresses->count, 1);
        for (size_t j = 0; j < addresses->count; j++) {
            const struct socket_address *address = &addresses->list[j];
            bool is_v6 = address->any.sa_family == AF_INET6;
            char text[64];

            socket_address_text(address, text, sizeof(text));
            ck_assert_str_eq(text, is_v6 ? "::1" : "127.0.0.1");
            ck_assert_int_eq(ntohs(is_v6 ? address->v6.sin6_port : address->v4.sin_port), PORT);
        }
        free(addresses);
    }
    ck_assert_uint_eq(names_asked(), sizeof(lookups) / sizeof(lookups[0]));
    ck_assert_uint_le(names_asked_at_once(), RESOLVER_THREADS_MAX);
}
END_TEST

START_TEST(an_answer_is_pending_until_it_is_there)
{
    struct lookup *lookup = begin("gate.test");

    ck_assert(names_wait_at_gate(1));
    expect_pending(lookup);
    ck_assert(!is_readable(0));
    names_let_through(1);
    ck_assert(is_readable(PATIENCE_MS));
    expect_found(lookup);
}
END_TEST

START_TEST(errors_are_told)
{
    static const struct {
        int error;
        const char *why;
    } errors[] = {
        {EAI_NONAME, "host not found"},
        {EAI_NODATA, "host not found"},
        {EAI_AGAIN, "the name servers do not answer"},
        {EAI_MEMORY, "out of memory"},
        {EAI_SYSTEM, "the name look-up failed"},
        {EAI_FAIL, NULL},
    };

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        char name[32];

        snprintf(name, sizeof(name), "error:%d", errors[i].error);
        expect_failed(begin(name), errors[i].why ? errors[i].why : gai_strerror(errors[i].error));
    }
    expect_failed(begin("local.test"), "host not found");
    expect_failed(begin("short.test"), "out of memory");
}
END_TEST

START_TEST(what_is_no_name_is_not_asked_for)
{
    char name[300];

    memset(name, 'a', sizeof(name));
    name[254] = '\0';
    expect_failed(begin(name), "host not found");
    name[254] = '.';
    name[255] = '\0';
    expect_failed(begin(name), "host not found");
    expect_failed(begin("."), "host not found");
    expect_failed(begin(""), "host not found");
    ck_assert(is_readable(0));
    wake_clear(fd);
    lookup_cancel(begin(""));
    ck_assert_uint_eq(names_asked(), 0);
    ck_assert_uint_eq(threads_started(), 0);
}
END_TEST

START_TEST(the_longest_names_are_asked_for)
{
    char name[300];
    int length = snprintf(name, sizeof(name), "error:%d", EAI_NONAME);

    memset(name + length, 'a', sizeof(name) - (size_t)length);
    name[253] = '\0';
    expect_failed(begin(name), "host not found");
    ck_assert_uint_eq(names_asked(), 1);
    name[253] = '.';
    name[254] = '\0';
    expect_failed(begin(name), "host not found");
    ck_assert_uint_eq(names_asked(), 2);
}
END_TEST

START_TEST(threads_are_bounded)
{
    struct lookup *lookups[3 * RESOLVER_THREADS_MAX];

    for (size_t i = 0; i < 3 * RESOLVER_THREADS_MAX; i++)
        lookups[i] = begin("gate.test");
    ck_assert(names_wait_at_gate(RESOLVER_THREADS_MAX));
    ck_assert_uint_eq(threads_started(), RESOLVER_THREADS_MAX);
    for (size_t i = 0; i < 3 * RESOLVER_THREADS_MAX; i++)
        expect_pending(lookups[i]);
    ck_assert_uint_eq(names_asked(), RESOLVER_THREADS_MAX);
    names_let_all_through();
    for (size_t i = 0; i < 3 * RESOLVER_THREADS_MAX; i++)
        expect_found(lookups[i]);
    ck_assert_uint_eq(names_asked(), 3 * RESOLVER_THREADS_MAX);
    ck_assert_uint_eq(names_asked_at_once(), RESOLVER_THREADS_MAX);
    ck_assert_uint_eq(threads_started(), RESOLVER_THREADS_MAX);
}
END_TEST

START_TEST(what_waits_is_served_in_turn)
{
    struct lookup *stuck[RESOLVER_THREADS_MAX];
    struct lookup *first;
    struct lookup *second;

    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        stuck[i] = begin("gate.test");
    first = begin("now.test");
    second = begin("gate.test");
    ck_assert(names_wait_at_gate(RESOLVER_THREADS_MAX));
    /* The one thread that gets free takes both, and the second of them is stuck. */
    names_let_through(1);
    expect_found(first);
    ck_assert(names_wait_at_gate(RESOLVER_THREADS_MAX));
    expect_pending(second);
    names_let_all_through();
    expect_found(second);
    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        expect_found(stuck[i]);
}
END_TEST

START_TEST(threads_end_and_others_are_started)
{
    for (unsigned int i = 1; i <= 3; i++) {
        expect_found(begin("now.test"));
        ck_assert(threads_wait_for_end());
        ck_assert_uint_eq(threads_started(), i);
    }
}
END_TEST

START_TEST(cancelled_while_it_waits)
{
    struct lookup *stuck[RESOLVER_THREADS_MAX];
    struct lookup *waiting[3];

    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        stuck[i] = begin("gate.test");
    for (size_t i = 0; i < 3; i++)
        waiting[i] = begin("now.test");
    ck_assert(names_wait_at_gate(RESOLVER_THREADS_MAX));
    lookup_cancel(waiting[1]);
    names_let_all_through();
    expect_found(waiting[0]);
    expect_found(waiting[2]);
    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        expect_found(stuck[i]);
    ck_assert(threads_wait_for_end());
    ck_assert_uint_eq(names_asked(), RESOLVER_THREADS_MAX + 2);
}
END_TEST

/* Where cancelling waited for the answer, this would not end: the gate is opened only later. */
START_TEST(cancelled_while_it_is_asked)
{
    struct lookup *lookup = begin("gate.test");

    ck_assert(names_wait_at_gate(1));
    lookup_cancel(lookup);
    replace_fd();
    names_let_all_through();
    ck_assert(threads_wait_for_end());
    ck_assert(!is_readable(0));
    expect_found(begin("now.test"));
}
END_TEST

START_TEST(cancelled_when_it_is_answered)
{
    struct lookup *found = begin("now.test");
    struct lookup *failed = begin("local.test");

    ck_assert(threads_wait_for_end());
    ck_assert(is_readable(0));
    lookup_cancel(found);
    lookup_cancel(failed);
}
END_TEST

START_TEST(released_while_threads_are_stuck)
{
    struct lookup *lookups[2 * RESOLVER_THREADS_MAX];

    for (size_t i = 0; i < 2 * RESOLVER_THREADS_MAX; i++)
        lookups[i] = begin("gate.test");
    ck_assert(names_wait_at_gate(RESOLVER_THREADS_MAX));
    for (size_t i = 0; i < 2 * RESOLVER_THREADS_MAX; i++)
        lookup_cancel(lookups[i]);
    resolver_release(resolver);
    resolver = NULL;
    replace_fd();
    names_let_all_through();
    ck_assert(threads_wait_for_end());
    ck_assert(!is_readable(0));
    ck_assert_uint_eq(names_asked(), RESOLVER_THREADS_MAX);
}
END_TEST

START_TEST(one_that_is_stuck_does_not_hold_another)
{
    struct resolver *stuck_resolver = resolver;
    struct lookup *stuck[RESOLVER_THREADS_MAX];

    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        stuck[i] = begin("gate.test");
    ck_assert(names_wait_at_gate(RESOLVER_THREADS_MAX));
    resolver = resolver_create();
    ck_assert_ptr_nonnull(resolver);
    expect_found(begin("now.test"));
    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        lookup_cancel(stuck[i]);
    resolver_release(stuck_resolver);
}
END_TEST

/* tear_down looks at the masks that the threads had. */
START_TEST(the_mask_of_the_caller_stays)
{
    sigset_t one;
    sigset_t before;
    sigset_t after;

    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &one, &before), 0);
    expect_found(begin("now.test"));
    threads_refuse(EAGAIN, 1);
    ck_assert(threads_wait_for_end());
    ck_assert_ptr_null(lookup_begin(resolver, "now.test", PORT, fd));
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &before, &after), 0);
    for (int number = 1; number <= SIGRTMAX; number++)
        ck_assert_int_eq(sigismember(&after, number), sigismember(&one, number));
    ck_assert_uint_eq(names_asked(), 1);
}
END_TEST

START_TEST(no_thread_can_be_started)
{
    struct lookup *stuck;
    struct lookup *waiting;

    threads_refuse(EAGAIN, 1);
    errno = 0;
    ck_assert_ptr_null(lookup_begin(resolver, "now.test", PORT, fd));
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert(!is_readable(0));

    stuck = begin("gate.test");
    threads_refuse(EAGAIN, 1);
    waiting = begin("now.test");
    ck_assert(names_wait_at_gate(1));
    expect_pending(waiting);
    names_let_all_through();
    expect_found(waiting);
    expect_found(stuck);
    ck_assert_uint_eq(threads_started(), 1);
}
END_TEST

START_TEST(a_stack_that_is_too_small_is_made_larger)
{
    threads_refuse(EINVAL, 1);
    expect_found(begin("now.test"));
    ck_assert(threads_wait_for_end());
    threads_refuse(EINVAL, 2);
    errno = 0;
    ck_assert_ptr_null(lookup_begin(resolver, "now.test", PORT, fd));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(memory_is_short)
{
    memory_fail_next();
    errno = 0;
    ck_assert_ptr_null(lookup_begin(resolver, "now.test", PORT, fd));
    ck_assert_int_eq(errno, ENOMEM);
    memory_fail_next();
    errno = 0;
    ck_assert_ptr_null(resolver_create());
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_uint_eq(threads_started(), 0);
}
END_TEST

/* What a test has when it forks. */
struct pending {
    struct lookup *answered;
    struct lookup *asked[RESOLVER_THREADS_MAX];
    struct lookup *waiting;
};

/* Returns 0, or where it went wrong. */
static int cancel_after_fork(struct pending *pending)
{
    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        lookup_cancel(pending->asked[i]);
    lookup_cancel(pending->waiting);
    lookup_cancel(pending->answered);
    resolver_release(resolver);
    return 0;
}

/* The same, but it also goes on with the resolver. */
static int use_after_fork(struct pending *pending)
{
    struct socket_addresses *addresses = NULL;
    const char *why = NULL;
    struct lookup *lookup;

    interposed_after_fork();
    fd = wake_open();
    if (fd < 0)
        return 1;
    if (lookup_take(pending->asked[0], &addresses, &why) != LOOKUP_FAILED || !strstr(why, "forked"))
        return 2;
    if (lookup_take(pending->answered, &addresses, &why) != LOOKUP_FAILED || !strstr(why, "forked"))
        return 3;
    lookup = lookup_begin(resolver, "now.test", PORT, fd);
    if (!lookup || await(lookup, &addresses, &why) != LOOKUP_FOUND)
        return 4;
    free(addresses);
    lookup_cancel(pending->waiting);
    for (size_t i = 1; i < RESOLVER_THREADS_MAX; i++)
        lookup_cancel(pending->asked[i]);
    lookup = lookup_begin(resolver, "gate.test", PORT, fd);
    if (!lookup || !names_wait_at_gate(1))
        return 5;
    lookup_cancel(lookup);
    resolver_release(resolver);
    names_let_all_through();
    return threads_wait_for_end() ? 0 : 6;
}

static void expect_success(int (*function)(struct pending *pending), struct pending *pending)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        alarm(PATIENCE_MS / 1000);
        _exit(function(pending));
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

START_TEST(a_fork_leaves_both_processes_a_resolver)
{
    struct pending pending;

    pending.answered = begin("now.test");
    ck_assert(threads_wait_for_end());
    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        pending.asked[i] = begin("gate.test");
    pending.waiting = begin("now.test");
    ck_assert(names_wait_at_gate(RESOLVER_THREADS_MAX));
    expect_success(cancel_after_fork, &pending);
    expect_success(use_after_fork, &pending);

    names_let_all_through();
    expect_found(pending.answered);
    expect_found(pending.waiting);
    for (size_t i = 0; i < RESOLVER_THREADS_MAX; i++)
        expect_found(pending.asked[i]);
}
END_TEST

START_TEST(any_order)
{
    enum { LOOKUPS = 24, ROUNDS = 600 };
    static const char *const names[] = {"now.test", "short.test", "localhost", "local.test", ""};
    struct random_sequence random = {1};
    struct lookup *lookups[LOOKUPS] = {NULL};

    for (size_t round = 0; round < ROUNDS; round++) {
        struct lookup **lookup = &lookups[random_below(&random, LOOKUPS)];
        struct socket_addresses *addresses = NULL;
        const char *why = NULL;

        if (!*lookup) {
            *lookup = begin(names[random_below(&random, sizeof(names) / sizeof(names[0]))]);
            continue;
        }
        switch (random_below(&random, 4)) {
        case 0:
            lookup_cancel(*lookup);
            *lookup = NULL;
            break;
        case 1:
            ck_assert_int_ne(await(*lookup, &addresses, &why), LOOKUP_PENDING);
            *lookup = NULL;
            break;
        default:
            if (lookup_take(*lookup, &addresses, &why) != LOOKUP_PENDING)
                *lookup = NULL;
            break;
        }
        free(addresses);
    }
    for (size_t i = 0; i < LOOKUPS; i++)
        if (lookups[i])
            lookup_cancel(lookups[i]);
    ck_assert_uint_le(names_asked_at_once(), RESOLVER_THREADS_MAX);
}
END_TEST

START_TEST(nothing_is_released)
{
    resolver_release(NULL);
}
END_TEST

Suite *resolver_suite(void)
{
    Suite *suite = suite_create("resolver");
    TCase *tests = tcase_create("resolver");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_system_is_asked);
    tcase_add_test(tests, an_answer_is_pending_until_it_is_there);
    tcase_add_test(tests, errors_are_told);
    tcase_add_test(tests, what_is_no_name_is_not_asked_for);
    tcase_add_test(tests, the_longest_names_are_asked_for);
    tcase_add_test(tests, threads_are_bounded);
    tcase_add_test(tests, what_waits_is_served_in_turn);
    tcase_add_test(tests, threads_end_and_others_are_started);
    tcase_add_test(tests, cancelled_while_it_waits);
    tcase_add_test(tests, cancelled_while_it_is_asked);
    tcase_add_test(tests, cancelled_when_it_is_answered);
    tcase_add_test(tests, released_while_threads_are_stuck);
    tcase_add_test(tests, one_that_is_stuck_does_not_hold_another);
    tcase_add_test(tests, the_mask_of_the_caller_stays);
    tcase_add_test(tests, no_thread_can_be_started);
    tcase_add_test(tests, a_stack_that_is_too_small_is_made_larger);
    tcase_add_test(tests, memory_is_short);
    tcase_add_test(tests, a_fork_leaves_both_processes_a_resolver);
    tcase_add_test(tests, any_order);
    tcase_add_test(tests, nothing_is_released);
    suite_add_tcase(suite, tests);
    return suite;
}
