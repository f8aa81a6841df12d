/* How TLS connections begin: versions, certificates on both sides, protocols, and what is refused.
 */
#include "suites.h"

#include "tls_certificates.h"
#include "tls_pair.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

START_TEST(versions_and_cutting)
{
    struct tls_settings *client = tls_client_of("root.pem");
    struct pair pair;

    tls_limit_version(client, versions[_i % 2]);
    cut_set((enum cutting)(_i / 2));
    pair_open(&pair, true, client, tls_server_of("server.pem"));
    ck_assert_int_eq(SSL_version(end_ssl(&pair.client)), versions[_i % 2]);
    ck_assert_int_eq(SSL_version(end_ssl(&pair.server)), versions[_i % 2]);
    ck_assert_uint_eq(pair.client.transport.read_events, POLLIN);
    ck_assert_uint_eq(pair.server.transport.read_events, POLLIN);
    pair_close(&pair);
}
END_TEST

START_TEST(newest_version_is_preferred)
{
    struct pair pair;

    pair_open(&pair, false, tls_client_of("root.pem"), tls_server_of("server.pem"));
    ck_assert_int_eq(SSL_version(end_ssl(&pair.client)), TLS1_3_VERSION);
    pair_close(&pair);
}
END_TEST

START_TEST(old_versions_are_refused)
{
    struct tls_settings *client = tls_client_of("root.pem");
    struct tls_settings *server = tls_server_of("server.pem");
    SSL_CTX *old = tls_settings_openssl(_i ? client : server);
    struct shaken shaken;
    struct pair pair;

    ck_assert_int_eq(SSL_CTX_set_min_proto_version(old, TLS1_1_VERSION), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION), 1);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(old, "ALL:@SECLEVEL=0"), 1);
    pair_connect(&pair, false);
    pair_encrypt(&pair, client, server);
    shaken = pair_shake(&pair);
    ck_assert_int_eq(shaken.client, TRANSPORT_FAILED);
    ck_assert_int_eq(shaken.server, TRANSPORT_FAILED);
    if (_i)
        ck_assert_str_eq(shaken.server_words, "TLS: unsupported protocol");
    else
        ck_assert_str_eq(shaken.client_words, "TLS: the peer's alert: protocol version");
    pair_close(&pair);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

static const struct verification {
    const char *certificate;
    const char *authorities;
    const char *name;
    bool allow_self_signed;
    const char *words; /* NULL: it is accepted */
} verifications[] = {
    {"server.pem", "root.pem", "localhost", false, NULL},
    {"server.pem", "root.pem", "localhost.", false, NULL},
    {"server.pem", "root.pem", "LocalHost", false, NULL},
    {"server.pem", "root.pem", "some.example.test", false, NULL},
    {"server.pem", "root.pem", "127.0.0.1", false, NULL},
    {"server.pem", "root.pem", "::1", false, NULL},
    {"server.pem", "root.pem", "0:0:0:0:0:0:0:1", false, NULL},
    {"server.pem", "root.pem", "::1%lo", false, NULL},
    {"server.pem", "root.pem", "localhost", true, NULL},
    {"server.pem", "root.pem", "local", false, "certificate: hostname mismatch"},
    {"server.pem", "root.pem", "example.test", false, "certificate: hostname mismatch"},
    {"server.pem", "root.pem", "a.b.example.test", false, "certificate: hostname mismatch"},
    {"server.pem", "root.pem", "127.0.0.2", false, "certificate: IP address mismatch"},
    {"server.pem", "root.pem", "::2", false, "certificate: IP address mismatch"},
    {"server.pem", "root.pem", "other", true, "certificate: hostname mismatch"},
    {"server.pem", "other-root.pem", "localhost", false,
        "certificate: unable to get local issuer certificate"},
    {"server.pem", "other-root.pem", "localhost", true,
        "certificate: unable to get local issuer certificate"},
    {"leaf.pem", "root.pem", "localhost", false,
        "certificate: unable to get local issuer certificate"},
    {"stranger.pem", "root.pem", "localhost", false,
        "certificate: unable to get local issuer certificate"},
    {"stranger.pem", "root.pem", "localhost", true,
        "certificate: unable to get local issuer certificate"},
    {"expired.pem", "root.pem", "localhost", false, "certificate: certificate has expired"},
    {"expired.pem", "root.pem", "localhost", true, "certificate: certificate has expired"},
    {"future.pem", "root.pem", "localhost", false, "certificate: certificate is not yet valid"},
    {"self.pem", "root.pem", "localhost", false, "certificate: self-signed certificate"},
    {"self.pem", "root.pem", "localhost", true, NULL},
    {"self.pem", "self.pem", "localhost", false, NULL},
    {"self.pem", "root.pem", "127.0.0.1", true, NULL},
    {"self.pem", "root.pem", "other", true, "certificate: hostname mismatch"},
    {"self.pem", "root.pem", "127.0.0.2", true, "certificate: IP address mismatch"},
    {"self-expired.pem", "root.pem", "localhost", true, "certificate: certificate has expired"},
    {"self-future.pem", "root.pem", "localhost", true, "certificate: certificate is not yet valid"},
};

