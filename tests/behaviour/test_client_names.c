/* Names and their addresses: looked up beside the loop, tried in turn. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../support/fake_names.h"
#include "client_ground.h"
#include "suites.h"

/* Nothing listens at 127.0.0.3 in these tests. */
static const struct fake_name names[] = {
    {.name = "here.test", .addresses = {"127.0.0.1"}},
    {.name = "late.test", .delay_ms = 700, .addresses = {"127.0.0.1"}},
    {.name = "never.test", .delay_ms = 60000, .addresses = {"127.0.0.1"}},
    {.name = "unknown.test", .error = EAI_NONAME},
    {.name = "unknown-late.test", .error = EAI_NONAME, .delay_ms = 300},
    {.name = "later.test", .error = EAI_AGAIN},
    {.name = "broken.test", .error = EAI_FAIL},
    {.name = "second.test", .addresses = {"127.0.0.3", "127.0.0.1"}},
    {.name = "deaf-first.test", .addresses = {"127.0.0.2", "127.0.0.1"}},
    {.name = "deaf.test", .addresses = {"127.0.0.2", "127.0.0.4"}},
    {.name = "refused.test", .addresses = {"127.0.0.3", "127.0.0.4", "::1", "127.0.0.5"}},
    {.name = "both.test", .addresses = {"::1", "127.0.0.1"}},
    {.name = "four.test", .addresses = {"127.0.0.1", "::1"}},
    /* The families take turns: the second one tried is 127.0.0.1. */
    {.name = "turns.test", .addresses = {"::1", "::1", "::1", "::1", "127.0.0.1"}},
    {.name = "deaf-and-refused.test", .addresses = {"127.0.0.2", "127.0.0.3", "127.0.0.1"}},
    {.name = "many.test",
        .addresses = {"127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8",
            "127.0.0.9", "127.0.0.10", "127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14",
            "127.0.0.15", "127.0.0.16", "127.0.0.17", "127.0.0.1"}},
    {.name = NULL},
};

static struct server *start(const struct server_options *options)
{
    fake_names(names);
    return client_start(options);
}

/* Where TLS is on, the certificate is for "localhost". */
static struct client to(const char *name, const struct ws_server *server)
{
    return (struct client){
        .address = name, .port = server->port, .protocol = "chat", .host = "localhost"};
}

static void expect_served(struct server *loop, struct ws_server *server)
{
    struct ws_client *peer = ws_serve(server, "chat");

    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(loop, peer);
}

static const char *const good[] = {"here.test", "late.test", "second.test", "many.test"};

START_TEST(finds_names)
{
    struct server *loop = start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = to(good[_i], server);

    client_begin(loop, &client);
    expect_served(loop, server);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR), 0);
    ck_assert_uint_eq(fake_names_begun(), 1);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const char *const bad[][2] = {
    {"unknown.test", "host not found"},
    {"unknown-late.test", "host not found"},
    {"later.test", "name servers do not answer"},
    {"broken.test", ""},
    {"refused.test", "connection refused"},
};

START_TEST(tells_what_is_wrong_with_a_name)
{
    struct server *loop = start(NULL);
    struct ws_server *server = ws_listen("127.0.0.9", 0);
    struct client client = to(bad[_i][0], server);

    client_begin(loop, &client);
    client_expect_error(loop, 0, bad[_i][1]);
    ws_server_free(server);
    server_stop(loop);
    ck_assert_uint_eq(fake_names_busy(), 0);
}
END_TEST

/* The host's own timer goes on while a look-up takes its time, and the program is told at the
 * deadline, not when the look-up is done. */
START_TEST(does_not_wait_for_a_look_up)
{
    struct server_options options = {.extras = {.resolve_timeout_ms = 1000}};
    struct server *loop = start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = to("never.test", server);
    int64_t begin = ws_now_ms();
    unsigned long ticks = server_ticks(loop);

    client_begin(loop, &client);
    ck_assert_int_lt(ws_now_ms() - begin, 500);
    client_expect_error(loop, 0, "name look-up timed out");
    ck_assert_int_ge(ws_now_ms() - begin, 950);
    ck_assert_int_le(ws_now_ms() - begin, 4000);
    ck_assert_uint_ge(server_ticks(loop) - ticks, harness_ticks(30));
    ck_assert_uint_eq(fake_names_busy(), 1);
    ws_server_free(server);
    server_stop(loop);
    fake_names_release();
}
END_TEST

