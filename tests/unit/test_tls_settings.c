/* Files for TLS that can be used, and what is said of those that cannot. */
#include "suites.h"

#include "tls_certificates.h"
#include "tls_pair.h"

#include <openssl/err.h>
#include <string.h>

static const struct files_row {
    const char *certificate, *key, *authorities, *ciphers, *password;
    bool client; /* on this side; a server otherwise */
    /* What is said; a word in angle brackets is a file's path. NULL: they can be used. */
    const char *words;
} files_rows[] = {
    {"server.pem", "server.key", NULL, NULL, NULL, false, NULL},
    {"server.pem", "server.key", "root.pem", "ECDHE+AESGCM", NULL, false, NULL},
    {"server.pem", "encrypted.key", NULL, NULL, TLS_KEY_PASSWORD, false, NULL},
    {"server.pem", "server.key", NULL, NULL, "needless", false, NULL},
    {NULL, NULL, NULL, NULL, NULL, true, NULL},
    {NULL, NULL, "root.pem", NULL, NULL, true, NULL},
    {"client.pem", "client.key", "root.pem", NULL, NULL, true, NULL},
    {NULL, NULL, NULL, NULL, NULL, false, "a private key needs a certificate"},
    {NULL, "server.key", NULL, NULL, NULL, false, "a private key needs a certificate"},
    {"server.pem", NULL, NULL, NULL, NULL, false, "a certificate needs a private key"},
    {"client.pem", NULL, NULL, NULL, NULL, true, "a certificate needs a private key"},
    {NULL, "client.key", NULL, NULL, NULL, true, "a private key needs a certificate"},
    {"missing", "server.key", NULL, NULL, NULL, false,
        "cannot use <missing> as certificate: no such file or directory"},
    {"empty.pem", "server.key", NULL, NULL, NULL, false,
        "cannot use <empty.pem> as certificate: no start line"},
    {"garbage.pem", "server.key", NULL, NULL, NULL, false,
        "cannot use <garbage.pem> as certificate: no start line"},
    {"torn.pem", "server.key", NULL, NULL, NULL, false,
        "cannot use <torn.pem> as certificate: bad end line"},
    {"server.key", "server.key", NULL, NULL, NULL, false,
        "cannot use <server.key> as certificate: no start line"},
    {"server.pem", "missing", NULL, NULL, NULL, false,
        "cannot use <missing> as private key: no such file or directory"},
    {"server.pem", "empty.pem", NULL, NULL, NULL, false,
        "cannot use <empty.pem> as private key: unsupported"},
    {"server.pem", "server.pem", NULL, NULL, NULL, false,
        "cannot use <server.pem> as private key: unsupported"},
    {"server.pem", "client.key", NULL, NULL, NULL, false,
        "cannot use <client.key> as private key: key values mismatch"},
    {"server.pem", "encrypted.key", NULL, NULL, NULL, false,
        "cannot use <encrypted.key> as private key: it is encrypted, and there is no password"},
    {"server.pem", "encrypted.key", NULL, NULL, "wrong", false,
        "cannot use <encrypted.key> as private key: bad decrypt"},
    {"server.pem", "server.key", "missing", NULL, NULL, false,
        "cannot use <missing> as authorities: no such file or directory"},
    {"server.pem", "server.key", "empty.pem", NULL, NULL, false,
        "cannot use <empty.pem> as authorities: no certificate or crl found"},
    {NULL, NULL, "garbage.pem", NULL, NULL, true,
        "cannot use <garbage.pem> as authorities: no certificate or crl found"},
    {NULL, NULL, "torn.pem", NULL, NULL, true,
        "cannot use <torn.pem> as authorities: bad end line"},
    {"server.pem", "server.key", NULL, "NONSENSE", NULL, false,
        "cannot use NONSENSE as cipher list: no cipher match"},
    {NULL, NULL, NULL, "", NULL, true, "cannot use  as cipher list: no cipher match"},
};

static const char *path_of(const char *name)
{
    return name ? tls_path(name) : NULL;
}

/* With the path in place of the word in angle brackets. */
static void complete(const char *words, char whole[TLS_WORDS_SIZE])
{
    const char *begin = strchr(words, '<'), *end = strchr(words, '>');
    char name[TLS_PATH_SIZE] = "";

    if (begin && end) {
        snprintf(name, sizeof name, "%.*s", (int)(end - begin - 1), begin + 1);
        snprintf(whole, TLS_WORDS_SIZE, "%.*s%s%s", (int)(begin - words), words, tls_path(name),
            end + 1);
    } else {
        snprintf(whole, TLS_WORDS_SIZE, "%s", words);
    }
}

static bool no_judge(void *user, X509_STORE_CTX *store, SSL *ssl, bool good)
{
    (void)user;
    (void)store;
    (void)ssl;
    return good;
}

