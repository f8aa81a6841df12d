/* New certificate files without a restart. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/tls_stream.h"
#include "client_ground.h"
#include "suites.h"

/* The files that the context was told of, in a folder of their own. */
static char folder[] = "/tmp/lwsloop-reload-XXXXXX";
static const char *const file_names[] = {"certificate", "key", "authorities"};

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char path[128];

    for (size_t i = 0; i < sizeof file_names / sizeof file_names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, file_names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static const char *file(int which)
{
    static _Thread_local char paths[3][128];

    snprintf(paths[which], sizeof paths[which], "%s/%s", folder, file_names[which]);
    return paths[which];
}

enum { CERTIFICATE, KEY, AUTHORITIES };

/* Puts a file of certificates.sh in the place of one of them; NULL: nothing. */
static void put(int which, const char *name)
{
    char bytes[16384];
    ssize_t length;
    int from;
    int to;

    unlink(file(which));
    if (name == NULL)
        return;
    from = open(certificates_path(name), O_RDONLY | O_CLOEXEC);
    ck_assert_msg(from >= 0, "%s", name);
    length = read(from, bytes, sizeof bytes);
    ck_assert_int_gt(length, 0);
    to = open(file(which), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(to, 0);
    ck_assert_int_eq(write(to, bytes, (size_t)length), length);
    close(from);
    close(to);
}

static void cut_off(int which)
{
    struct stat status;

    ck_assert_int_eq(stat(file(which), &status), 0);
    ck_assert_int_eq(truncate(file(which), status.st_size / 2), 0);
}

static bool with_authorities;

static void adjust(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->ssl_cert_filepath = file(CERTIFICATE);
    info->ssl_private_key_filepath = file(KEY);
    info->ssl_ca_filepath = with_authorities ? file(AUTHORITIES) : NULL;
}

static struct server *start(void)
{
    struct server_options options = {.adjust = adjust, .plain = true};

    put(CERTIFICATE, "server.pem");
    put(KEY, "server.key");
    if (with_authorities)
        put(AUTHORITIES, "root.pem");
    return server_start(&options);
}

struct reload {
    int result;
    int error;
    char words[256];
};

static void reload_now(struct server *server, void *argument)
{
    struct reload *reload = argument;

    strcpy(reload->words, "untouched");
    errno = 0;
    reload->result = lws_tls_reload(server_context(server), reload->words, sizeof reload->words);
    reload->error = errno;
}

static struct reload reload_files(struct server *server)
{
    struct reload reload;

    server_run(server, reload_now, &reload);
    return reload;
}

static SSL_CTX *settings;

static struct ws_client *connect_by_tls(struct server *server)
{
    const struct tls_files files = {.authorities = certificates_path("root.pem")};
    struct ws_client *client = ws_connect(server_port(server));

    if (settings == NULL)
        settings = tls_client_settings(&files);
    tls_carry_client(client, settings);
    return client;
}

/* Expects that the server shows the certificate of this name, and echoes. */
static void expect_certificate(struct server *server, const char *name)
{
    struct ws_client *client = connect_by_tls(server);
    char seen[64] = "";

    ws_handshake(client, "echo");
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(tls_of(client))),
        NID_commonName, seen, sizeof seen);
    ck_assert_str_eq(seen, name);
    ws_send_frame(client, WS_FIN | WS_TEXT, "hello", 5);
    ws_expect_text(client, "hello");
    ws_finish(client);
    ws_free(client);
}

START_TEST(shows_the_new_certificate)
{
    struct server *server = start();
    struct ws_client *old = connect_by_tls(server);
    struct reload reload;

    ws_handshake(old, "echo");
    expect_certificate(server, "server");
    put(CERTIFICATE, "renewed.pem");
    put(KEY, "renewed.key");
    /* Nothing happens by itself. */
    expect_certificate(server, "server");
    reload = reload_files(server);
    ck_assert_int_eq(reload.result, 0);
    expect_certificate(server, "renewed");
    /* Connections of before go on. */
    ws_send_frame(old, WS_FIN | WS_TEXT, "still here", 10);
    ws_expect_text(old, "still here");
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(reload_files(server).result, 0);
    ws_send_frame(old, WS_FIN | WS_TEXT, "again", 5);
    ws_expect_text(old, "again");
    ws_finish(old);
    ws_free(old);
    expect_certificate(server, "renewed");
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS), 7);
    server_stop(server);
}
END_TEST