START_TEST(certificate_of_a_server)
{
    const struct verification *verification = &verifications[_i / 2];
    struct tls_settings *client = tls_client_of(verification->authorities);
    struct tls_settings *server = tls_server_of(verification->certificate);
    struct shaken shaken;
    struct pair pair;

    tls_limit_version(client, versions[_i % 2]);
    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, server, false));
    ck_assert(transport_tls_client(
        &pair.client.transport, client, verification->name, verification->allow_self_signed, NULL));
    shaken = pair_shake(&pair);
    if (verification->words) {
        ck_assert_int_eq(shaken.client, TRANSPORT_FAILED);
        ck_assert_str_eq(shaken.client_words, verification->words);
        ck_assert_int_eq(shaken.server, TRANSPORT_FAILED);
        ck_assert_msg(strncmp(shaken.server_words, "TLS: the peer's alert: ", 23) == 0, "%s",
            shaken.server_words);
    } else {
        ck_assert_msg(shaken.client == TRANSPORT_DONE, "%s", shaken.client_words);
        ck_assert_int_eq(shaken.server, TRANSPORT_DONE);
        ck_assert_int_eq(SSL_get_verify_result(end_ssl(&pair.client)), X509_V_OK);
    }
    pair_close(&pair);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

START_TEST(name_that_is_none)
{
    static const char *const names[] = {"", ".", "%eth0:", ".localhost", "..", ".localhost."};
    struct tls_settings *client = tls_client_of("root.pem");
    char endless[300];
    struct pair pair;

    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    pair_connect(&pair, false);
    for (size_t i = 0; i <= sizeof(names) / sizeof(*names); i++) {
        const char *name = i < sizeof(names) / sizeof(*names) ? names[i] : endless;

        errno = 0;
        ck_assert(!transport_tls_client(&pair.client.transport, client, name, false, "key"));
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_int_eq(transport_start(&pair.client.transport), TRANSPORT_DONE);
    }
    pair_close(&pair);
    tls_settings_release(client);
}
END_TEST

START_TEST(name_is_told_to_the_server)
{
    static const char *const names[] = {"localhost", "localhost.", "127.0.0.1", "::1"};
    static const char *const told[] = {"localhost", "localhost", NULL, NULL};
    struct tls_settings *client = tls_client_of("root.pem");
    struct tls_settings *server = tls_server_of("server.pem");
    struct pair pair;

    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, server, false));
    ck_assert(transport_tls_client(&pair.client.transport, client, names[_i], false, NULL));
    ck_assert_int_eq(pair_shake(&pair).server, TRANSPORT_DONE);
    ck_assert_pstr_eq(
        SSL_get_servername(end_ssl(&pair.server), TLSEXT_NAMETYPE_host_name), told[_i]);
    pair_close(&pair);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

