/* Programs that use OpenSSL while they are asked about a client's certificate. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdatomic.h>

#include "../support/certificates.h"
#include "../support/tls_stream.h"
#include "harness.h"
#include "suites.h"

static atomic_int verifications;

/* Leaves an error in OpenSSL's queue, as those do who read one certificate after the other until
 * there is none. */
static int look_for_more(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    BIO *empty;

    (void)context, (void)wsi, (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION)
        return 0;
    empty = BIO_new_mem_buf("", 0);
    ck_assert_ptr_nonnull(empty);
    ck_assert_ptr_null(PEM_read_bio_X509(empty, NULL, NULL, NULL));
    ck_assert_uint_ne(ERR_peek_error(), 0);
    BIO_free(empty);
    atomic_fetch_add(&verifications, 1);
    return 0;
}

static void ask_for_certificates(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->options |= LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT;
    info->ssl_cert_filepath = certificates_path("server.pem");
    info->ssl_private_key_filepath = certificates_path("server.key");
    info->ssl_ca_filepath = certificates_path("root.pem");
}

static bool has_verified(struct server *server, void *argument)
{
    (void)server, (void)argument;
    return atomic_load(&verifications) > 0;
}

/* A client whose flights are sent by hand. */
struct talker {
    struct ws_client *client;
    SSL *ssl;
    BIO *in;
    BIO *out;
};

static void talker_begin(struct talker *talker, int port, int version)
{
    const struct tls_files files = {.authorities = certificates_path("root.pem"),
        .certificate = certificates_path("client.pem"),
        .key = certificates_path("client.key")};
    SSL_CTX *settings = tls_client_settings(&files);

    ck_assert_int_eq(SSL_CTX_set_min_proto_version(settings, version), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(settings, version), 1);
    talker->client = ws_connect(port);
    talker->in = BIO_new(BIO_s_mem());
    talker->out = BIO_new(BIO_s_mem());
    talker->ssl = SSL_new(settings);
    ck_assert(talker->in != NULL && talker->out != NULL && talker->ssl != NULL);
    SSL_set_bio(talker->ssl, talker->in, talker->out);
    SSL_set_connect_state(talker->ssl);
    SSL_CTX_free(settings);
}

/* Sends what there is to say, but for so many bytes. */
static void talker_say(struct talker *talker, size_t kept)
{
    unsigned char bytes[16384];
    size_t length = BIO_ctrl_pending(talker->out);

    ck_assert_uint_gt(length, kept);
    length -= kept;
    ck_assert_uint_le(length, sizeof bytes);
    ck_assert_int_eq(BIO_read(talker->out, bytes, (int)length), (int)length);
    ws_send(talker->client, bytes, length);
}

static void talker_listen(struct talker *talker)
{
    unsigned char bytes[16384];
    ssize_t length = ws_receive_some(talker->client, bytes, sizeof bytes, WS_PATIENCE_MS);

    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(BIO_write(talker->in, bytes, (int)length), (int)length);
    (void)SSL_do_handshake(talker->ssl);
}

/* It is none of the handshake's, which waits for the rest of the client's flight. */
START_TEST(leaves_an_error_behind)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct libwebsocket_protocols protocols[] = {
        {.name = "http", .callback = look_for_more}, {.name = NULL}};
    struct server_options options = {
        .protocols = protocols, .adjust = ask_for_certificates, .plain = true};
    struct server *server = server_start(&options);
    struct talker talker;

    talker_begin(&talker, server_port(server), versions[_i]);
    ck_assert_int_eq(SSL_do_handshake(talker.ssl), -1);
    talker_say(&talker, 0);
    while (BIO_ctrl_pending(talker.out) == 0)
        talker_listen(&talker);
    talker_say(&talker, 5);
    server_wait_until(server, has_verified, NULL);
    talker_say(&talker, 0);
    while (!SSL_is_init_finished(talker.ssl))
        talker_listen(&talker);
    ck_assert_int_gt(SSL_write(talker.ssl, request, sizeof request - 1), 0);
    talker_say(&talker, 0);
    server_wait(server, LWS_CALLBACK_HTTP, 1);
    SSL_free(talker.ssl);
    ws_free(talker.client);
    server_stop(server);
}
END_TEST

Suite *tls_program_suite(void)
{
    Suite *suite = suite_create("tls program");
    TCase *errors = harness_case("errors");

    tcase_add_loop_test(errors, leaves_an_error_behind, 0, 2);
    suite_add_tcase(suite, errors);
    return suite;
}