/* When it has been done a callback that is in the log has returned. */
static void do_nothing(struct server *loop, void *argument)
{
    (void)loop;
    (void)argument;
}

/* An answer that comes when nobody wants it any more: it is told to no descriptor, whoever has the
 * number by then. */
START_TEST(passes_over_a_late_answer)
{
    enum { OTHERS = 8 };
    int others[OTHERS];
    struct server_options options = {.extras = {.resolve_timeout_ms = 200}};
    struct server *loop = start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = to("never.test", server);
    struct client next = to("here.test", server);

    client_begin(loop, &client);
    client_expect_error(loop, 0, "name look-up timed out");
    server_run(loop, do_nothing, NULL);
    for (int i = 0; i < OTHERS; i++) {
        others[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        ck_assert_int_ge(others[i], 0);
    }
    fake_names_release();
    while (fake_names_busy() > 0)
        usleep(1000);
    ck_assert(!ws_is_called(server, 100));
    for (int i = 0; i < OTHERS; i++) {
        uint64_t count;

        ck_assert_int_eq(read(others[i], &count, sizeof count), -1);
        close(others[i]);
    }
    client_begin(loop, &next);
    expect_served(loop, server);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* More at once than there are threads for: the others wait, and are told at their deadline. */
START_TEST(looks_up_many_at_once)
{
    enum { SLOW = 12 };
    struct server_options options = {.extras = {.resolve_timeout_ms = 600}};
    struct server *loop = start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = to("never.test", server);
    struct client next = to("here.test", server);

    for (int i = 0; i < SLOW; i++)
        client_begin(loop, &client);
    for (size_t i = 0; i < SLOW; i++)
        client_expect_error(loop, i, "name look-up timed out");
    fake_names_release();
    client_begin(loop, &next);
    expect_served(loop, server);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(looks_up_what_has_waited)
{
    enum { MANY = 40 };
    struct server_options options = {.extras = {.resolve_timeout_ms = 15000}};
    struct server *loop = start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = to("unknown-late.test", server);

    for (int i = 0; i < MANY; i++)
        client_begin(loop, &client);
    server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, MANY);
    for (size_t i = 0; i < MANY; i++)
        client_expect_error(loop, i, "host not found");
    ck_assert_uint_eq(fake_names_begun(), MANY);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* A quarter of a second (RFC 8305 section 5). */
START_TEST(tries_the_next_address_where_one_is_silent)
{
    static const struct ws_place places[2] = {{NULL, false}, {"127.0.0.2", true}};
    struct ws_server *servers[2];
    struct server *loop = start(NULL);
    struct ws_server *server;
    struct client client;
    int64_t begin;

    ws_listen_both(places, servers);
    server = servers[0];
    client = to(_i == 0 ? "deaf-first.test" : "deaf-and-refused.test", server);
    begin = ws_now_ms();

    client_begin(loop, &client);
    expect_served(loop, server);
    ck_assert_int_ge(ws_now_ms() - begin, 240);
    ck_assert_int_le(ws_now_ms() - begin, 3000);
    ws_server_free(servers[1]);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(gives_up_silent_addresses)
{
    static const struct ws_place places[2] = {{"127.0.0.2", true}, {"127.0.0.4", true}};
    struct ws_server *servers[2];
    struct server_options options = {.extras = {.connect_timeout_ms = 800}};
    struct server *loop = start(&options);
    unsigned long ticks = server_ticks(loop);
    struct client client;
    int64_t begin;

    ws_listen_both(places, servers);
    client = to(_i == 0 ? "deaf.test" : "127.0.0.2", servers[0]);
    begin = ws_now_ms();

    client_begin(loop, &client);
    client_expect_error(loop, 0, "connect timed out");
    ck_assert_int_ge(ws_now_ms() - begin, 750);
    ck_assert_int_le(ws_now_ms() - begin, 4000);
    ck_assert_uint_ge(server_ticks(loop) - ticks, harness_ticks(20));
    ws_server_free(servers[0]);
    ws_server_free(servers[1]);
    server_stop(loop);
}
END_TEST

/* A name with addresses of both families is reached by whichever works, the first one first. */
START_TEST(takes_turns_between_families)
{
    static const struct ws_place places[2] = {{"::1", false}, {"127.0.0.1", false}};
    struct server *loop = start(NULL);
    struct ws_server *servers[2];
    struct ws_server *six;
    struct ws_server *four;
    struct client client;

    ws_listen_both(places, servers);
    six = servers[0];
    four = servers[1];
    client = to("both.test", six);
    client_begin(loop, &client);
    expect_served(loop, six);
    ck_assert(!ws_is_called(four, 0));

    client = to("four.test", six);
    client_begin(loop, &client);
    client_finish(loop, ws_serve(four, "chat"));
    ck_assert(!ws_is_called(six, 0));

    ws_server_free(six);
    for (int i = 0; i < 2; i++) {
        client = to(i == 0 ? "both.test" : "turns.test", four);
        client_begin(loop, &client);
        client_finish(loop, ws_serve(four, "chat"));
    }
    ws_server_free(four);
    server_stop(loop);
}
END_TEST

static void connect_and_destroy(struct server *loop, void *argument)
{
    client_begin_here(argument);
    server_destroy_context(loop);
}

/* The threads never touch what is gone, and nobody waits for them. */
START_TEST(is_destroyed_while_names_are_looked_up)
{
    struct server *loop = start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = to(_i == 0 ? "never.test" : "late.test", server);
    int64_t begin = ws_now_ms();

    for (int i = 0; i < 12; i++)
        client_begin(loop, &client);
    server_run(loop, connect_and_destroy, &client);
    server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 13);
    ck_assert_int_lt(ws_now_ms() - begin, 650);
    server_stop(loop);
    fake_names_release();
    while (fake_names_busy() > 0)
        usleep(1000);
    ws_server_free(server);
}
END_TEST

/* The Host field is the name and the port, whatever the addresses. */
START_TEST(sends_the_name)
{
    struct server *loop = start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.address = "here.test", .port = server->port};
    struct ws_client *peer;
    char expected[64];
    char *request;
    char *host;

    client_begin(loop, &client);
    peer = ws_accept(server);
    request = ws_receive_request(peer);
    host = ws_head_field(request, "Host");
    snprintf(expected, sizeof expected, "here.test:%d", server->port);
    ck_assert_str_eq(host, expected);
    free(host);
    free(request);
    ws_free(peer);
    client_expect_error(loop, 0, "hung up");
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

Suite *client_names_suite(void)
{
    Suite *suite = suite_create("client names");
    TCase *lookups = harness_case("look-ups");
    TCase *racing = harness_case("addresses");

    tcase_add_loop_test(lookups, finds_names, 0, (int)(sizeof good / sizeof good[0]));
    tcase_add_loop_test(
        lookups, tells_what_is_wrong_with_a_name, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(lookups, does_not_wait_for_a_look_up);
    tcase_add_test(lookups, passes_over_a_late_answer);
    tcase_add_test(lookups, looks_up_many_at_once);
    tcase_add_test(lookups, looks_up_what_has_waited);
    tcase_add_loop_test(lookups, is_destroyed_while_names_are_looked_up, 0, 2);
    /* The certificate of these tests is not for the name. */
    if (!harness_tls())
        tcase_add_test(lookups, sends_the_name);
    suite_add_tcase(suite, lookups);

    tcase_add_loop_test(racing, tries_the_next_address_where_one_is_silent, 0, 2);
    tcase_add_loop_test(racing, gives_up_silent_addresses, 0, 2);
    tcase_add_test(racing, takes_turns_between_families);
    suite_add_tcase(suite, racing);
    return suite;
}