static const struct protocols {
    const char *offered; /* as ALPN has it */
    const char *chosen;  /* NULL: none */
    bool refused;
} protocols[] = {
    {"\x08http/1.1", "http/1.1", false},
    {"\x02h2\x08http/1.1", "http/1.1", false},
    {"\x08http/1.0\x08http/1.1\x02h2", "http/1.1", false},
    {"", NULL, false},
    {"\x02h2", NULL, true},
    {"\x08http/1.0", NULL, true},
    {"\x09http/1.11", NULL, true},
    {"\x07http/1.", NULL, true},
};

START_TEST(protocol)
{
    const struct protocols *row = &protocols[_i];
    struct tls_settings *client = tls_client_of("root.pem");
    struct tls_settings *server = tls_server_of("server.pem");
    const unsigned char *chosen;
    unsigned int length;
    struct shaken shaken;
    struct pair pair;

    /* The first row is what a client offers by itself. */
    if (_i > 0)
        ck_assert_int_eq(
            SSL_CTX_set_alpn_protos(tls_settings_openssl(client),
                (const unsigned char *)row->offered, (unsigned int)strlen(row->offered)),
            0);
    pair_connect(&pair, false);
    pair_encrypt(&pair, client, server);
    shaken = pair_shake(&pair);
    if (row->refused) {
        ck_assert_int_eq(shaken.client, TRANSPORT_FAILED);
        ck_assert_int_eq(shaken.server, TRANSPORT_FAILED);
        ck_assert_str_eq(shaken.server_words, "TLS: no application protocol");
        ck_assert_str_eq(shaken.client_words, "TLS: the peer's alert: no application protocol");
    } else {
        ck_assert_int_eq(shaken.client, TRANSPORT_DONE);
        SSL_get0_alpn_selected(end_ssl(&pair.client), &chosen, &length);
        ck_assert_uint_eq(length, row->chosen ? strlen(row->chosen) : 0);
        if (row->chosen)
            ck_assert_mem_eq(chosen, row->chosen, length);
    }
    pair_close(&pair);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

/* Certificates of clients. */

struct judge {
    bool accepts;
    bool sets_error;
    int good;
    int bad;
};

static bool judge(void *user, X509_STORE_CTX *store, SSL *ssl, bool good)
{
    struct judge *state = user;

    ck_assert_ptr_nonnull(ssl);
    ck_assert_ptr_nonnull(X509_STORE_CTX_get_current_cert(store));
    ck_assert(good || X509_STORE_CTX_get_error(store) != X509_V_OK);
    if (good)
        state->good++;
    else
        state->bad++;
    if (state->sets_error)
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
    return state->accepts;
}

static const struct client_row {
    const char *certificate; /* NULL: none */
    bool accepts;
    bool sets_error;
    bool without_authorities;
    const char *words; /* of the server; NULL: it is let in */
} client_rows[] = {
    {"client.pem", true, false, false, NULL},
    {"client.pem", false, false, false, "certificate: application verification failure"},
    {"client.pem", false, true, false, "certificate: certificate revoked"},
    {"strange-client.pem", true, false, false, NULL},
    {"strange-client.pem", false, false, false,
        "certificate: unable to get local issuer certificate"},
    {"client.pem", false, false, true, "certificate: self-signed certificate in certificate chain"},
    {NULL, true, false, false, "TLS: peer did not return a certificate"},
};

START_TEST(certificate_of_a_client)
{
    const struct client_row *row = &client_rows[_i / 2];
    struct judge state = {.accepts = row->accepts, .sets_error = row->sets_error};
    const struct tls_files server_files = {.certificate = tls_path("server.pem"),
        .key = tls_path("server.key"),
        .authorities = row->without_authorities ? NULL : tls_path("root.pem")};
    const struct tls_files client_files = {.authorities = tls_path("root.pem"),
        .certificate = row->certificate ? tls_path(row->certificate) : NULL,
        .key = row->certificate ? tls_path("client.key") : NULL};
    char words[TLS_WORDS_SIZE];
    struct text error;
    struct tls_settings *client, *server;
    unsigned char byte;
    struct shaken shaken;
    struct pair pair;
    const char *client_words;

    text_init(&error, words, sizeof words);
    server = tls_settings_server(&server_files, judge, &state, &error);
    ck_assert_msg(server != NULL, "%s", words);
    client = tls_settings_client(&client_files, &error);
    ck_assert_msg(client != NULL, "%s", words);
    tls_limit_version(client, versions[_i % 2]);
    pair_connect(&pair, false);
    pair_encrypt(&pair, client, server);
    shaken = pair_shake(&pair);
    if (row->words) {
        ck_assert_int_eq(shaken.server, TRANSPORT_FAILED);
        ck_assert_str_eq(shaken.server_words, row->words);
        /* Under TLS 1.3 a client is through before it is refused. */
        ck_assert_int_eq(
            shaken.client, versions[_i % 2] == TLS1_3_VERSION ? TRANSPORT_DONE : TRANSPORT_FAILED);
        client_words = shaken.client_words;
        if (shaken.client == TRANSPORT_DONE) {
            pair.client.in = &byte;
            pair.client.in_size = 1;
            pair_exchange(&pair);
            ck_assert(pair.client.failed);
            client_words = end_words(&pair.client);
        }
        ck_assert_msg(
            strncmp(client_words, "TLS: the peer's alert: ", 23) == 0, "%s", client_words);
    } else {
        ck_assert_msg(shaken.server == TRANSPORT_DONE, "%s", shaken.server_words);
        ck_assert_int_eq(shaken.client, TRANSPORT_DONE);
    }
    ck_assert_int_eq(state.good > 0 || state.bad > 0, row->certificate != NULL);
    if (row->certificate && row->accepts && strcmp(row->certificate, "client.pem") == 0) {
        ck_assert_int_eq(state.good, 2); /* it, and the root */
        ck_assert_int_eq(state.bad, 0);
    }
    if (!row->without_authorities && row->certificate) {
        const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(end_ssl(&pair.client));

        ck_assert_int_eq(sk_X509_NAME_num(names), 1);
    }
    pair_close(&pair);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

/* A port that speaks both. */

START_TEST(plain_where_it_is_allowed)
{
    struct tls_settings *settings = tls_server_of("server.pem");
    const struct transport_operations *encrypted, *plain;
    char bytes[16];
    size_t moved = 0;
    struct pair pair;

    pair_connect(&pair, false);
    plain = pair.server.transport.operations;
    ck_assert(transport_tls_server(&pair.server.transport, settings, true));
    tls_settings_release(settings);
    encrypted = pair.server.transport.operations;
    ck_assert_int_eq(transport_start(&pair.server.transport), TRANSPORT_AGAIN);
    ck_assert_uint_eq(pair.server.transport.read_events, POLLIN);
    ck_assert_ptr_eq(pair.server.transport.operations, encrypted);
    ck_assert_int_eq(write(pair.client.transport.fd, "GET /", 5), 5);
    ck_assert_int_eq(transport_start(&pair.server.transport), TRANSPORT_DONE);
    ck_assert_ptr_eq(pair.server.transport.operations, plain);
    ck_assert(!pair.server.transport.holds);
    ck_assert_int_eq(
        transport_receive(&pair.server.transport, bytes, sizeof bytes, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 5);
    ck_assert_mem_eq(bytes, "GET /", 5);
    pair_close(&pair);
}
END_TEST

START_TEST(tls_where_plain_is_allowed)
{
    struct tls_settings *client = tls_client_of("root.pem");
    struct tls_settings *server = tls_server_of("server.pem");
    unsigned char byte = 0;
    struct pair pair;

    cut_set((enum cutting)_i);
    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, server, true));
    ck_assert(transport_tls_client(&pair.client.transport, client, "localhost", false, NULL));
    tls_settings_release(client);
    tls_settings_release(server);
    ck_assert_int_eq(pair_shake(&pair).server, TRANSPORT_DONE);
    pair.client.out = (const unsigned char *)"x";
    pair.client.out_length = 1;
    pair.server.in = &byte;
    pair.server.in_size = 1;
    pair_exchange(&pair);
    ck_assert_int_eq(byte, 'x');
    pair_close(&pair);
}
END_TEST

START_TEST(nobody_where_plain_is_allowed)
{
    struct tls_settings *settings = tls_server_of("server.pem");
    struct pair pair;

    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, settings, true));
    tls_settings_release(settings);
    transport_close(&pair.client.transport);
    ck_assert_int_eq(transport_start(&pair.server.transport), TRANSPORT_FAILED);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_str_eq(end_words(&pair.server), "TLS: the peer hung up");
    pair_close(&pair);
}
END_TEST