/* One that is in the middle of its handshake ends it with what it began with. */
START_TEST(lets_a_handshake_end_as_it_began)
{
    struct server *server = start();
    struct ws_client *client = connect_by_tls(server);

    tls_stop_behind(client, 100);
    ck_assert(!tls_handshake(client));
    put(CERTIFICATE, "renewed.pem");
    put(KEY, "renewed.key");
    ck_assert_int_eq(reload_files(server).result, 0);
    ws_free(client);
    expect_certificate(server, "renewed");
    server_stop(server);
}
END_TEST

static const struct {
    const char *what;
    const char *certificate;
    const char *key;
    const char *authorities;
    int cut;   /* which file is cut off; -1: none */
    int named; /* which file the error is about; -1: any */
} bad[] = {
    {"no certificate", NULL, "server.key", "root.pem", -1, CERTIFICATE},
    {"no key", "server.pem", NULL, "root.pem", -1, KEY},
    {"no authorities", "server.pem", "server.key", NULL, -1, AUTHORITIES},
    {"half a certificate", "server-leaf.pem", "server.key", "root.pem", CERTIFICATE, CERTIFICATE},
    {"half a key", "server.pem", "server.key", "root.pem", KEY, KEY},
    {"half an authority", "server.pem", "server.key", "root.pem", AUTHORITIES, AUTHORITIES},
    {"only the certificate is new", "renewed.pem", "server.key", "root.pem", -1, -1},
    {"only the key is new", "server.pem", "renewed.key", "root.pem", -1, -1},
    {"a key with a password", "server.pem", "server-encrypted.key", "root.pem", -1, KEY},
    {"a key for a certificate", "server.key", "server.key", "root.pem", -1, CERTIFICATE},
};

START_TEST(keeps_the_old_where_the_new_is_bad)
{
    struct server *server;
    struct ws_client *old;
    struct reload reload;

    with_authorities = true;
    server = start();
    old = connect_by_tls(server);
    ws_handshake(old, "echo");
    put(CERTIFICATE, bad[_i].certificate);
    put(KEY, bad[_i].key);
    put(AUTHORITIES, bad[_i].authorities);
    if (bad[_i].cut >= 0)
        cut_off(bad[_i].cut);
    for (int i = 0; i < 2; i++) {
        reload = reload_files(server);
        ck_assert_msg(reload.result == -1, "%s", bad[_i].what);
        ck_assert_str_ne(reload.words, "untouched");
        ck_assert_str_ne(reload.words, "");
        if (bad[_i].named >= 0)
            ck_assert_msg(strstr(reload.words, file(bad[_i].named)) != NULL, "%s: %s", bad[_i].what,
                reload.words);
    }
    expect_certificate(server, "server");
    ws_send_frame(old, WS_FIN | WS_TEXT, "still here", 10);
    ws_expect_text(old, "still here");
    ws_finish(old);
    ws_free(old);
    /* And when they are good again. */
    put(CERTIFICATE, "renewed.pem");
    put(KEY, "renewed.key");
    put(AUTHORITIES, "root.pem");
    ck_assert_int_eq(reload_files(server).result, 0);
    expect_certificate(server, "renewed");
    server_stop(server);
}
END_TEST

static void reload_for_nobody(struct server *server, void *argument)
{
    char one[1] = {'x'};

    (void)argument;
    errno = 0;
    ck_assert_int_eq(lws_tls_reload(NULL, NULL, 0), -1);
    ck_assert_int_eq(errno, EINVAL);
    put(KEY, NULL);
    ck_assert_int_eq(lws_tls_reload(server_context(server), NULL, 0), -1);
    ck_assert_int_eq(lws_tls_reload(server_context(server), one, 1), -1);
    ck_assert_int_eq(one[0], '\0');
    ck_assert_int_eq(lws_tls_reload(server_context(server), NULL, 100), -1);
}

START_TEST(tells_only_who_wants_to_know)
{
    struct server *server = start();

    server_run(server, reload_for_nobody, NULL);
    expect_certificate(server, "server");
    server_stop(server);
}
END_TEST

START_TEST(has_nothing_to_read)
{
    struct server_options options = {.plain = true};
    struct server *server = server_start(&options);
    struct reload reload = reload_files(server);

    ck_assert_int_eq(reload.result, -1);
    ck_assert_int_eq(reload.error, EINVAL);
    ck_assert_str_ne(reload.words, "");
    server_stop(server);
}
END_TEST

