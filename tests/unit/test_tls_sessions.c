/* Sessions: which are resumed, which are not, and what becomes of them in a reload. */
#include "suites.h"

#include "tls_certificates.h"
#include "tls_pair.h"
#include "transport/tls_state.h"

#include <string.h>
#include <time.h>

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct call {
    const char *name;
    const char *key;
    bool allow_self_signed;
};

static const struct call usual = {"localhost", "localhost:443", false};

/* Connects, says good-bye on both sides, and returns whether a session was resumed. */
static bool connect_again(
    struct tls_settings *client, struct tls_settings *server, const struct call *call)
{
    struct shaken shaken;
    struct pair pair;
    unsigned char bytes[2];
    bool resumed;

    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, server, false));
    ck_assert(transport_tls_client(
        &pair.client.transport, client, call->name, call->allow_self_signed, call->key));
    shaken = pair_shake(&pair);
    ck_assert_msg(shaken.client == TRANSPORT_DONE, "%s", shaken.client_words);
    ck_assert_msg(shaken.server == TRANSPORT_DONE, "%s", shaken.server_words);
    resumed = SSL_session_reused(end_ssl(&pair.client));
    ck_assert_int_eq(SSL_session_reused(end_ssl(&pair.server)), resumed);
    ck_assert_int_eq(SSL_get_verify_result(end_ssl(&pair.client)), X509_V_OK);
    pair.server.out = (const unsigned char *)"x";
    pair.server.out_length = 1;
    pair.client.in = bytes;
    pair.client.in_size = 1;
    pair_exchange(&pair);
    ck_assert_int_eq(transport_finish(&pair.client.transport), TRANSPORT_DONE);
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    pair.client.in_size = pair.server.in_size = 2;
    pair.server.in = bytes;
    pair_exchange(&pair);
    ck_assert(pair.client.ended && pair.server.ended);
    pair_close(&pair);
    return resumed;
}

static struct tls_settings *client_of_version(const char *authorities, int version)
{
    struct tls_settings *client = tls_client_of(authorities);

    tls_limit_version(client, version);
    return client;
}