static const struct wrong_start {
    const char *bytes;
    const char *server_words;
    const char *client_words;
} wrong_starts[] = {
    {"GET / HTTP/1.1\r\n\r\n", "TLS: http request", "TLS: http request"},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS: wrong version number", "TLS: wrong version number"},
    {"\x16\x03\x01\x7f\x7fxxxxx", "TLS: packet length too long", "TLS: packet length too long"},
};

START_TEST(peer_that_does_not_speak_tls)
{
    const struct wrong_start *row = &wrong_starts[_i / 2];
    bool is_client = _i % 2;
    struct tls_settings *settings =
        is_client ? tls_client_of("root.pem") : tls_server_of("server.pem");
    struct pair pair;
    enum transport_result result;

    pair_connect(&pair, false);
    if (is_client)
        ck_assert(transport_tls_client(&pair.server.transport, settings, "localhost", false, NULL));
    else
        ck_assert(transport_tls_server(&pair.server.transport, settings, false));
    tls_settings_release(settings);
    ck_assert_int_eq(write(pair.client.transport.fd, row->bytes, strlen(row->bytes)),
        (ssize_t)strlen(row->bytes));
    while ((result = transport_start(&pair.server.transport)) == TRANSPORT_AGAIN) {
        struct pollfd fd = {pair.server.transport.fd, pair.server.transport.read_events, 0};

        ck_assert_int_eq(poll(&fd, 1, 5000), 1);
    }
    ck_assert_int_eq(result, TRANSPORT_FAILED);
    ck_assert_int_eq(errno, EPROTO);
    ck_assert_str_eq(end_words(&pair.server), is_client ? row->client_words : row->server_words);
    pair_close(&pair);
}
END_TEST