static int reloading_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static bool inside;

    if (reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_ESTABLISHED ||
        reason == LWS_CALLBACK_CLOSED)
        ck_assert_int_eq(lws_tls_reload(context, NULL, 0), 0);
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS && !inside &&
        server_count(server_here(), reason) > 1) {
        inside = true;
        ck_assert_int_eq(lws_tls_reload(context, NULL, 0), 0);
        inside = false;
    }
    if (reason == LWS_CALLBACK_PROTOCOL_DESTROY)
        ck_assert_int_eq(lws_tls_reload(context, NULL, 0), -1);
    return echo_callback(context, wsi, reason, user, in, len);
}

/* When it has been done a callback that is in the log has returned. */
static void do_nothing(struct server *server, void *argument)
{
    (void)server;
    (void)argument;
}

/* From inside callbacks, its own included. */
START_TEST(reads_inside_callbacks)
{
    static struct libwebsocket_protocols protocols[2];
    struct server_options options = {.adjust = adjust, .plain = true, .protocols = protocols};
    struct server *server;

    protocols[0] = default_protocols[PROTOCOL_ECHO];
    protocols[0].callback = reloading_callback;
    put(CERTIFICATE, "server.pem");
    put(KEY, "server.key");
    server = server_start(&options);
    expect_certificate(server, "server");
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    server_run(server, do_nothing, NULL);
    put(CERTIFICATE, "renewed.pem");
    put(KEY, "renewed.key");
    expect_certificate(server, "server");
    expect_certificate(server, "renewed");
    server_wait(server, LWS_CALLBACK_CLOSED, 3);
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

/* Sessions of before can still be resumed. */
START_TEST(resumes_older_sessions)
{
    struct server *server = start();

    for (int i = 0; i < 3; i++) {
        struct ws_client *client = connect_by_tls(server);

        if (i == 0) {
            SSL_CTX_set_session_cache_mode(
                settings, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
            SSL_CTX_sess_set_new_cb(settings, keep_session);
        }
        if (session != NULL)
            ck_assert_int_eq(SSL_set_session(tls_of(client), session), 1);
        ws_handshake(client, "echo");
        ck_assert_int_eq(SSL_session_reused(tls_of(client)), i > 0);
        ws_finish(client);
        ws_free(client);
        put(CERTIFICATE, "renewed.pem");
        put(KEY, "renewed.key");
        ck_assert_int_eq(reload_files(server).result, 0);
    }
    SSL_SESSION_free(session);
    server_stop(server);
}
END_TEST

static void trust(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)info;
    extras->client_ssl_ca_filepath = file(AUTHORITIES);
}

/* Clients believe whom they are told to by then. */
START_TEST(believes_the_new_authorities)
{
    struct server_options options = {.adjust = trust};
    const struct tls_files files = {.certificate = certificates_path("other-server.pem"),
        .key = certificates_path("other-server.key")};
    SSL_CTX *other = tls_server_settings(&files);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port, .ssl = 1, .host = "localhost"};
    struct server *loop;
    struct ws_client *peer;
    char *request;
    char *answer;

    put(AUTHORITIES, "root.pem");
    loop = client_start(&options);
    server->plain = true;
    for (size_t i = 0; i < 2; i++) {
        client_begin(loop, &client);
        peer = ws_accept(server);
        tls_carry_server(peer, other);
        ck_assert(!tls_handshake(peer));
        client_expect_error(loop, i, "certificate: unable to get local issuer");
        ws_free(peer);
        put(AUTHORITIES, "other-root.pem");
    }
    ck_assert_int_eq(reload_files(loop).result, 0);
    client_begin(loop, &client);
    peer = ws_accept(server);
    tls_carry_server(peer, other);
    request = ws_receive_request(peer);
    answer = ws_acceptance(request, NULL, NULL);
    ws_send_text(peer, answer);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(loop, peer);
    free(answer);
    free(request);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS), 2);
    SSL_CTX_free(other);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void free_settings(void)
{
    SSL_CTX_free(settings);
}

Suite *tls_reload_suite(void)
{
    Suite *suite = suite_create("tls reload");
    TCase *reloads = harness_case("reloads");

    tcase_add_unchecked_fixture(reloads, make_folder, remove_folder);
    tcase_add_checked_fixture(reloads, NULL, free_settings);
    tcase_add_test(reloads, shows_the_new_certificate);
    tcase_add_test(reloads, lets_a_handshake_end_as_it_began);
    tcase_add_loop_test(
        reloads, keeps_the_old_where_the_new_is_bad, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(reloads, tells_only_who_wants_to_know);
    tcase_add_test(reloads, has_nothing_to_read);
    tcase_add_test(reloads, reads_inside_callbacks);
    tcase_add_test(reloads, resumes_older_sessions);
    tcase_add_test(reloads, believes_the_new_authorities);
    suite_add_tcase(suite, reloads);
    return suite;
}
