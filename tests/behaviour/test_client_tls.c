/* Clients and TLS: who is believed, and what becomes of handshakes that go wrong. */
#include <errno.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/tls_stream.h"
#include "client_ground.h"
#include "suites.h"

/* A server that speaks TLS when it is told to. */
static struct ws_server *listen_plain(void)
{
    struct ws_server *server = ws_listen(NULL, 0);

    server->plain = true;
    return server;
}

static SSL_CTX *settings_of(const char *name)
{
    char certificate[64];
    char key[64];
    struct tls_files files;

    snprintf(certificate, sizeof certificate, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", strcmp(name, "server-leaf") == 0 ? "server" : name);
    files = (struct tls_files){
        .certificate = certificates_path(certificate), .key = certificates_path(key)};
    return tls_server_settings(&files);
}

static struct server *start_with_authority(const char *name, unsigned int tls_timeout_ms)
{
    struct server_options options = {.extras = {.tls_timeout_ms = tls_timeout_ms}};

    options.extras.client_ssl_ca_filepath = certificates_path(name);
    return client_start(&options);
}

/* The handshake of a WebSocket on what is encrypted already. */
static void accept_and_finish(struct server *loop, struct ws_client *peer)
{
    size_t before = server_count(loop, LWS_CALLBACK_CLIENT_ESTABLISHED);
    char *request = ws_receive_request(peer);
    char *answer = ws_acceptance(request, NULL, NULL);

    ws_send_text(peer, answer);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, before + 1);
    ws_send_frame(peer, WS_FIN | WS_TEXT, "hello", 5);
    client_finish(loop, peer);
    free(answer);
    free(request);
}

static const struct {
    const char *certificate;
    const char *authority;
    int ssl;
    const char *host; /* NULL: 127.0.0.1 */
    const char *why;  /* NULL: it is believed */
} meetings[] = {
    {"server", "root", 1, NULL, NULL},
    {"server", "root", 1, "localhost", NULL},
    {"server", "root", 1, "LocalHost", NULL},
    {"server", "root", 1, "localhost:4433", NULL},
    {"server", "root", 1, "localhost.", NULL},
    {"server", "root", 1, "[::1]:4433", NULL},
    {"server", "root", 2, "localhost", NULL},
    {"renewed", "root", 1, "localhost", NULL},
    {"wrong-host", "root", 1, "wrong.example", NULL},
    {"self-signed", "root", 2, "localhost", NULL},
    {"self-signed", "root", 2, NULL, NULL},
    {"self-signed-wrong-host", "root", 2, "wrong.example", NULL},
    {"other-server", "other-root", 1, "localhost", NULL},

    {"server", "root", 1, "wrong.example", "certificate: hostname mismatch"},
    {"server", "root", 2, "wrong.example", "certificate: hostname mismatch"},
    {"server", "root", 1, "localhost.example", "certificate: hostname mismatch"},
    {"server", "root", 1, "127.0.0.2", "certificate: IP address mismatch"},
    {"server", "root", 2, "[::2]", "certificate: IP address mismatch"},
    {"wrong-host", "root", 1, "localhost", "certificate: hostname mismatch"},
    {"wrong-host", "root", 2, "localhost", "certificate: hostname mismatch"},
    {"wrong-host", "root", 1, NULL, "certificate: IP address mismatch"},
    {"expired", "root", 1, "localhost", "certificate: certificate has expired"},
    {"expired", "root", 2, "localhost", "certificate: certificate has expired"},
    {"not-yet-valid", "root", 1, "localhost", "certificate: certificate is not yet valid"},
    {"not-yet-valid", "root", 2, "localhost", "certificate: certificate is not yet valid"},
    {"self-signed", "root", 1, "localhost", "certificate: self-signed certificate"},
    {"self-signed-wrong-host", "root", 2, "localhost", "certificate: hostname mismatch"},
    {"self-signed-wrong-host", "root", 2, NULL, "certificate: IP address mismatch"},
    {"self-signed-expired", "root", 2, "localhost", "certificate: certificate has expired"},
    {"self-signed-not-yet-valid", "root", 2, "localhost",
        "certificate: certificate is not yet valid"},
    {"other-server", "root", 1, "localhost", "certificate: unable to get local issuer"},
    {"other-server", "root", 2, "localhost", "certificate: unable to get local issuer"},
    {"server", "other-root", 1, "localhost", "certificate: unable to get local issuer"},
    {"server-leaf", "root", 1, "localhost", "certificate: unable to get local issuer"},
    {"server-leaf", "root", 2, "localhost", "certificate: unable to get local issuer"},
};

