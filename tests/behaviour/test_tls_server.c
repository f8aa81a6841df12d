/* Servers with TLS: whom they serve, and what becomes of handshakes that go wrong. */
#include <errno.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "../support/certificates.h"
#include "../support/tls_stream.h"
#include "harness.h"
#include "suites.h"

/* What a server is made of; the certificates are names of certificates.sh. */
struct ground {
    const char *certificate; /* NULL: "server.pem" */
    const char *key;         /* NULL: "server.key" */
    const char *authorities;
    const char *ciphers;
    const char *password;
    unsigned int options;
    bool without; /* no certificate at all */
};

static const struct ground *ground;

static const char *path_of(const char *name, const char *usual)
{
    return name == NULL    ? usual == NULL ? NULL : certificates_path(usual)
              : *name == '\0' ? NULL
                           : certificates_path(name);
}

static void adjust(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    info->options |= ground->options;
    info->ssl_ca_filepath = path_of(ground->authorities, NULL);
    info->ssl_cipher_list = ground->ciphers;
    extras->ssl_private_key_password = ground->password;
    if (ground->without)
        return;
    info->ssl_cert_filepath = path_of(ground->certificate, "server.pem");
    info->ssl_private_key_filepath = path_of(ground->key, "server.key");
}

static struct server *start(const struct ground *with, struct server_options options)
{
    ground = with;
    options.adjust = adjust;
    options.plain = true; /* clients choose for themselves */
    return server_start(&options);
}

static const struct ground usual;

static SSL_CTX *client_of(const char *name)
{
    struct tls_files files = {.authorities = certificates_path("root.pem")};
    char certificate[64];
    char key[64];

    if (name != NULL) {
        snprintf(certificate, sizeof certificate, "%s.pem", name);
        snprintf(key, sizeof key, "%s.key", name);
        files.certificate = certificates_path(certificate);
        files.key = certificates_path(key);
    }
    return tls_client_settings(&files);
}

static void only(SSL_CTX *settings, int version)
{
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(settings, version), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(settings, version), 1);
    if (version < TLS1_2_VERSION)
        SSL_CTX_set_security_level(settings, 0);
}

static struct ws_client *connect_with(struct server *server, SSL_CTX *settings)
{
    struct ws_client *client = ws_connect(server_port(server));

    tls_carry_client(client, settings);
    return client;
}

static void echo_and_finish(struct ws_client *client)
{
    ws_handshake(client, "echo");
    ws_send_frame(client, WS_FIN | WS_TEXT, "hello", 5);
    ws_expect_text(client, "hello");
    ws_finish(client);
    ws_free(client);
}

/* Whether a client gets through to an answer. */
static bool is_served(struct server *server, SSL_CTX *settings)
{
    struct ws_client *client = connect_with(server, settings);
    char *text = ws_handshake_text("/", "echo", NULL);
    bool served = tls_handshake(client) && ws_try_send(client, text, strlen(text));
    ssize_t count = -1;
    char byte;

    /* Under TLS 1.3 a client learns of its rejection when it expects an answer. */
    while (served && count < 0) {
        short wanted;

        count = client->carrier->receive(client->carried, &byte, 1, &wanted);
        if (count < 0)
            served = errno == EAGAIN && ws_wait_for(client, wanted, ws_now_ms() + WS_PATIENCE_MS);
    }
    free(text);
    ws_free(client);
    return served && count == 1;
}