START_TEST(resuming)
{
    struct tls_settings *client = client_of_version("root.pem", versions[_i]);
    struct tls_settings *server = tls_server_of("server.pem");

    ck_assert(!connect_again(client, server, &usual));
    for (int i = 0; i < 5; i++)
        ck_assert(connect_again(client, server, &usual));
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

START_TEST(only_the_same)
{
    static const struct call calls[] = {
        {"localhost", "localhost:443", true},
        {"localhost", "localhost:444", false},
        {"127.0.0.1", "localhost:443", false},
        {"localhost", NULL, false},
    };
    struct tls_settings *client = client_of_version("root.pem", versions[_i]);
    struct tls_settings *server = tls_server_of("server.pem");

    ck_assert(!connect_again(client, server, &usual));
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        ck_assert(!connect_again(client, server, &calls[i]));
    ck_assert(connect_again(client, server, &usual));
    /* Each of them left one of its own, where it may. */
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        ck_assert_int_eq(connect_again(client, server, &calls[i]), calls[i].key != NULL);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

/* A certificate that is only forgiven does not become a good one. */
START_TEST(not_from_lenient_to_strict)
{
    const struct call lenient = {"localhost", "localhost:443", true};
    struct tls_settings *client = client_of_version("root.pem", versions[_i]);
    struct tls_settings *server = tls_server_of("self.pem");
    struct shaken shaken;
    struct pair pair;

    ck_assert(!connect_again(client, server, &lenient));
    ck_assert(connect_again(client, server, &lenient));
    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, server, false));
    ck_assert(transport_tls_client(
        &pair.client.transport, client, usual.name, usual.allow_self_signed, usual.key));
    shaken = pair_shake(&pair);
    ck_assert_int_eq(shaken.client, TRANSPORT_FAILED);
    ck_assert_str_eq(shaken.client_words, "certificate: self-signed certificate");
    pair_close(&pair);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

/* Under TLS 1.3 no two connections show the same ticket. */
START_TEST(tickets_are_used_once)
{
    struct tls_settings *client = client_of_version("root.pem", versions[_i]);
    struct tls_settings *server = tls_server_of("server.pem");
    struct pair pairs[2];

    ck_assert(!connect_again(client, server, &usual));
    for (int i = 0; i < 2; i++) {
        pair_connect(&pairs[i], false);
        ck_assert(transport_tls_server(&pairs[i].server.transport, server, false));
        ck_assert(
            transport_tls_client(&pairs[i].client.transport, client, usual.name, false, usual.key));
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pair_shake(&pairs[i]).client, TRANSPORT_DONE);
        ck_assert_int_eq(SSL_session_reused(end_ssl(&pairs[i].client)),
            i == 0 || versions[_i] == TLS1_2_VERSION);
        pair_close(&pairs[i]);
    }
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

START_TEST(a_certificate_that_has_expired_since)
{
    struct tls_settings *client = client_of_version("root.pem", versions[_i]);
    struct tls_settings *server = tls_server_of("expired.pem");

    /* The client's clock, so to say, for the verification only. */
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(tls_settings_openssl(client)), time(NULL) - 7200);
    ck_assert(!connect_again(client, server, &usual));
    ck_assert(!connect_again(client, server, &usual));
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

/* The oldest go, and those that are used are not old. */
START_TEST(at_most_so_many)
{
    struct tls_settings *client = client_of_version("root.pem", TLS1_2_VERSION);
    struct tls_settings *server = tls_server_of("server.pem");
    char keys[TLS_SESSIONS_MOST + 1][8];
    struct call call = usual;

    for (int i = 0; i <= TLS_SESSIONS_MOST; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        call.key = keys[i];
        ck_assert(!connect_again(client, server, &call));
        if (i == TLS_SESSIONS_MOST - 1) {
            call.key = keys[0];
            ck_assert(connect_again(client, server, &call));
        }
    }
    ck_assert_uint_eq(client->sessions.count, TLS_SESSIONS_MOST);
    call.key = keys[0];
    ck_assert(connect_again(client, server, &call));
    call.key = keys[TLS_SESSIONS_MOST];
    ck_assert(connect_again(client, server, &call));
    call.key = keys[1];
    ck_assert(!connect_again(client, server, &call));
    ck_assert_uint_eq(client->sessions.count, TLS_SESSIONS_MOST);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

/* Other certificates for the same name. */
START_TEST(reload_of_a_server)
{
    struct tls_settings *client = client_of_version("root.pem", versions[_i % 2]);
    struct tls_settings *before = tls_server_of("server.pem");
    struct tls_settings *after = tls_server_of("server.pem");

    ck_assert(!connect_again(client, before, &usual));
    if (_i / 2)
        ck_assert(tls_settings_inherit(after, before));
    tls_settings_release(before);
    ck_assert_int_eq(connect_again(client, after, &usual), _i / 2);
    ck_assert(connect_again(client, after, &usual));
    tls_settings_release(client);
    tls_settings_release(after);
}
END_TEST

static const struct client_reload {
    const char *certificate; /* of the server */
    const char *before, *after;
    bool allow_self_signed;
    bool resumed;
    bool accepted;
} client_reloads[] = {
    {"server.pem", "root.pem", "root.pem", false, true, true},
    {"server.pem", "root.pem", "other-root.pem", false, false, false},
    {"server.pem", "root.pem", "other-root.pem", true, false, false},
    {"self.pem", "root.pem", "other-root.pem", true, true, true},
    {"self.pem", "self.pem", "self.pem", false, true, true},
    {"self.pem", "self.pem", "root.pem", false, false, false},
};

START_TEST(reload_of_a_client)
{
    const struct client_reload *row = &client_reloads[_i / 2];
    const struct call call = {"localhost", "localhost:443", row->allow_self_signed};
    struct tls_settings *before = client_of_version(row->before, versions[_i % 2]);
    struct tls_settings *after = client_of_version(row->after, versions[_i % 2]);
    struct tls_settings *server = tls_server_of(row->certificate);
    struct shaken shaken;
    struct pair pair;

    ck_assert(!connect_again(before, server, &call));
    ck_assert(tls_settings_inherit(after, before));
    ck_assert_uint_eq(before->sessions.count, 0);
    ck_assert_uint_eq(after->sessions.count, row->resumed);
    tls_settings_release(before);
    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, server, false));
    ck_assert(transport_tls_client(
        &pair.client.transport, after, call.name, call.allow_self_signed, call.key));
    shaken = pair_shake(&pair);
    ck_assert_int_eq(shaken.client, row->accepted ? TRANSPORT_DONE : TRANSPORT_FAILED);
    ck_assert_int_eq(SSL_session_reused(end_ssl(&pair.client)), row->resumed);
    pair_close(&pair);
    tls_settings_release(after);
    tls_settings_release(server);
}
END_TEST

