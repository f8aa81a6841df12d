/* Copies of a context that are freed, or given up: what is left alone, and who is told. */
#include "ground.h"
#include "suites.h"

#include <check.h>
#include <libwebsockets.h>
#include <stdlib.h>

static struct ws_client *open_extended(void)
{
    char *request = ws_handshake_text("/", "news", "Sec-WebSocket-Extensions: x-probe\r\n");
    struct ws_client *client = ws_connect(port);
    struct ws_response response;
    char *extensions;

    ws_send_text(client, request);
    free(request);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 101);
    extensions = ws_response_field(&response, "Sec-WebSocket-Extensions");
    ck_assert_ptr_nonnull(extensions);
    ck_assert_str_eq(extensions, "x-probe");
    free(extensions);
    ws_response_free(&response);
    return client;
}

/* With the last command the connections of the copy are freed. */
static const char *const ways[] = {"d", "n", "ad", "an"};
enum { WAYS = sizeof(ways) / sizeof(ways[0]), CONNECTIONS = 3 };

static void follow(const char *way)
{
    for (; *way; way++)
        if (*way == ADOPT)
            adopt_in_child();
        else
            ck_assert_int_eq(ask(CHILD, *way), 0);
}

/* Extensions are called as each of its connections is freed. */
START_TEST(extensions_end_with_their_copy)
{
    struct ws_client *clients[CONNECTIONS];

    /* The library may have been built without any. */
    if (!libwebsocket_get_internal_extensions())
        return;
    options.extended = true;
    start((enum host_loop)(_i / WAYS));
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = open_extended();
        expect_echo(clients[i], "before");
    }
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    follow(ways[_i % WAYS]);
    ck_assert_int_eq(ask(CHILD, PROBED), CONNECTIONS);
    ck_assert_int_eq(ask(CHILD, TAKEN), 0);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        expect_echo(clients[i], "after");
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    ck_assert_int_eq(ask(PARENT, PROBED), CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        ws_expect_close(clients[i], 1001);
        ws_free(clients[i]);
    }
    end_program();
}
END_TEST

enum { BY_ITSELF = HOST_LOOPS, MOVES };

/* Whether protocols[0] is told of descriptors. */
static bool is_told(enum host_loop loop)
{
    return loop == HOST_POLL || loop == HOST_OWN;
}

/* A program's array is its process's own, whatever becomes of the loop beside it. */
START_TEST(an_array_is_kept_in_a_copy)
{
    enum host_loop first = (enum host_loop)(_i / MOVES), second = first;
    struct ws_client *client;
    int polled;

    start(first);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    client = ws_open(port, "news");
    expect_echo(client, "of the parent");
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    polled = ask(PARENT, POLLED);
    ck_assert_int_eq(polled > 0, is_told(first));
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    if (_i % MOVES == BY_ITSELF) {
        adopt_in_child();
    } else {
        second = (enum host_loop)(_i % MOVES);
        ck_assert_int_eq(ask(CHILD, (char)(ATTACH_TO + (int)second)), 0);
    }
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    expect_echo(client, "of the child");
    ck_assert_int_eq(ask(CHILD, PAUSE), 0);
    ck_assert_int_eq(ask(CHILD, MISTOLD), 0);
    if (is_told(first) && is_told(second))
        ck_assert_int_eq(ask(CHILD, POLLED), polled);
    else
        ck_assert_int_eq(ask(CHILD, POLLED) > 0, is_told(second));
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    ck_assert_int_eq(ask(PARENT, POLLED), 0);
    ck_assert_int_eq(ask(PARENT, MISTOLD), 0);
    end_program();
    ck_assert_int_eq(ask(CHILD, DESTROY), 0);
    ck_assert_int_eq(ask(CHILD, POLLED), 0);
    ck_assert_int_eq(ask(CHILD, MISTOLD), 0);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    ws_expect_close(client, 1001);
    ws_free(client);
}
END_TEST

/* Nor is anybody told where a copy ends unused. */
START_TEST(an_array_is_left_in_a_copy_that_ends)
{
    int polled;

    start((enum host_loop)(_i / 2));
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    polled = ask(CHILD, POLLED);
    ck_assert_int_eq(ask(CHILD, _i % 2 ? RENOUNCE : DESTROY), 0);
    ck_assert_int_eq(ask(CHILD, POLLED), polled);
    ck_assert_int_eq(ask(CHILD, MISTOLD), 0);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    end_program();
}
END_TEST

Suite *copies_suite(void)
{
    Suite *suite = suite_create("copies");
    TCase *tests = tcase_create("given up");

    tcase_set_timeout(tests, ROLE_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, extensions_end_with_their_copy, 0, HOST_LOOPS * WAYS);
    tcase_add_loop_test(tests, an_array_is_kept_in_a_copy, 0, HOST_LOOPS * MOVES);
    tcase_add_loop_test(tests, an_array_is_left_in_a_copy_that_ends, 0, HOST_LOOPS * 2);
    suite_add_tcase(suite, tests);
    return suite;
}
