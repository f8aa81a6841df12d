/* Clients and a server of the library talk to each other, once for each thing that can fail. */
#include <check.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/sanitized.h"
#include "extension.h"
#include "failures.h"
#include "program.h"
#include "relay.h"
#include "stage.h"
#include "suites.h"
#include "talk.h"

#define RUNS_MOST 5000u
#define ATTEMPTS 3
#define LATE_ATTEMPTS 30
#define LONG_MESSAGE 3000u

/* With TLS a run takes long: not each call fails there, but every so many, by prime numbers because
 * calls come in patterns. */
#define ALLOCATION_STRIDE (IS_SANITIZED ? 7u : 1u)
#define OPENSSL_STRIDE (IS_SANITIZED ? 499u : 211u)
#define CALL_STRIDE (IS_SANITIZED ? 5u : 3u)

/* One that began before anything failed, and to which nothing may happen. */
static struct talk *healthy;

/* A connection whose end is not yet known where a step goes wrong. */
static struct talk *current;

static bool converse(enum talk_way way)
{
    char text[LONG_MESSAGE];
    unsigned int random = 1;

    /* Not to be compressed to next to nothing. */
    for (size_t i = 0; i < sizeof text; i++) {
        random = random * 1103515245 + 12345;
        text[i] = (char)('a' + (random >> 16) % 26);
    }
    current = talk_begin(way);
    return current != NULL && talk_is_established(current) && talk_echo(current, "hello", 5) &&
           talk_echo(current, text, sizeof text) && talk_ping(current) && talk_close(current);
}

static bool by_address(void)
{
    return converse(TALK_BY_ADDRESS);
}

static bool by_name(void)
{
    return converse(TALK_BY_NAME);
}

static bool by_proxy(void)
{
    return converse(TALK_BY_PROXY);
}

static bool by_path(void)
{
    return converse(TALK_BY_PATH);
}

static bool to_nobody(void)
{
    current = talk_begin(TALK_TO_NOBODY);
    return current != NULL && !talk_is_established(current);
}

static bool by_size(void)
{
    current = talk_begin_counting();
    return current != NULL && talk_is_established(current) && talk_count(current) &&
           talk_close(current);
}

static bool has_failed(const struct talk *talk)
{
    return talk->errors > 0;
}

/* The program thinks better of it, while the name is being looked up. */
static bool given_up(void)
{
    int result;

    failures_hold_names(true);
    current = talk_begin_at("slow.example", stage.port, 0, NULL);
    if (current == NULL) {
        failures_hold_names(false);
        return false;
    }
    stage_turn();
    INSIDE_LIBRARY(result = current->wsi == NULL ? 0 : lws_close(current->wsi, 1000, NULL, 0));
    if (result == 0)
        talk_wait(has_failed, current);
    failures_hold_names(false);
    ck_assert(failures_threads_ended());
    return result == 0;
}

/* Certificates are read anew, and what is there goes on. */
static bool reload(void)
{
    int result;

    if (!stage.with_tls)
        return true;
    INSIDE_LIBRARY(result = lws_tls_reload(stage.context, NULL, 0));
    return result == 0;
}

/* What comes before the WebSocket is the same with extensions. */
static const struct {
    const char *name;
    bool (*function)(void);
    bool without;
    bool with_extensions;
} steps[] = {
    {"by address", by_address, true, true},
    {"by name", by_name, true, false},
    {"through a proxy", by_proxy, true, false},
    {"by a path", by_path, true, false},
    {"a large message", by_size, false, true},
    {"where nobody listens", to_nobody, true, false},
    {"one that is given up", given_up, true, false},
    {"reading certificates anew", reload, true, false},
};

/* Clients in the middle of everything, for the context to be destroyed with them. */
static void last_scene(void)
{
    int silent_port;
    int silent = listen_somewhere(&silent_port);
    char proxy[64];

    snprintf(proxy, sizeof proxy, "127.0.0.1:%d", silent_port);
    failures_hold_names(true);
    (void)talk_begin_at("slow.example", stage.port, 0, NULL);
    (void)talk_begin_at("127.0.0.1", silent_port, 0, NULL);
    (void)talk_begin_at("127.0.0.1", silent_port, stage.with_tls ? 1 : 0, NULL);
    (void)talk_begin_at("127.0.0.1", stage.port, 0, proxy);
    (void)talk_begin(TALK_BY_ADDRESS);
    for (int i = 0; i < 3; i++)
        stage_turn();
    (void)talk_begin(TALK_BY_ADDRESS);
    ck_assert_int_eq(close(silent), 0);
}

