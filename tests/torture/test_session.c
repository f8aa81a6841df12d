/* The script, once for each thing that can fail in it. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/ws_client.h"
#include "failures.h"
#include "script.h"
#include "stage.h"
#include "suites.h"

#define RUNS_MOST 5000u
#define ATTEMPTS 3

/* Whether it is something after which no connection may be lost. */
static bool is_harmless(const struct failure_plan *plan)
{
    switch (plan->call) {
    case FAIL_ACCEPT4:
    case FAIL_GETPEERNAME:
    case FAIL_READ:
    case FAIL_SETSOCKOPT:
    case FAIL_SHUTDOWN:
    case FAIL_TIMERFD_SETTIME:
        return true;
    default:
        return plan->error == EAGAIN || plan->error == EINTR || plan->error == ENOBUFS;
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
    client_close(&stage.victim);
    stage_turn();
}

static bool try_step(const struct script_step *step)
{
    bool open = stage.victim.fd >= 0 && !stage.victim.ended && stage.victim_wsi != NULL;

    stage.victim.reads_not = false;
    if (step->websocket && !open && !script_establish())
        return false;
    return step->function();
}

static void play(
    const struct script_step *step, unsigned int *excused, const struct failure_plan *plan)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        if (try_step(step))
            return;
        excuse(step->name, excused, plan);
        if (plan->lasting)
            return;
    }
    ck_abort_msg("%s: wrong again and again", step->name);
}

/* Returns how many calls failed. */
static unsigned int run(const struct failure_plan *plan)
{
    static const struct failure_plan nothing = {.call = FAIL_NOTHING};
    unsigned int excused = 0;

    failures_begin(&nothing);
    stage_begin();
    failures_begin(plan);
    for (size_t i = 0; i < script_length; i++)
        play(&script[i], &excused, plan);
    if (plan->lasting)
        failures_end();

    /* From outside of INSIDE_LIBRARY() nothing fails, and nothing is left over from what did. */
    ck_assert_msg(!stage.healthy.ended && stage.healthy_wsi != NULL, "the healthy one was lost");
    failures_pause(true);
    ck_assert(client_echo(&stage.healthy, "still there"));
    if (!script_establish())
        excuse("the handshake", &excused, plan);
    failures_pause(false);
    script_last_scene();
    stage_end();
    return failures_made();
}

/* Once with each call that there is, until a run has seen none fail. At least `least` did. */
static void run_all(struct failure_plan plan, unsigned int least)
{
    unsigned int made;

    plan.first = 0;
    do {
        plan.first++;
        ck_assert_uint_lt(plan.first, RUNS_MOST);
        failing_now(&plan);
        made = run(&plan);
    } while (made > 0);
    failing_now(NULL);
    ck_assert_msg(
        plan.first > least, "only %u calls of %s", plan.first - 1, failures_name(plan.call));
}

/* What the script is to reach, as a measure of whether it still does. */
static const struct {
    enum failing_call call;
    unsigned int least;
} reached[] = {
    {FAIL_ACCEPT4, 10},
    {FAIL_FSTAT, 4},
    {FAIL_GETPEERNAME, 10},
    {FAIL_OPEN, 4},
    {FAIL_READ, 2},
    {FAIL_RECV, 30},
    {FAIL_SENDFILE, 10},
    {FAIL_SENDMSG, 30},
    {FAIL_SETSOCKOPT, 10},
    {FAIL_SHUTDOWN, 5},
    {FAIL_STAT, 5},
    {FAIL_TIMERFD_SETTIME, 5},
};

/* OpenSSL gets ready at its first use, and does not try again where that fails. */
static void warm_up(void)
{
    static const struct failure_plan nothing = {.call = FAIL_NOTHING};

    stage_open();
    ck_assert_uint_eq(run(&nothing), 0);
}

START_TEST(each_allocation_fails)
{
    warm_up();
    run_all((struct failure_plan){.call = FAIL_ALLOCATION, .error = ENOMEM}, 100);
    stage_close();
}
END_TEST

START_TEST(all_allocations_fail_from_one_on)
{
    warm_up();
    run_all((struct failure_plan){.call = FAIL_ALLOCATION, .error = ENOMEM, .lasting = true}, 100);
    stage_close();
}
END_TEST

START_TEST(each_system_call_fails)
{
    struct failure_plan plan = {.call = reached[_i].call};

    warm_up();
    for (size_t i = 0; i < failures_errors(plan.call); i++) {
        plan.error = failures_error(plan.call, i);
        run_all(plan, reached[_i].least);
    }
    stage_close();
}
END_TEST

static bool is_established(void)
{
    return stage.victims_established > 0;
}

/* No descriptor is to be had for a while: nothing spins, the healthy one does not notice, and who
 * waits is let in afterwards. */
START_TEST(descriptors_run_out)
{
    struct failure_plan plan = {.call = FAIL_ACCEPT4,
        .first = 1,
        .lasting = true,
        .error = failures_error(FAIL_ACCEPT4, 0)};
    char *request = ws_handshake_text("/chat", "victim", NULL);
    int64_t deadline;

    warm_up();
    failures_begin(&plan);
    failures_pause(true);
    stage_begin();
    failures_pause(false);
    client_connect(&stage.victim);
    client_send_text(&stage.victim, request);
    free(request);
    deadline = ws_now_ms() + 500;
    while (ws_now_ms() < deadline)
        stage_turn();
    ck_assert_uint_ge(failures_made(), 1);
    ck_assert_uint_le(failures_made(), 3);
    ck_assert(client_echo(&stage.healthy, "still there"));
    failures_end();
    ck_assert(stage_wait(&stage.victim, is_established));
    stage_end();
    stage_close();
}
END_TEST

Suite *session_suite(void)
{
    Suite *suite = suite_create("A session in which things fail");
    TCase *allocations = tcase_create("allocations");
    TCase *system_calls = tcase_create("system calls");

    tcase_set_timeout(allocations, 120);
    tcase_add_test(allocations, each_allocation_fails);
    tcase_add_test(allocations, all_allocations_fail_from_one_on);
    suite_add_tcase(suite, allocations);

    tcase_set_timeout(system_calls, 120);
    tcase_add_loop_test(
        system_calls, each_system_call_fails, 0, sizeof reached / sizeof reached[0]);
    tcase_add_test(system_calls, descriptors_run_out);
    suite_add_tcase(suite, system_calls);
    return suite;
}