/* A session is left in the settings that its connection began with. */
START_TEST(reload_while_connected)
{
    struct tls_settings *before = client_of_version("root.pem", TLS1_3_VERSION);
    struct tls_settings *after = client_of_version("root.pem", TLS1_3_VERSION);
    struct tls_settings *server = tls_server_of("server.pem");
    unsigned char byte;
    struct pair pair;

    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, server, false));
    ck_assert(transport_tls_client(&pair.client.transport, before, usual.name, false, usual.key));
    ck_assert_int_eq(pair_shake(&pair).client, TRANSPORT_DONE);
    ck_assert(tls_settings_inherit(after, before));
    tls_settings_release(before);
    pair.server.out = (const unsigned char *)"x";
    pair.server.out_length = 1;
    pair.client.in = &byte;
    pair.client.in_size = 1;
    pair_exchange(&pair);
    ck_assert(!pair.client.failed);
    ck_assert_uint_eq(after->sessions.count, 0);
    pair_close(&pair);
    tls_settings_release(after);
    tls_settings_release(server);
}
END_TEST

static bool let_in(void *user, X509_STORE_CTX *store, SSL *ssl, bool good)
{
    (void)store;
    (void)ssl;
    ++*(int *)user;
    return good;
}

/* Clients are verified anew by the settings that are in force. */
START_TEST(reload_of_a_server_that_verifies)
{
    const struct tls_files server_files = {.certificate = tls_path("server.pem"),
        .key = tls_path("server.key"),
        .authorities = tls_path("root.pem")};
    const struct tls_files client_files = {.certificate = tls_path("client.pem"),
        .key = tls_path("client.key"),
        .authorities = tls_path("root.pem")};
    struct tls_settings *client, *next_client, *before, *after;
    char words[TLS_WORDS_SIZE];
    struct text error;
    int asked_before = 0, asked_after = 0;

    text_init(&error, words, sizeof words);
    client = tls_settings_client(&client_files, &error);
    next_client = tls_settings_client(&client_files, &error);
    before = tls_settings_server(&server_files, let_in, &asked_before, &error);
    after = tls_settings_server(&server_files, let_in, &asked_after, &error);
    ck_assert_msg(client && next_client && before && after, "%s", words);
    tls_limit_version(client, versions[_i]);
    ck_assert(!connect_again(client, before, &usual));
    ck_assert_int_gt(asked_before, 0);
    asked_before = 0;
    ck_assert(connect_again(client, before, &usual));
    ck_assert_int_eq(asked_before, 0);
    ck_assert(tls_settings_inherit(after, before));
    ck_assert(!connect_again(client, after, &usual));
    ck_assert_int_gt(asked_after, 0);
    /* A client that shows a certificate shows the one that it has now. */
    ck_assert(tls_settings_inherit(next_client, client));
    ck_assert_uint_eq(next_client->sessions.count, 0);
    ck_assert(!tls_settings_inherit(client, before));
    tls_settings_release(client);
    tls_settings_release(next_client);
    tls_settings_release(before);
    tls_settings_release(after);
}
END_TEST

Suite *tls_sessions_suite(void)
{
    Suite *suite = suite_create("tls_sessions");
    TCase *test = tcase_create("tls_sessions");

    tcase_add_checked_fixture(test, cut_nothing, NULL);
    tcase_add_unchecked_fixture(test, tls_certificates_make, tls_certificates_remove);
    tcase_set_timeout(test, 60);
    tcase_add_loop_test(test, resuming, 0, 2);
    tcase_add_loop_test(test, only_the_same, 0, 2);
    tcase_add_loop_test(test, not_from_lenient_to_strict, 0, 2);
    tcase_add_loop_test(test, tickets_are_used_once, 0, 2);
    tcase_add_loop_test(test, a_certificate_that_has_expired_since, 0, 2);
    tcase_add_test(test, at_most_so_many);
    tcase_add_loop_test(test, reload_of_a_server, 0, 4);
    tcase_add_loop_test(
        test, reload_of_a_client, 0, 2 * (int)(sizeof(client_reloads) / sizeof(*client_reloads)));
    tcase_add_test(test, reload_while_connected);
    tcase_add_loop_test(test, reload_of_a_server_that_verifies, 0, 2);
    suite_add_tcase(suite, test);
    return suite;
}
