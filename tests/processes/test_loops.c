/* The loop of a program in a process that it forks, and what it has left of a context. */
#include "program.h"
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "../support/children.h"
#include "../support/ws_client.h"

static pid_t program;
static struct ws_client *client;

static void expect_echo(const char *text)
{
    ws_send_frame(client, WS_FIN | WS_TEXT, text, strlen(text));
    ws_expect_text(client, text);
}

/* It has a connection, and a child that has done nothing yet. */
static void start(enum host_loop loop)
{
    const struct program_options options = {.loop = loop};
    int port = program_start(&options, &program);

    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    client = ws_open(port, "news");
    expect_echo("before");
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
}

static void set_up(void)
{
    ws_carry(NULL);
    become_reaper();
    roles_open();
}

static void tear_down(void)
{
    ck_assert_int_eq(ask(PARENT, LEAVE), 0);
    ck_assert_int_eq(status_of(program), EXIT_SUCCESS);
    expect_nobody_left();
    ws_free(client);
    roles_close();
}

static const enum host_loop loops[] = {HOST_UV, HOST_EVENT};
enum { LOOPS = sizeof(loops) / sizeof(loops[0]) };

static const char *const ways[] = {"dzt", "zdt", "ndzt", "zndt", "ztdzt"};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

START_TEST(child_goes_on_without_its_copy)
{
    start(loops[_i / WAYS]);
    for (const char *way = ways[_i % WAYS]; *way; way++)
        ck_assert_int_eq(ask(CHILD, *way), 0);
    ck_assert_int_eq(ask(CHILD, LEFT), 0);
    /* The parent does not serve it. */
    ws_send_frame(client, WS_FIN | WS_TEXT, "waiting", 7);
    ask_until(CHILD, RESTS, 1);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    ws_expect_text(client, "waiting");
    expect_echo("after");
}
END_TEST

/* At once, before the loop is touched again. libuv keeps those that it has closed for a turn. */
START_TEST(child_frees_its_events_at_once)
{
    start(HOST_EVENT);
    ck_assert_int_gt(ask(CHILD, LEFT), 0);
    ck_assert_int_eq(ask(CHILD, _i ? RENOUNCE : DESTROY), 0);
    ck_assert_int_eq(ask(CHILD, LEFT), 0);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    expect_echo("after");
}
END_TEST

/* Also where it does not initialise the loop again, which is the parent's too then. */
START_TEST(child_that_keeps_its_copy_says_so_once)
{
    bool reinits = _i % 2 == 0;
    enum host_loop loop = loops[_i / 2];
    int64_t deadline;

    start(loop);
    if (reinits)
        ck_assert_int_eq(ask(CHILD, REINIT), 0);
    ws_send_frame(client, WS_FIN | WS_TEXT, "waiting", 7);
    deadline = ws_now_ms() + WS_PATIENCE_MS;
    while (ask(CHILD, LINES) == 0) {
        ck_assert_int_lt(ws_now_ms(), deadline);
        ck_assert_int_eq(ask(CHILD, TURN), 0);
    }
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(ask(CHILD, TURN), 0);
    ck_assert_int_eq(ask(CHILD, COMPLAINTS), 1);
    ck_assert_int_eq(ask(CHILD, LINES), 1);
    if (loop == HOST_UV && reinits)
        ask_until(CHILD, RESTS, 1);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    ws_expect_text(client, "waiting");
    expect_echo("after");
}
END_TEST

Suite *loops_suite(void)
{
    Suite *suite = suite_create("loops");
    TCase *tests = tcase_create("after a fork");

    tcase_set_timeout(tests, ROLE_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, child_goes_on_without_its_copy, 0, LOOPS * WAYS);
    tcase_add_loop_test(tests, child_frees_its_events_at_once, 0, 2);
    tcase_add_loop_test(tests, child_that_keeps_its_copy_says_so_once, 0, LOOPS * 2);
    suite_add_tcase(suite, tests);
    return suite;
}