/* The handshake comes to a halt after so many bytes, and one of them leaves. */
START_TEST(hanging_up_at_every_byte)
{
    struct tls_settings *client = tls_client_of("root.pem");
    struct tls_settings *server = tls_server_of("server.pem");
    bool server_stays = _i % 2, both_done = false;

    tls_limit_version(client, versions[_i / 2]);
    for (long bytes = 0; !both_done; bytes += bytes < 100 ? 1 : 13) {
        enum transport_result results[2] = {TRANSPORT_AGAIN, TRANSPORT_AGAIN};
        struct end *stays;
        struct pair pair;

        cut_set(CUT_NONE);
        cut.budget = bytes;
        pair_connect(&pair, false);
        pair_encrypt(&pair, client, server);
        for (int i = 0; i < 8; i++) {
            if (results[0] == TRANSPORT_AGAIN)
                results[0] = transport_start(&pair.client.transport);
            if (results[1] == TRANSPORT_AGAIN)
                results[1] = transport_start(&pair.server.transport);
        }
        ck_assert_int_ne(results[0], TRANSPORT_FAILED);
        ck_assert_int_ne(results[1], TRANSPORT_FAILED);
        both_done = results[0] == TRANSPORT_DONE && results[1] == TRANSPORT_DONE;
        transport_close(server_stays ? &pair.client.transport : &pair.server.transport);
        stays = server_stays ? &pair.server : &pair.client;
        cut.budget = -1;
        if (results[server_stays] == TRANSPORT_AGAIN) {
            enum transport_result result = transport_start(&stays->transport);

            if (result == TRANSPORT_AGAIN)
                result = transport_start(&stays->transport);
            /* The server's last words, its tickets, need nobody to hear them. */
            if (result != TRANSPORT_DONE || !server_stays) {
                ck_assert_int_eq(result, TRANSPORT_FAILED);
                ck_assert_int_eq(errno, ECONNRESET);
                ck_assert_str_eq(end_words(stays), "TLS: the peer hung up");
            }
        }
        pair_close(&pair);
    }
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

START_TEST(errors_of_the_program_do_no_harm)
{
    unsigned char byte = 0;
    struct pair pair;

    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    pair_open(&pair, false, tls_client_of("root.pem"), tls_server_of("server.pem"));
    pair.client.out = (const unsigned char *)"x";
    pair.client.out_length = 1;
    pair.server.in = &byte;
    pair.server.in_size = 1;
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    pair_exchange(&pair);
    ck_assert(!pair.client.failed && !pair.server.failed);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    pair_close(&pair);
    ERR_clear_error();
}
END_TEST

START_TEST(no_error_is_left_behind)
{
    struct tls_settings *client = tls_client_of("other-root.pem");
    struct tls_settings *server = tls_server_of("server.pem");
    struct pair pair;

    pair_connect(&pair, false);
    pair_encrypt(&pair, client, server);
    ck_assert_int_eq(pair_shake(&pair).client, TRANSPORT_FAILED);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    pair_close(&pair);
    tls_settings_release(client);
    tls_settings_release(server);
}
END_TEST

Suite *tls_handshake_suite(void)
{
    Suite *suite = suite_create("tls_handshake");
    TCase *test = tcase_create("tls_handshake");

    tcase_add_checked_fixture(test, cut_nothing, NULL);
    tcase_add_unchecked_fixture(test, tls_certificates_make, tls_certificates_remove);
    tcase_set_timeout(test, 30);
    tcase_add_loop_test(test, versions_and_cutting, 0, 2 * CUTTINGS);
    tcase_add_test(test, newest_version_is_preferred);
    tcase_add_loop_test(test, old_versions_are_refused, 0, 2);
    tcase_add_loop_test(test, certificate_of_a_server, 0,
        2 * (int)(sizeof(verifications) / sizeof(*verifications)));
    tcase_add_test(test, name_that_is_none);
    tcase_add_loop_test(test, name_is_told_to_the_server, 0, 4);
    tcase_add_loop_test(test, protocol, 0, (int)(sizeof(protocols) / sizeof(*protocols)));
    tcase_add_loop_test(
        test, certificate_of_a_client, 0, 2 * (int)(sizeof(client_rows) / sizeof(*client_rows)));
    tcase_add_test(test, plain_where_it_is_allowed);
    tcase_add_loop_test(test, tls_where_plain_is_allowed, 0, CUTTINGS);
    tcase_add_test(test, nobody_where_plain_is_allowed);
    tcase_add_loop_test(test, peer_that_does_not_speak_tls, 0,
        2 * (int)(sizeof(wrong_starts) / sizeof(*wrong_starts)));
    tcase_add_loop_test(test, hanging_up_at_every_byte, 0, 4);
    tcase_add_test(test, errors_of_the_program_do_no_harm);
    tcase_add_test(test, no_error_is_left_behind);
    suite_add_tcase(suite, test);
    return suite;
}