/* Whether it is something after which no connection may be lost. */
static bool is_harmless(const struct failure_plan *plan)
{
    switch (plan->call) {
    case FAIL_READ:
    case FAIL_SETSOCKOPT:
    case FAIL_SHUTDOWN:
    case FAIL_TIMERFD_SETTIME:
        return true;
    case FAIL_CONNECT:
        return plan->error == EINTR;
    case FAIL_RECV:
    case FAIL_SENDMSG:
        return plan->error == EAGAIN || plan->error == EINTR || plan->error == ENOBUFS;
    default:
        return false;
    }
}

/* Whether a step may be tried again: only what was made to fail may go wrong. */
static void excuse(const char *name, unsigned int *excused, const struct failure_plan *plan)
{
    unsigned int made = failures_made();

    ck_assert_msg(
        made > 0 && (plan->lasting || *excused < made), "%s: wrong, and nothing had failed", name);
    ck_assert_msg(!is_harmless(plan), "%s: wrong after something harmless", name);
    ++*excused;
    failures_pause(true);
    if (current != NULL && current->wsi != NULL)
        (void)talk_close(current);
    failures_pause(false);
}

static void play(
    const char *name, bool (*step)(void), unsigned int *excused, const struct failure_plan *plan)
{
    for (int attempts = 0, late = 0; attempts < ATTEMPTS;) {
        current = NULL;
        if (step())
            return;
        if (talk_was_late() && failures_made() == *excused && late++ < LATE_ATTEMPTS)
            continue;
        excuse(name, excused, plan);
        if (plan->lasting)
            return;
        attempts++;
    }
    ck_abort_msg("%s: wrong again and again", name);
}

/* What the loop watched before anything failed. */
static nfds_t watched;

static bool is_watched_again(const struct talk *talk)
{
    (void)talk;
    return program_fd_count == watched;
}

/* Returns how many calls failed. */
static unsigned int run(const struct failure_plan *plan)
{
    static const struct failure_plan nothing = {.call = FAIL_NOTHING};
    unsigned int excused = 0;

    failures_begin(&nothing);
    talk_reset();
    stage_begin();
    healthy = talk_begin(TALK_BY_ADDRESS);
    ck_assert(talk_is_established(healthy) && talk_echo(healthy, "good morning", 12));
    watched = program_fd_count;
    failures_begin(plan);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (stage.extensions == WITHOUT_EXTENSIONS ? steps[i].without : steps[i].with_extensions)
            play(steps[i].name, steps[i].function, &excused, plan);
    }
    if (plan->lasting)
        failures_end();
    failures_pause(true);
    /* OpenSSL may have taken an authority whose key it had no memory to decode, and said nothing.
     */
    if (plan->by == BY_OPENSSL)
        ck_assert(reload());
    failures_pause(false);

    /* Nothing is left over from what failed. */
    ck_assert_msg(healthy->wsi != NULL, "the healthy one was lost");
    failures_pause(true);
    ck_assert(talk_echo(healthy, "still there", 11));
    ck_assert(client_echo(&stage.healthy, "still there"));
    for (int i = 0; !converse(TALK_BY_NAME); i++)
        ck_assert(talk_was_late() && i < LATE_ATTEMPTS);
    talk_wait(is_watched_again, NULL);
    failures_pause(false);
    last_scene();
    stage_end();
    talk_check();
    return failures_made();
}

/* Once with each call that there is, or with every so many, until a run has seen none fail. There
 * are so many calls at least. */
static void run_all(struct failure_plan plan, unsigned int stride, unsigned int least)
{
    unsigned int runs = 0;
    unsigned int made;

    plan.first = 1;
    do {
        ck_assert_uint_lt(runs++, RUNS_MOST);
        failing_now(&plan);
        made = run(&plan);
        plan.first += stride;
    } while (made > 0);
    failing_now(NULL);
    ck_assert_msg(plan.first > least + stride, "there are at most %u calls of %s",
        plan.first - stride - 1, failures_name(plan.call));
}

/* What fails for clients; the errors, which end with 0; and how many calls there are at least. */
static const struct {
    enum failing_call call;
    int errors[5];
    unsigned int least;
} reached[] = {
    {FAIL_CONNECT, {ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, EACCES}, 8},
    {FAIL_CONNECT, {EAGAIN, EINTR}, 8},
    {FAIL_EVENTFD, {EMFILE, ENOMEM}, 3},
    {FAIL_GETADDRINFO, {EAI_MEMORY, EAI_SYSTEM, EAI_AGAIN, EAI_NONAME}, 1},
    {FAIL_PTHREAD_CREATE, {EAGAIN, EPERM}, 3},
    {FAIL_READ, {EAGAIN, EINTR}, 1},
    {FAIL_RECV, {ECONNRESET, EAGAIN, ETIMEDOUT, EINTR}, 20},
    {FAIL_SENDMSG, {ECONNRESET, ENOBUFS, EPIPE, EAGAIN}, 20},
    {FAIL_SETSOCKOPT, {ENOBUFS, ENOMEM}, 6},
    {FAIL_SHUTDOWN, {ENOTCONN}, 3},
    {FAIL_SOCKET, {EMFILE, ENFILE, ENOBUFS, EACCES}, 6},
    {FAIL_TIMERFD_SETTIME, {EINVAL}, 5},
};