START_TEST(each_file)
{
    const struct files_row *row = &files_rows[_i / 2];
    const struct tls_files files = {.certificate = path_of(row->certificate),
        .key = path_of(row->key),
        .authorities = path_of(row->authorities),
        .ciphers = row->ciphers,
        .password = row->password};
    char words[TLS_WORDS_SIZE], whole[TLS_WORDS_SIZE];
    struct tls_settings *settings;
    struct text error;

    /* No terminal is asked for a password, whatever there is to be read. */
    text_init(&error, words, sizeof words);
    if (row->client)
        settings = tls_settings_client(&files, &error);
    else
        settings = tls_settings_server(&files, _i % 2 ? no_judge : NULL, NULL, &error);
    if (row->words) {
        complete(row->words, whole);
        ck_assert_str_eq(words, whole);
        ck_assert_ptr_null(settings);
    } else {
        ck_assert_str_eq(words, "");
        ck_assert_ptr_nonnull(settings);
    }
    ck_assert_uint_eq(ERR_peek_error(), 0);
    tls_settings_release(settings);
}
END_TEST

START_TEST(words_that_do_not_fit)
{
    const struct tls_files files = {.authorities = tls_path("missing")};
    char words[10];
    struct text error;

    text_init(&error, words, sizeof words);
    ck_assert_ptr_null(tls_settings_client(&files, &error));
    ck_assert(error.overflow);
}
END_TEST

START_TEST(counted_references)
{
    struct tls_settings *settings = tls_client_of("root.pem");

    ck_assert_ptr_eq(tls_settings_hold(settings), settings);
    tls_settings_release(settings);
    ck_assert_ptr_nonnull(tls_settings_openssl(settings));
    tls_settings_release(settings);
    tls_settings_release(NULL);
}
END_TEST

/* The ciphers of TLS 1.2 that were asked for are those that are used. */
START_TEST(ciphers)
{
    static const char *const lists[] = {"ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256"};
    const struct tls_files files = {
        .certificate = tls_path("server.pem"), .key = tls_path("server.key"), .ciphers = lists[_i]};
    struct tls_settings *client = tls_client_of("root.pem");
    char words[TLS_WORDS_SIZE];
    struct tls_settings *server;
    struct text error;
    struct pair pair;

    text_init(&error, words, sizeof words);
    server = tls_settings_server(&files, NULL, NULL, &error);
    ck_assert_msg(server != NULL, "%s", words);
    tls_limit_version(client, TLS1_2_VERSION);
    pair_open(&pair, false, client, server);
    ck_assert_str_eq(SSL_get_cipher_name(end_ssl(&pair.client)), lists[_i]);
    pair_close(&pair);
}
END_TEST

/* Where it is told nothing else, a server wants keys that are forgotten afterwards. */
START_TEST(default_ciphers)
{
    struct tls_settings *server = tls_server_of("server.pem");
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(tls_settings_openssl(server));

    ck_assert_int_gt(sk_SSL_CIPHER_num(all), 3);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);

        ck_assert_int_ne(SSL_CIPHER_get_kx_nid(cipher), NID_kx_rsa);
        ck_assert_int_ne(SSL_CIPHER_get_auth_nid(cipher), NID_auth_null);
        ck_assert_int_ge(SSL_CIPHER_get_bits(cipher, NULL), 128);
    }
    tls_settings_release(server);
}
END_TEST

/* An encrypted key works once it is read. */
START_TEST(key_with_a_password)
{
    const struct tls_files files = {.certificate = tls_path("server.pem"),
        .key = tls_path("encrypted.key"),
        .password = TLS_KEY_PASSWORD};
    char words[TLS_WORDS_SIZE];
    struct tls_settings *server;
    struct text error;
    struct pair pair;

    text_init(&error, words, sizeof words);
    server = tls_settings_server(&files, NULL, NULL, &error);
    ck_assert_msg(server != NULL, "%s", words);
    pair_open(&pair, false, tls_client_of("root.pem"), server);
    pair_close(&pair);
}
END_TEST

Suite *tls_settings_suite(void)
{
    Suite *suite = suite_create("tls_settings");
    TCase *test = tcase_create("tls_settings");

    tcase_add_checked_fixture(test, cut_nothing, NULL);
    tcase_add_unchecked_fixture(test, tls_certificates_make, tls_certificates_remove);
    tcase_add_loop_test(test, each_file, 0, 2 * (int)(sizeof(files_rows) / sizeof(*files_rows)));
    tcase_add_test(test, words_that_do_not_fit);
    tcase_add_test(test, counted_references);
    tcase_add_loop_test(test, ciphers, 0, 3);
    tcase_add_test(test, default_ciphers);
    tcase_add_test(test, key_with_a_password);
    suite_add_tcase(suite, test);
    return suite;
}
