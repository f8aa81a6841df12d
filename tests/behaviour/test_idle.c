/* What an engine does that has nothing to do. */
#include "harness.h"
#include "suites.h"

#include <stdlib.h>
#include <unistd.h>

enum { CLIENTS = 100 };

/* Counts the loop thread's naps and service calls, either of which a system call would need. */
static void expect_idle_after(struct server *server, unsigned int settling, int milliseconds)
{
    unsigned long sleeps;
    unsigned long calls;
    int64_t begin;

    /* It is idle when it has gone to sleep after the last thing that was asked of it. */
    do {
        sleeps = server_sleeps(server);
        usleep(settling * 1000);
    } while (server_sleeps(server) != sleeps);
    calls = server_service_calls();
    begin = ws_now_ms();
    while (ws_now_ms() - begin < milliseconds)
        usleep(50000);
    ck_assert_uint_eq(server_sleeps(server), sleeps);
    ck_assert_uint_eq(server_service_calls(), calls);
}

static void expect_idle(struct server *server, int milliseconds)
{
    expect_idle_after(server, 20, milliseconds);
}

static void open_all(struct server *server, struct ws_client **clients)
{
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = ws_open(server_port(server), i % 2 == 0 ? "echo" : "discard");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, CLIENTS);
}

static void finish_all(struct ws_client **clients)
{
    for (int i = 0; i < CLIENTS; i++) {
        ws_finish(clients[i]);
        ws_free(clients[i]);
    }
}

START_TEST(sleeps_without_connections)
{
    struct server *server = server_start(NULL);

    expect_idle(server, 500);
    server_stop(server);
}
END_TEST

START_TEST(sleeps_with_connections)
{
    struct server *server = server_start(NULL);
    struct ws_client *clients[CLIENTS];

    open_all(server, clients);
    expect_idle(server, 2000);
    finish_all(clients);
    server_wait(server, LWS_CALLBACK_CLOSED, CLIENTS);
    expect_idle(server, 200);
    server_stop(server);
}
END_TEST

START_TEST(sleeps_after_traffic)
{
    struct server *server = server_start(NULL);
    struct ws_client *clients[CLIENTS];
    size_t size = harness_scale(9000, 500);
    unsigned char *pattern = harness_pattern(size, 2);

    open_all(server, clients);
    for (int i = 0; i < CLIENTS; i += 2) {
        ws_send_frame(clients[i], WS_FIN | WS_TEXT, pattern, size);
        ws_send_frame(clients[i], WS_FIN | WS_PING, "p", 1);
        ws_expect_frame(clients[i], WS_FIN | WS_TEXT, pattern, size);
        ws_expect_frame(clients[i], WS_FIN | WS_PONG, "p", 1);
        /* Half of a frame. */
        ws_send(clients[i + 1], "\x82\x85zzzzab", 8);
    }
    expect_idle(server, 1000);
    free(pattern);
    for (int i = 0; i < CLIENTS; i++) {
        if (i % 2 == 0)
            ws_finish(clients[i]);
        ws_free(clients[i]);
    }
    server_wait(server, LWS_CALLBACK_CLOSED, CLIENTS);
    server_stop(server);
}
END_TEST

/* Choked by a peer that does not read: it waits for the system, and for nothing else. */
START_TEST(sleeps_while_choked)
{
    struct server_options options = {.send_buffer = 4096};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open_small(server_port(server), 4096, "flood");

    ws_send_frame(client, WS_FIN | WS_TEXT, "go", 2);
    server_wait(server, LWS_CALLBACK_SERVER_WRITEABLE, 1);
    /* TCP may take a little more after a while. */
    expect_idle_after(server, 500, 1000);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    server_stop(server);
}
END_TEST

/* Nor may a deadline far away wake it, or one that was cancelled. */
static void set_deadline(struct server *server, void *argument)
{
    libwebsocket_set_timeout(
        server_last_wsi(server), PENDING_TIMEOUT_AWAITING_PING, *(const int *)argument);
}

START_TEST(sleeps_until_the_deadline)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    int seconds = 600;

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, set_deadline, &seconds);
    expect_idle(server, 1500);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

Suite *idle_suite(void)
{
    Suite *suite = suite_create("idle");
    TCase *idle = harness_case("idle");

    tcase_add_test(idle, sleeps_without_connections);
    tcase_add_test(idle, sleeps_with_connections);
    tcase_add_test(idle, sleeps_after_traffic);
    /* One byte at a time the system goes on taking a little for very long. */
    if (!harness_cut())
        tcase_add_test(idle, sleeps_while_choked);
    tcase_add_test(idle, sleeps_until_the_deadline);
    suite_add_tcase(suite, idle);
    return suite;
}