/* In what ways they talk. */
enum { PLAIN, WITH_TLS, FORGETFUL, MINDFUL, WAYS };

/* OpenSSL gets ready at its first use, and does not try again where that fails. */
static void warm_up(int way)
{
    static const struct failure_plan nothing = {.call = FAIL_NOTHING};

    stage.with_tls = way == WITH_TLS;
    stage.with_path = true;
    stage.extensions = way == FORGETFUL ? FORGETFUL_EXTENSIONS
                       : way == MINDFUL ? MINDFUL_EXTENSIONS
                                        : WITHOUT_EXTENSIONS;
    stage_open();
    relay_open();
    ck_assert_uint_eq(run(&nothing), 0);
    ck_assert(stage.extensions == WITHOUT_EXTENSIONS || extension_connections() > 0);
}

START_TEST(each_allocation_fails)
{
    warm_up(_i);
    run_all((struct failure_plan){.call = FAIL_ALLOCATION, .by = BY_ANYBODY_ELSE, .error = ENOMEM},
        _i == WITH_TLS ? ALLOCATION_STRIDE : 1, 100);
    stage_close();
}
END_TEST

START_TEST(all_allocations_fail_from_one_on)
{
    warm_up(_i);
    run_all(
        (struct failure_plan){
            .call = FAIL_ALLOCATION, .by = BY_ANYBODY_ELSE, .error = ENOMEM, .lasting = true},
        _i == WITH_TLS ? ALLOCATION_STRIDE : 1, 100);
    stage_close();
}
END_TEST

START_TEST(some_of_the_allocations_of_openssl_fail)
{
    warm_up(WITH_TLS);
    run_all((struct failure_plan){.call = FAIL_ALLOCATION, .by = BY_OPENSSL, .error = ENOMEM},
        OPENSSL_STRIDE, 20);
    stage_close();
}
END_TEST

START_TEST(each_system_call_fails)
{
    size_t count = sizeof reached / sizeof reached[0];
    size_t which = (size_t)_i % count;
    struct failure_plan plan = {.call = reached[which].call};

    warm_up((size_t)_i >= count ? WITH_TLS : PLAIN);
    for (size_t i = 0; reached[which].errors[i] != 0; i++) {
        plan.error = reached[which].errors[i];
        run_all(plan, stage.with_tls && reached[which].least >= 20 ? CALL_STRIDE : 1,
            reached[which].least);
    }
    stage_close();
}
END_TEST

/* Reading and writing, which extensions work on. */
START_TEST(each_read_and_write_fails)
{
    static const enum failing_call ours[] = {FAIL_RECV, FAIL_SENDMSG};

    warm_up(FORGETFUL + _i);
    for (size_t i = 0; i < sizeof reached / sizeof reached[0]; i++) {
        struct failure_plan plan = {.call = reached[i].call};

        if (plan.call != ours[0] && plan.call != ours[1])
            continue;
        for (size_t j = 0; reached[i].errors[j] != 0; j++) {
            plan.error = reached[i].errors[j];
            run_all(plan, CALL_STRIDE, reached[i].least);
        }
    }
    stage_close();
}
END_TEST

Suite *talk_suite(void)
{
    int ways = extension_is_there() ? WAYS : FORGETFUL;
    Suite *suite = suite_create("Clients to which things happen");
    TCase *allocations = tcase_create("allocations of both sides");
    TCase *system_calls = tcase_create("system calls of both sides");

    tcase_set_timeout(allocations, 240);
    tcase_add_loop_test(allocations, each_allocation_fails, 0, ways);
    tcase_add_loop_test(allocations, all_allocations_fail_from_one_on, 0, ways);
    tcase_add_test(allocations, some_of_the_allocations_of_openssl_fail);
    suite_add_tcase(suite, allocations);

    tcase_set_timeout(system_calls, 240);
    tcase_add_loop_test(
        system_calls, each_system_call_fails, 0, 2 * (int)(sizeof reached / sizeof reached[0]));
    tcase_add_loop_test(system_calls, each_read_and_write_fails, 0, ways - FORGETFUL);
    suite_add_tcase(suite, system_calls);
    return suite;
}