START_TEST(believes_and_does_not)
{
    char authority[64];
    struct server *loop;
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of(meetings[_i].certificate);
    struct client client = {
        .port = server->port, .ssl = meetings[_i].ssl, .host = meetings[_i].host};
    struct ws_client *peer;

    snprintf(authority, sizeof authority, "%s.pem", meetings[_i].authority);
    loop = start_with_authority(authority, 0);
    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    if (meetings[_i].why == NULL) {
        accept_and_finish(loop, peer);
    } else {
        /* Not a byte of the request goes to who is not believed. */
        ck_assert(!tls_handshake(peer));
        ws_free(peer);
        client_expect_error(loop, 0, meetings[_i].why);
    }
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const int versions[] = {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

static void only(SSL_CTX *settings, int version)
{
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(settings, version), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(settings, version), 1);
    /* The old one needs what is not strong any more. */
    if (version == TLS1_1_VERSION)
        SSL_CTX_set_security_level(settings, 0);
}

START_TEST(speaks_good_versions)
{
    struct server *loop = start_with_authority("root.pem", 0);
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of("server");
    struct client client = {.port = server->port, .ssl = 1, .host = "localhost"};
    struct ws_client *peer;

    only(settings, versions[_i]);
    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    ck_assert_int_eq(tls_handshake(peer), versions[_i] != TLS1_1_VERSION);
    if (versions[_i] == TLS1_1_VERSION) {
        client_expect_error(loop, 0, "TLS: ");
        ws_free(peer);
    } else {
        ck_assert_int_eq(SSL_version(tls_of(peer)), versions[_i]);
        accept_and_finish(loop, peer);
    }
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static char alpn[64];

static int see_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *length,
    const unsigned char *offered, unsigned int offered_length, void *argument)
{
    (void)ssl;
    (void)argument;
    ck_assert_uint_lt(offered_length, sizeof alpn);
    memcpy(alpn, offered, offered_length);
    *chosen = offered + 1;
    *length = offered[0];
    return SSL_TLSEXT_ERR_OK;
}

/* The name that it connects to, unless that is an address; and HTTP/1.1. */
START_TEST(tells_the_name_and_the_protocol)
{
    struct server *loop = start_with_authority("root.pem", 0);
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of("server");
    struct client client = {
        .port = server->port, .ssl = 1, .host = _i == 0 ? "localhost:99" : NULL};
    struct ws_client *peer;
    const char *name;

    SSL_CTX_set_alpn_select_cb(settings, see_alpn, NULL);
    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    ck_assert(tls_handshake(peer));
    name = SSL_get_servername(tls_of(peer), TLSEXT_NAMETYPE_host_name);
    if (_i == 0)
        ck_assert_str_eq(name, "localhost");
    else
        ck_assert_ptr_null(name);
    ck_assert_str_eq(alpn, "\x08http/1.1");
    accept_and_finish(loop, peer);
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const struct {
    const char *certificate; /* NULL: none */
    int version;
    bool good;
} shown[] = {
    {"client", TLS1_3_VERSION, true},
    {"client", TLS1_2_VERSION, true},
    {NULL, TLS1_3_VERSION, false},
    {NULL, TLS1_2_VERSION, false},
    {"other-client", TLS1_3_VERSION, false},
    {"other-client", TLS1_2_VERSION, false},
};

START_TEST(shows_its_certificate)
{
    struct server_options options = {
        .extras = {.client_ssl_ca_filepath = certificates_path("root.pem")}};
    const struct tls_files files = {.certificate = certificates_path("server.pem"),
        .key = certificates_path("server.key"),
        .authorities = certificates_path("root.pem")};
    SSL_CTX *settings = tls_server_settings(&files);
    struct ws_server *server = listen_plain();
    struct client client = {.port = server->port, .ssl = 1, .host = "localhost"};
    struct ws_client *peer;
    struct server *loop;
    char certificate[64];
    char key[64];

    if (shown[_i].certificate != NULL) {
        snprintf(certificate, sizeof certificate, "%s.pem", shown[_i].certificate);
        snprintf(key, sizeof key, "%s.key", shown[_i].certificate);
        options.extras.client_ssl_cert_filepath = certificates_path(certificate);
        options.extras.client_ssl_private_key_filepath = certificates_path(key);
    }
    only(settings, shown[_i].version);
    loop = client_start(&options);
    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    ck_assert_int_eq(tls_handshake(peer), shown[_i].good);
    if (shown[_i].good) {
        X509 *seen = SSL_get0_peer_certificate(tls_of(peer));
        char name[64];

        ck_assert_ptr_nonnull(seen);
        X509_NAME_get_text_by_NID(X509_get_subject_name(seen), NID_commonName, name, sizeof name);
        ck_assert_str_eq(name, "client");
        accept_and_finish(loop, peer);
    } else {
        ws_free(peer);
        client_expect_error(loop, 0, "TLS: ");
    }
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static int load_extra(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS)
        ck_assert_int_eq(SSL_CTX_load_verify_file(user, certificates_path("root.pem")), 1);
    return 0;
}

/* Without files of its own there are the system's authorities, and the program's, which is asked
 * once. */
START_TEST(believes_whom_the_program_adds)
{
    struct server *loop;
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of("server");
    struct client client = {.port = server->port, .ssl = 1, .host = "localhost"};

    client_hook = _i == 0 ? load_extra : NULL;
    loop = client_start(NULL);
    for (size_t i = 0; i < 3; i++) {
        struct ws_client *peer;

        client_begin(loop, &client);
        peer = ws_accept(server);
        tls_carry_server(peer, settings);
        if (_i == 0) {
            accept_and_finish(loop, peer);
        } else {
            (void)tls_handshake(peer);
            client_expect_error(loop, i, "certificate: unable to get local issuer");
            ws_free(peer);
        }
    }
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS), 1);
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const char *const strangers[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n", "\x15\x03\x03\x00\x02\x02\x28", /* an alert */
    "\x16\x03\x03\xff\xff", "\x16\x03\x03\x00\x04\x0e\xff\xff\xff", "\x17\x03\x03\x00\x05hello"};
static const size_t stranger_lengths[] = {28, 21, 7, 5, 9, 10};

START_TEST(survives_what_is_no_tls)
{
    struct server *loop = start_with_authority("root.pem", 500);
    struct ws_server *server = listen_plain();
    struct client client = {.port = server->port, .ssl = 1};
    struct ws_client *peer;

    client_begin(loop, &client);
    peer = ws_accept(server);
    ck_assert(ws_wait_for(peer, POLLIN, ws_now_ms() + WS_PATIENCE_MS));
    ws_send(peer, strangers[_i], stranger_lengths[_i]);
    client_expect_error(loop, 0, "TLS");
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* The server hangs up behind so many bytes of its handshake. */
START_TEST(survives_a_handshake_that_is_cut_off)
{
    struct server *loop = start_with_authority("root.pem", 0);
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of("server");
    struct client client = {.port = server->port, .ssl = 1, .host = "localhost"};
    size_t step = harness_scale(1, 61);
    size_t count = 0;

    only(settings, _i == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
    /* What comes behind the handshake is another matter. */
    SSL_CTX_set_num_tickets(settings, 0);
    for (size_t bytes = 0;; bytes += step) {
        struct ws_client *peer;
        bool done;

        client_begin(loop, &client);
        peer = ws_accept(server);
        tls_carry_server(peer, settings);
        tls_stop_behind(peer, bytes);
        done = tls_handshake(peer);
        if (done && _i == 0)
            free(ws_receive_request(peer));
        ws_free(peer);
        server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, ++count);
        if (done)
            break;
        client_expect_error(loop, count - 1, "TLS: ");
    }
    ck_assert_uint_gt(count, 500 / step);
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* The handshake stops somewhere, and nobody hangs up. */
static const size_t stalls[] = {0, 1, 5, 100, 500, 1200};

START_TEST(gives_up_a_handshake_that_stalls)
{
    struct server *loop = start_with_authority("root.pem", 400);
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of("server");
    struct client client = {.port = server->port, .ssl = 1, .host = "localhost"};
    int64_t begin = ws_now_ms();
    unsigned long ticks = server_ticks(loop);
    struct ws_client *peer;

    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    tls_stop_behind(peer, stalls[_i]);
    ck_assert(!tls_handshake(peer));
    client_expect_error(loop, 0, "TLS handshake timed out");
    ck_assert_int_ge(ws_now_ms() - begin, 380);
    ck_assert_int_le(ws_now_ms() - begin, 4000);
    ck_assert_uint_ge(server_ticks(loop) - ticks, harness_ticks(10));
    ws_free(peer);
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void destroy(struct server *loop, void *argument)
{
    (void)argument;
    server_destroy_context(loop);
}

/* close_notify, in answer to the server's, and where the context ends. */
START_TEST(says_farewell)
{
    struct server *loop = start_with_authority("root.pem", 0);
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of("server");
    struct client client = {.port = server->port, .ssl = 1, .host = "localhost"};
    struct ws_client *peer;
    char *request;
    char *answer;

    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    request = ws_receive_request(peer);
    answer = ws_acceptance(request, NULL, NULL);
    ws_send_text(peer, answer);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    if (_i == 0) {
        ws_send_close(peer, 1000, NULL);
        ws_expect_close(peer, 1000);
        ws_shutdown(peer); /* close_notify, and no FIN */
    } else {
        server_run(loop, destroy, NULL);
    }
    /* A context that goes away waits for nothing. */
    if (_i == 0 || !harness_refuses_io()) {
        if (_i == 1)
            ws_expect_close(peer, 1001);
        ws_expect_eof(peer);
        ck_assert(tls_ended_cleanly(peer));
    }
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ws_free(peer);
    free(answer);
    free(request);
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* To a server that does not want it, and to one that leaves it to the client to hang up. */
START_TEST(says_farewell_first)
{
    struct server_options options = {.extras = {.close_timeout_ms = 300}};
    struct server *loop;
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of("server");
    struct client client = {.port = server->port, .ssl = 1, .host = "localhost"};
    struct ws_client *peer;
    char *request;

    options.extras.client_ssl_ca_filepath = certificates_path("root.pem");
    loop = client_start(&options);
    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    request = ws_receive_request(peer);
    if (_i == 0) {
        ws_send_text(peer, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        client_expect_error(loop, 0, "server answered 403");
    } else {
        char *answer = ws_acceptance(request, NULL, NULL);

        ws_send_text(peer, answer);
        free(answer);
        ws_send_close(peer, 1000, NULL);
        ws_expect_close(peer, 1000);
        server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    }
    ws_expect_eof(peer);
    if (!harness_refuses_io())
        ck_assert(tls_ended_cleanly(peer));
    ws_free(peer);
    free(request);
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Connects once more, to where it was before or elsewhere; returns whether the session was. */
static bool meet(
    struct server *loop, struct ws_server *server, SSL_CTX *settings, const struct client *wanted)
{
    struct client client = *wanted;
    struct ws_client *peer;
    bool reused;

    client.port = server->port;
    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    ck_assert(tls_handshake(peer));
    reused = SSL_session_reused(tls_of(peer)) == 1;
    accept_and_finish(loop, peer);
    return reused;
}

START_TEST(resumes_sessions)
{
    struct server *loop = start_with_authority("root.pem", 0);
    struct ws_server *server = listen_plain();
    struct ws_server *other = listen_plain();
    SSL_CTX *settings = settings_of("server");
    const struct client strict = {.ssl = 1, .host = "localhost"};
    const struct client lenient = {.ssl = 2, .host = "localhost"};
    const struct client address = {.ssl = 1};

    only(settings, _i == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
    ck_assert_int_eq(SSL_CTX_set_session_id_context(settings, (const unsigned char *)"t", 1), 1);
    ck_assert(!meet(loop, server, settings, &strict));
    ck_assert(meet(loop, server, settings, &strict));
    ck_assert(meet(loop, server, settings, &strict));
    /* Not for another name, another strictness, or another server. */
    ck_assert(!meet(loop, server, settings, &address));
    ck_assert(!meet(loop, server, settings, &lenient));
    ck_assert(!meet(loop, other, settings, &strict));
    ck_assert(meet(loop, server, settings, &strict));
    SSL_CTX_free(settings);
    ws_server_free(other);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Who was believed without an authority is not so by a session of it. */
START_TEST(does_not_resume_what_was_only_tolerated)
{
    struct server *loop = start_with_authority("root.pem", 0);
    struct ws_server *server = listen_plain();
    SSL_CTX *settings = settings_of("self-signed");
    const struct client lenient = {.ssl = 2, .host = "localhost"};
    struct client strict = {.ssl = 1, .host = "localhost", .port = server->port};
    struct ws_client *peer;

    ck_assert(!meet(loop, server, settings, &lenient));
    client_begin(loop, &strict);
    peer = ws_accept(server);
    tls_carry_server(peer, settings);
    (void)tls_handshake(peer);
    client_expect_error(loop, 0, "certificate: self-signed certificate");
    ws_free(peer);
    SSL_CTX_free(settings);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const struct {
    const char *authorities;
    const char *certificate;
    const char *key;
    const char *named;
} unusable[] = {
    {"missing.pem", NULL, NULL, "missing.pem"},
    {"root.key", NULL, NULL, "root.key"},
    {NULL, "missing.pem", "client.key", "missing.pem"},
    {NULL, "client.pem", "missing.key", "missing.key"},
    {NULL, "client.pem", "server.key", "server.key"},
    {NULL, "client.key", "client.key", "client.key"},
    {NULL, "client.pem", NULL, "private key"},
    {NULL, NULL, "client.key", "certificate"},
};

START_TEST(refuses_files_that_cannot_be_used)
{
    struct server_options options = {.may_fail = true};
    struct server *loop;

    if (unusable[_i].authorities != NULL)
        options.extras.client_ssl_ca_filepath = certificates_path(unusable[_i].authorities);
    if (unusable[_i].certificate != NULL)
        options.extras.client_ssl_cert_filepath = certificates_path(unusable[_i].certificate);
    if (unusable[_i].key != NULL)
        options.extras.client_ssl_private_key_filepath = certificates_path(unusable[_i].key);
    loop = client_start(&options);
    ck_assert_ptr_null(server_context(loop));
    ck_assert_msg(strstr(server_error(loop), unusable[_i].named) != NULL, "%s: %s",
        unusable[_i].named, server_error(loop));
    server_stop(loop);
}
END_TEST

Suite *client_tls_suite(void)
{
    Suite *suite = suite_create("client tls");
    TCase *trust = harness_case("trust");
    TCase *handshakes = harness_case("handshakes");
    TCase *sessions = harness_case("sessions");

    tcase_add_loop_test(
        trust, believes_and_does_not, 0, (int)(sizeof meetings / sizeof meetings[0]));
    tcase_add_loop_test(trust, shows_its_certificate, 0, (int)(sizeof shown / sizeof shown[0]));
    tcase_add_loop_test(trust, believes_whom_the_program_adds, 0, 2);
    tcase_add_loop_test(
        trust, refuses_files_that_cannot_be_used, 0, (int)(sizeof unusable / sizeof unusable[0]));
    suite_add_tcase(suite, trust);

    tcase_set_timeout(handshakes, 120);
    tcase_add_loop_test(handshakes, speaks_good_versions, 0, 3);
    tcase_add_loop_test(handshakes, tells_the_name_and_the_protocol, 0, 2);
    tcase_add_loop_test(
        handshakes, survives_what_is_no_tls, 0, (int)(sizeof strangers / sizeof strangers[0]));
    tcase_add_loop_test(handshakes, survives_a_handshake_that_is_cut_off, 0, 2);
    tcase_add_loop_test(
        handshakes, gives_up_a_handshake_that_stalls, 0, (int)(sizeof stalls / sizeof stalls[0]));
    tcase_add_loop_test(handshakes, says_farewell, 0, 2);
    tcase_add_loop_test(handshakes, says_farewell_first, 0, 2);
    suite_add_tcase(suite, handshakes);

    tcase_add_loop_test(sessions, resumes_sessions, 0, 2);
    tcase_add_test(sessions, does_not_resume_what_was_only_tolerated);
    suite_add_tcase(suite, sessions);
    return suite;
}