START_TEST(speaks_good_versions)
{
    static const int versions[] = {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client;

    only(settings, versions[_i]);
    client = connect_with(server, settings);
    ck_assert_int_eq(tls_handshake(client), versions[_i] != TLS1_1_VERSION);
    if (versions[_i] == TLS1_1_VERSION) {
        ws_free(client);
        ck_assert_uint_eq(server_count(server, LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION), 0);
    } else {
        ck_assert_int_eq(SSL_version(tls_of(client)), versions[_i]);
        echo_and_finish(client);
    }
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

static const struct {
    const char *offer; /* NULL: no ALPN */
    bool good;
} protocols[] = {{NULL, true}, {"\x08http/1.1", true}, {"\x02h2\x08http/1.1", true},
    {"\x02h2", false}, {"\x08http/1.0", false}};

START_TEST(chooses_http_1_1)
{
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    const unsigned char *chosen;
    unsigned int length;
    struct ws_client *client;

    if (protocols[_i].offer != NULL)
        ck_assert_int_eq(
            SSL_CTX_set_alpn_protos(settings, (const unsigned char *)protocols[_i].offer,
                (unsigned int)strlen(protocols[_i].offer)),
            0);
    client = connect_with(server, settings);
    ck_assert_int_eq(tls_handshake(client), protocols[_i].good);
    if (protocols[_i].good) {
        SSL_get0_alpn_selected(tls_of(client), &chosen, &length);
        ck_assert_uint_eq(length, protocols[_i].offer == NULL ? 0 : 8);
        echo_and_finish(client);
    } else {
        ws_free(client);
    }
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

START_TEST(keeps_to_its_ciphers)
{
    const struct ground with = {.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"};
    struct server *server = start(&with, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);

    only(settings, TLS1_2_VERSION);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(settings, "ECDHE-ECDSA-AES128-GCM-SHA256"), 1);
    ck_assert(!is_served(server, settings));
    ck_assert_int_eq(SSL_CTX_set_cipher_list(settings, "DEFAULT"), 1);
    ck_assert(is_served(server, settings));
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

static const struct {
    const char *what;
    struct ground ground;
    const char *named;
} unusable[] = {
    {"no certificate", {.certificate = "missing.pem"}, "missing.pem"},
    {"no key", {.key = "missing.key"}, "missing.key"},
    {"no key's name", {.key = ""}, "key"},
    {"another's key", {.key = "client.key"}, "client.key"},
    {"a key for a certificate", {.certificate = "server.key"}, "server.key"},
    {"a certificate for a key", {.key = "server.pem"}, "server.pem"},
    {"no authority", {.authorities = "missing.pem"}, "missing.pem"},
    {"a key for an authority", {.authorities = "root.key"}, "root.key"},
    {"no password", {.key = "server-encrypted.key"}, "server-encrypted.key"},
    {"wrong password", {.key = "server-encrypted.key", .password = "guess"},
        "server-encrypted.key"},
    {"no cipher", {.ciphers = "NO-SUCH-CIPHER"}, "NO-SUCH-CIPHER"},
};

START_TEST(refuses_files_that_cannot_be_used)
{
    struct server *server = start(&unusable[_i].ground, (struct server_options){.may_fail = true});

    ck_assert_msg(server_context(server) == NULL, "%s", unusable[_i].what);
    ck_assert_msg(strstr(server_error(server), unusable[_i].named) != NULL, "%s: %s",
        unusable[_i].what, server_error(server));
    server_stop(server);
}
END_TEST

START_TEST(has_the_password_of_its_key)
{
    const struct ground with = {.key = "server-encrypted.key", .password = "secret"};
    struct server *server = start(&with, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);

    ck_assert(is_served(server, settings));
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/* What the program says to certificates, and what it was asked. */
static atomic_int verifications;
static atomic_int verifications_bad;
static int answer;
static bool tolerates;

static int verifying_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION) {
        X509_STORE_CTX *store = user;

        ck_assert_ptr_nonnull(X509_STORE_CTX_get_current_cert(store));
        ck_assert_int_eq(SSL_is_server(in), 1);
        ck_assert_uint_le(len, 1);
        ck_assert_int_eq(len == 1, X509_STORE_CTX_get_error(store) == X509_V_OK);
        atomic_fetch_add(&verifications, 1);
        atomic_fetch_add(&verifications_bad, len == 0);
        if (len == 0 && tolerates)
            X509_STORE_CTX_set_error(store, X509_V_OK);
        return answer;
    }
    return echo_callback(context, wsi, reason, user, in, len);
}

static const struct {
    const char *client;
    int answer;
    bool tolerates;
    bool good;
} visitors[] = {
    {"client", 0, false, true},
    {"client", 1, false, false},
    {"client", -1, false, false},
    {NULL, 0, false, false},
    {"other-client", 0, false, false},
    {"other-client", 0, true, true},
    {"other-client", 1, true, false},
    {"client-expired", 0, false, false},
    {"client-expired", 0, true, true},
};

START_TEST(asks_for_certificates)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const struct ground with = {
        .authorities = "root.pem", .options = LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT};
    size_t row = (size_t)_i / 2;
    struct libwebsocket_protocols asking[] = {{.name = "http", .callback = verifying_callback},
        default_protocols[PROTOCOL_ECHO], {.name = NULL}};
    struct server *server = start(&with, (struct server_options){.protocols = asking});
    SSL_CTX *settings = client_of(visitors[row].client);

    answer = visitors[row].answer;
    tolerates = visitors[row].tolerates;
    only(settings, versions[_i % 2]);
    ck_assert_int_eq(is_served(server, settings), visitors[row].good);
    ck_assert_int_eq(atomic_load(&verifications) > 0, visitors[row].client != NULL);
    ck_assert_int_eq(atomic_load(&verifications_bad) > 0,
        visitors[row].client != NULL && strcmp(visitors[row].client, "client") != 0);
    if (!visitors[row].good)
        ck_assert_uint_eq(server_count(server, LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION), 0);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/* A program that has no callback for it has OpenSSL's verdict. */
START_TEST(asks_for_certificates_of_authorities_alone)
{
    const struct ground with = {.authorities = _i == 0 ? "root.pem" : NULL,
        .options = LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT};
    struct server *server = start(&with, (struct server_options){0});
    SSL_CTX *known = client_of("client");
    SSL_CTX *unknown = client_of("other-client");

    ck_assert_int_eq(is_served(server, known), _i == 0);
    ck_assert(!is_served(server, unknown));
    SSL_CTX_free(known);
    SSL_CTX_free(unknown);
    server_stop(server);
}
END_TEST

START_TEST(serves_both_where_told_to)
{
    const struct ground with = {
        .options = _i == 0 ? LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT : 0};
    struct server *server = start(&with, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);

    echo_and_finish(connect_with(server, settings));
    for (int i = 0; i < 2; i++) {
        struct ws_client *client = ws_connect(server_port(server));

        if (_i == 0) {
            echo_and_finish(client);
        } else {
            /* Perhaps with an alert. */
            ws_send_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            free(ws_receive_all(client, NULL));
            ws_free(client);
        }
    }
    echo_and_finish(connect_with(server, settings));
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 0);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/* With both allowed the first byte decides; one that never comes is waited for only so long. */
static const size_t stalls[] = {0, 1, 5, 100};

START_TEST(gives_up_a_handshake_that_stalls)
{
    const struct ground with = {
        .options = _i % 2 == 0 ? LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT : 0};
    struct server *server =
        start(&with, (struct server_options){.extras = {.tls_timeout_ms = 1500}});
    SSL_CTX *settings = client_of(NULL);
    int64_t begin = ws_now_ms();
    struct ws_client *client = connect_with(server, settings);
    unsigned long ticks = server_ticks(server);

    tls_stop_behind(client, stalls[_i / 2]);
    (void)SSL_do_handshake(tls_of(client));
    ck_assert(ws_wait_for(client, POLLIN, ws_now_ms() + WS_PATIENCE_MS));
    ck_assert_int_ge(ws_now_ms() - begin, 1480);
    ck_assert_int_le(ws_now_ms() - begin, 9000);
    ck_assert_uint_ge(server_ticks(server) - ticks, harness_ticks(10));
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 0);
    ws_free(client);
    echo_and_finish(connect_with(server, settings));
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

START_TEST(survives_a_handshake_that_is_cut_off)
{
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    size_t step = harness_scale(1, 31);
    bool done = false;

    only(settings, _i == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
    for (size_t bytes = 0; !done; bytes += step) {
        struct ws_client *client = connect_with(server, settings);

        tls_stop_behind(client, bytes);
        done = tls_handshake(client);
        if (bytes % 2 == 0)
            ws_free(client);
        else
            ws_reset(client);
    }
    echo_and_finish(connect_with(server, settings));
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

static const struct {
    const char *bytes;
    size_t length;
} strange[] = {
    {"\x80\x2e\x01\x03\x01", 5},
    {"\x16\x03\x01\xff\xff\x01", 6},
    {"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10},
    {"\x17\x03\x03\x00\x05hello", 10},
    {"\x15\x03\x01\x00\x02\x02\x00", 7},
    {"\0\0\0\0\0\0\0\0\0\0", 10},
};

START_TEST(survives_what_is_no_tls)
{
    struct server *server =
        start(&usual, (struct server_options){.extras = {.tls_timeout_ms = 500}});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client = ws_connect(server_port(server));

    ws_send(client, strange[_i].bytes, strange[_i].length);
    free(ws_receive_all(client, NULL));
    ws_free(client);
    echo_and_finish(connect_with(server, settings));
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/* Thousands of messages in one record: they were all read with it, and no POLLIN tells of them. */
START_TEST(delivers_what_came_in_one_record)
{
    enum { MESSAGES = 1500 };
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client = connect_with(server, settings);
    static unsigned char out[MESSAGES * 10 + WS_HEADER_MOST];
    size_t length = 0;
    int count = 0;

    ws_handshake(client, _i == 0 ? "echo" : "mirror");
    for (; length + WS_HEADER_MOST + 10 <= sizeof out; count++)
        length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, "text", 4);
    ck_assert_uint_le(length, 16384);
    ws_send(client, out, length);
    for (int i = 0; i < count; i++)
        ws_expect_text(client, "text");
    ws_finish(client);
    ws_free(client);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/*
 * One record behind the other, and all of them there at once: OpenSSL has read them when the engine
 * has read as much as it does in one call, and nothing is left in the socket to tell of the rest.
 */
static const struct {
    size_t records;
    size_t size;
} floods[] = {{540, 1}, {600, 1}, {1, 65600}, {4, 16600}, {100, 500}};

START_TEST(delivers_records_that_came_at_once)
{
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client = connect_with(server, settings);
    size_t size = floods[_i].size;
    unsigned char *pattern = harness_pattern(size, 5);

    ws_handshake(client, "echo");
    for (int round = 0; round < 3; round++) {
        server_hold(server);
        for (size_t i = 0; i < floods[_i].records; i++)
            ws_send_frame(client, WS_FIN | WS_TEXT, pattern, size);
        server_go_on(server);
        for (size_t i = 0; i < floods[_i].records; i++)
            ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, size);
    }
    ws_finish(client);
    ws_free(client);
    free(pattern);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/* The request is there together with the end of the handshake. */
START_TEST(takes_a_request_with_the_handshake)
{
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client;
    char *text = ws_handshake_text("/", "echo", NULL);
    struct ws_response response;

    only(settings, TLS1_3_VERSION);
    client = connect_with(server, settings);
    /* Its hello alone, and then what the server says to it. */
    server_hold(server);
    ck_assert_int_eq(SSL_do_handshake(tls_of(client)), -1);
    server_go_on(server);
    ck_assert(ws_wait_for(client, POLLIN, ws_now_ms() + WS_PATIENCE_MS));
    server_hold(server);
    ck_assert(tls_handshake(client));
    ws_send_text(client, text);
    server_go_on(server);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 101);
    ws_response_free(&response);
    ws_finish(client);
    ws_free(client);
    free(text);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/* RFC 8446 section 4.6.3, while messages go both ways; the server has to answer each with its own.
 */
START_TEST(changes_keys)
{
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client = connect_with(server, settings);
    size_t size = harness_scale(20000, 1000);
    unsigned char *pattern = harness_pattern(size, 9);

    only(settings, TLS1_3_VERSION);
    ws_handshake(client, "echo");
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(SSL_key_update(tls_of(client), SSL_KEY_UPDATE_REQUESTED), 1);
        ws_send_frame(client, WS_FIN | WS_BINARY, pattern, size);
        if (i % 3 == 2)
            continue;
        ws_expect_frame(client, WS_FIN | WS_BINARY, pattern, size);
    }
    for (int i = 0; i < 10; i++)
        ws_expect_frame(client, WS_FIN | WS_BINARY, pattern, size);
    ws_finish(client);
    ws_free(client);
    free(pattern);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

START_TEST(refuses_to_renegotiate)
{
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client;
    int64_t deadline = ws_now_ms() + 5000;
    int result;

    only(settings, TLS1_2_VERSION);
    client = connect_with(server, settings);
    ws_handshake(client, "echo");
    ck_assert_int_eq(SSL_renegotiate(tls_of(client)), 1);
    /* It is told no, by an alert that ends OpenSSL's own handshake. */
    while ((result = SSL_do_handshake(tls_of(client))) != 1 &&
           SSL_get_error(tls_of(client), result) == SSL_ERROR_WANT_READ &&
           ws_wait_for(client, POLLIN, deadline))
        ;
    ck_assert_int_ne(result, 1);
    ck_assert_int_lt(ws_now_ms(), deadline);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/* close_notify alone is the end; the server says its own. */
START_TEST(says_farewell)
{
    struct server *server = start(&usual, (struct server_options){0});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client = connect_with(server, settings);

    ws_handshake(client, "echo");
    if (_i == 0) {
        ws_send_close(client, 1000, NULL);
        ws_expect_close(client, 1000);
    } else {
        ws_shutdown(client);
    }
    ws_expect_eof(client);
    ck_assert(tls_ended_cleanly(client));
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

/* Nor does it keep silent towards those whose time is over. */
START_TEST(says_farewell_to_who_is_late)
{
    struct server *server = start(&usual,
        (struct server_options){.extras = {.http_idle_timeout_ms = 300, .close_timeout_ms = 300}});
    SSL_CTX *settings = client_of(NULL);
    struct ws_client *client = connect_with(server, settings);
    struct ws_response response;

    if (_i == 0) {
        ws_send_text(client, "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        response = ws_receive_head(client);
        ck_assert_int_eq(response.status, 405);
        ws_response_free(&response);
        free(ws_receive_all(client, NULL));
    } else {
        ws_handshake(client, "closer");
        ws_send_frame(client, WS_FIN | WS_TEXT, "", 0);
        ws_expect_close(client, 1000);
        ws_expect_eof(client);
        server_wait(server, LWS_CALLBACK_CLOSED, 1);
    }
    if (!harness_refuses_io())
        ck_assert(tls_ended_cleanly(client));
    ws_free(client);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

static SSL_SESSION *session;

static int keep_session(SSL *ssl, SSL_SESSION *given)
{
    (void)ssl;
    SSL_SESSION_free(session);
    session = given;
    return 1;
}

START_TEST(resumes_sessions)
{
    const struct ground asking = {
        .authorities = "root.pem", .options = LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT};
    struct server *server = start(_i < 2 ? &usual : &asking, (struct server_options){0});
    SSL_CTX *settings = client_of(_i < 2 ? NULL : "client");

    only(settings, _i % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(
        settings, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(settings, keep_session);
    for (int i = 0; i < 4; i++) {
        struct ws_client *client = connect_with(server, settings);

        if (session != NULL)
            ck_assert_int_eq(SSL_set_session(tls_of(client), session), 1);
        ck_assert(tls_handshake(client));
        ck_assert_int_eq(SSL_session_reused(tls_of(client)), i > 0);
        echo_and_finish(client);
        ck_assert_ptr_nonnull(session);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(settings);
    server_stop(server);
}
END_TEST

START_TEST(asks_the_program_for_authorities)
{
    struct server *server = start(&usual, (struct server_options){0});

    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS), 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS), 0);
    server_stop(server);
}
END_TEST

Suite *tls_server_suite(void)
{
    Suite *suite = suite_create("tls server");
    TCase *trust = harness_case("trust");
    TCase *handshakes = harness_case("handshakes");
    TCase *records = harness_case("records");

    tcase_add_loop_test(
        trust, refuses_files_that_cannot_be_used, 0, (int)(sizeof unusable / sizeof unusable[0]));
    tcase_add_test(trust, has_the_password_of_its_key);
    tcase_add_loop_test(
        trust, asks_for_certificates, 0, 2 * (int)(sizeof visitors / sizeof visitors[0]));
    tcase_add_loop_test(trust, asks_for_certificates_of_authorities_alone, 0, 2);
    tcase_add_test(trust, asks_the_program_for_authorities);
    suite_add_tcase(suite, trust);

    tcase_set_timeout(handshakes, 120);
    tcase_add_loop_test(handshakes, speaks_good_versions, 0, 3);
    tcase_add_loop_test(
        handshakes, chooses_http_1_1, 0, (int)(sizeof protocols / sizeof protocols[0]));
    tcase_add_test(handshakes, keeps_to_its_ciphers);
    tcase_add_loop_test(handshakes, serves_both_where_told_to, 0, 2);
    tcase_add_loop_test(handshakes, gives_up_a_handshake_that_stalls, 0,
        2 * (int)(sizeof stalls / sizeof stalls[0]));
    tcase_add_loop_test(handshakes, survives_a_handshake_that_is_cut_off, 0, 2);
    tcase_add_loop_test(
        handshakes, survives_what_is_no_tls, 0, (int)(sizeof strange / sizeof strange[0]));
    tcase_add_loop_test(handshakes, resumes_sessions, 0, 4);
    suite_add_tcase(suite, handshakes);

    tcase_add_loop_test(records, delivers_what_came_in_one_record, 0, 2);
    tcase_add_loop_test(
        records, delivers_records_that_came_at_once, 0, (int)(sizeof floods / sizeof floods[0]));
    /* What the server says comes in one piece. */
    if (!harness_cut())
        tcase_add_test(records, takes_a_request_with_the_handshake);
    tcase_add_test(records, changes_keys);
    /* OpenSSL keeps the rest of an alert that is sent in pieces until there is more to send. */
    if (!harness_cut())
        tcase_add_test(records, refuses_to_renegotiate);
    tcase_add_loop_test(records, says_farewell, 0, 2);
    tcase_add_loop_test(records, says_farewell_to_who_is_late, 0, 2);
    suite_add_tcase(suite, records);
    return suite;
}
