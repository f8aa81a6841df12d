/*
 * Nothing of a client holds up the loop. That the engine calls no function that waits, and that
 * each descriptor is non-blocking, the contract checker looks at in all tests.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "../support/certificates.h"
#include "../support/contract.h"
#include "../support/fake_names.h"
#include "../support/tls_stream.h"
#include "client_ground.h"
#include "suites.h"

static const struct fake_name names[] = {
    {.name = "slow.test", .delay_ms = 5000, .addresses = {"127.0.0.1"}},
    {.name = NULL},
};

#define DEADLINE_MS 1500

struct proxied {
    struct client client;
    char proxy[64];
};

static void connect_through(struct server *loop, void *argument)
{
    struct proxied *proxied = argument;

    ck_assert_int_eq(libwebsocket_set_proxy(server_context(loop), proxied->proxy), 0);
    client_begin_here(&proxied->client);
    ck_assert_int_eq(libwebsocket_set_proxy(server_context(loop), NULL), 0);
}

static const char *const whys[] = {"name look-up timed out", "connect timed out",
    "TLS handshake timed out", "the proxy did not answer in time",
    "the server did not answer in time"};
enum { WHYS = sizeof whys / sizeof whys[0] };

static bool came(struct server *loop, const char *why)
{
    for (size_t i = 0; i < WHYS; i++) {
        if (strcmp(
                (const char *)server_record(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, i)->bytes,
                why) == 0)
            return true;
    }
    return false;
}

/* A slow resolver, a connect without an answer, TLS that stalls in the middle, a proxy and a server
 * that say nothing: all at once, beside a client that talks. */
START_TEST(serves_others_meanwhile)
{
    struct server_options options = {.extras = {.resolve_timeout_ms = DEADLINE_MS,
                                         .connect_timeout_ms = DEADLINE_MS,
                                         .tls_timeout_ms = DEADLINE_MS,
                                         .proxy_timeout_ms = DEADLINE_MS,
                                         .handshake_timeout_ms = DEADLINE_MS,
                                         .client_ssl_ca_filepath = certificates_path("root.pem")}};
    const struct tls_files files = {
        .certificate = certificates_path("server.pem"), .key = certificates_path("server.key")};
    SSL_CTX *settings = tls_server_settings(&files);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_server *deaf = ws_listen_deaf(NULL, 0);
    struct ws_server *silent = ws_listen(NULL, 0);
    struct ws_server *stalling = ws_listen(NULL, 0);
    struct client slow = {.address = "slow.test", .port = server->port};
    struct client stuck = {.port = deaf->port};
    struct client unanswered = {.port = silent->port};
    struct client encrypted = {.port = stalling->port, .ssl = 1, .host = "localhost"};
    struct proxied proxied = {.client = {.port = 7}};
    struct server *loop;
    struct ws_client *talking;
    struct ws_client *staller;
    int64_t begin;
    unsigned long ticks;

    fake_names(names);
    loop = client_start(&options);
    stalling->plain = true;
    talking = client_open(loop, server, NULL);
    snprintf(proxied.proxy, sizeof proxied.proxy, "127.0.0.1:%d", silent->port);

    begin = ws_now_ms();
    ticks = server_ticks(loop);
    client_begin(loop, &slow);
    client_begin(loop, &stuck);
    server_run(loop, connect_through, &proxied);
    client_begin(loop, &encrypted);
    client_begin(loop, &unanswered);
    /* No call took what a look-up or a connect takes. */
    ck_assert_int_lt(ws_now_ms() - begin, 1000);
    staller = ws_accept(stalling);
    tls_carry_server(staller, settings);
    tls_stop_behind(staller, 600);
    ck_assert(!tls_handshake(staller));
    while (server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR) < WHYS) {
        ws_send_frame(talking, WS_FIN | WS_PING, "meanwhile", 9);
        ws_expect_frame(talking, WS_FIN | WS_PONG, "meanwhile", 9);
        ck_assert_int_lt(ws_now_ms() - begin, 4000);
    }
    ck_assert_int_ge(ws_now_ms() - begin, DEADLINE_MS - 100);
    ck_assert_uint_ge(server_ticks(loop) - ticks, harness_ticks(DEADLINE_MS / 30));
    for (size_t i = 0; i < WHYS; i++)
        ck_assert_msg(came(loop, whys[i]), "%s", whys[i]);
    ck_assert_int_lt(contract_longest_service_us(), 50000);
    client_finish(loop, talking);
    server_stop(loop);
    fake_names_release();
    ws_free(staller);
    ws_server_free(stalling);
    ws_server_free(silent);
    ws_server_free(deaf);
    ws_server_free(server);
    SSL_CTX_free(settings);
}
END_TEST

Suite *client_blocking_suite(void)
{
    Suite *suite = suite_create("client blocking");
    TCase *others = harness_case("others");

    tcase_add_test(others, serves_others_meanwhile);
    suite_add_tcase(suite, others);
    return suite;
}
