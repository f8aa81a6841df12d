#include "transport/tls_settings.h"

#include "transport/tls_authorities.h"
#include "transport/tls_resume.h"
#include "transport/tls_state.h"
#include "transport/tls_verify.h"

#include <stdlib.h>
#include <string.h>

/* The only protocol spoken here, as ALPN has it (RFC 7301): its length and its name. */
static const unsigned char http_1_1[] = "\x08http/1.1";
enum { HTTP_1_1_SIZE = sizeof(http_1_1) - 1 };

/* Of TLS 1.2, where nothing else is wanted: those alone that keep the past secret. */
static const char server_ciphers[] =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:!aNULL:!eNULL:!PSK";

/* The context is recognised by servers that share ticket keys, as those before and after a reload.
 */
static const unsigned char session_context[] = "lwsloop";

/* A client that offers protocols, but not this one, is told so (RFC 7301, 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
    const unsigned char *offered, unsigned int length, void *user)
{
    (void)ssl;
    (void)user;
    for (unsigned int i = 0; i < length; i += offered[i] + 1U) {
        if (length - i < HTTP_1_1_SIZE || memcmp(offered + i, http_1_1, HTTP_1_1_SIZE) != 0)
            continue;
        *chosen = offered + i + 1;
        *chosen_length = HTTP_1_1_SIZE - 1;
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The password of a key, and whether it was asked for. */
struct password {
    const char *text;
    bool asked;
};

/* In place of OpenSSL's own, which asks at the terminal. */
static int give_password(char *buffer, int size, int writing, void *user)
{
    struct password *password = user;
    size_t length;

    (void)writing;
    if (!password)
        return -1;
    password->asked = true;
    if (!password->text)
        return -1;
    length = strlen(password->text);
    if (size < 0 || length > (size_t)size)
        return -1;
    memcpy(buffer, password->text, length);
    return (int)length;
}

static bool cannot_use(struct text *error, const char *what, const char *as)
{
    text_add(error, "cannot use %s as %s: ", what, as);
    tls_error_explain(error);
    return false;
}

static bool use_key(SSL_CTX *openssl, const struct tls_files *files, struct text *error)
{
    struct password password = {files->password, false};
    bool good;

    SSL_CTX_set_default_passwd_cb_userdata(openssl, &password);
    good = SSL_CTX_use_PrivateKey_file(openssl, files->key, SSL_FILETYPE_PEM) == 1 &&
           SSL_CTX_check_private_key(openssl) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(openssl, NULL);
    if (!good && password.asked && !password.text) {
        text_add(error, "cannot use %s as private key: it is encrypted, and there is no password",
            files->key);
        ERR_clear_error();
        return false;
    }
    return good || cannot_use(error, files->key, "private key");
}

static bool use_certificate(
    struct tls_settings *settings, const struct tls_files *files, struct text *error)
{
    if (!files->certificate && !files->key && !settings->server)
        return true;
    if (!files->certificate) {
        text_add(error, "a private key needs a certificate");
        return false;
    }
    if (!files->key) {
        text_add(error, "a certificate needs a private key");
        return false;
    }
    if (SSL_CTX_use_certificate_chain_file(settings->openssl, files->certificate) != 1)
        return cannot_use(error, files->certificate, "certificate");
    settings->has_certificate = true;
    return use_key(settings->openssl, files, error);
}

static bool use_authorities(
    struct tls_settings *settings, const struct tls_files *files, struct text *error)
{
    STACK_OF(X509_NAME) * names;

    if (!files->authorities)
        return settings->server || tls_use_system_authorities(settings->openssl) ||
               cannot_use(error, "the system's certificates", "authorities");
    if (SSL_CTX_load_verify_file(settings->openssl, files->authorities) != 1)
        return cannot_use(error, files->authorities, "authorities");
    if (!settings->verifier)
        return true;
    names = SSL_load_client_CA_file(files->authorities);
    if (!names)
        return cannot_use(error, files->authorities, "authorities");
    SSL_CTX_set_client_CA_list(settings->openssl, names);
    return true;
}

static bool use_files(
    struct tls_settings *settings, const struct tls_files *files, struct text *error)
{
    const char *ciphers = files->ciphers;

    if (!ciphers && settings->server)
        ciphers = server_ciphers;
    if (ciphers && SSL_CTX_set_cipher_list(settings->openssl, ciphers) != 1)
        return cannot_use(error, ciphers, "cipher list");
    return use_certificate(settings, files, error) && use_authorities(settings, files, error);
}

static bool set_common(SSL_CTX *openssl)
{
    SSL_CTX_set_options(
        openssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                     SSL_OP_PRIORITIZE_CHACHA |
                     /* What is sent over it tells its own end, in frames or by a length. */
                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(openssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    /* So that a peer which sends messages of TLS's own without end gets a bounded turn. */
    SSL_CTX_clear_mode(openssl, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(openssl, 1);
    SSL_CTX_set_default_passwd_cb(openssl, give_password);
    return SSL_CTX_set_min_proto_version(openssl, TLS1_2_VERSION) == 1;
}

static bool set_server(struct tls_settings *settings)
{
    SSL_CTX *openssl = settings->openssl;

    SSL_CTX_set_alpn_select_cb(openssl, choose_protocol, NULL);
    /* Sessions are in the tickets that clients hold; none is kept here. */
    SSL_CTX_set_session_cache_mode(openssl, SSL_SESS_CACHE_OFF);
    if (settings->verifier)
        SSL_CTX_set_verify(
            openssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, tls_verify_by_program);
    return SSL_CTX_set_dh_auto(openssl, 1) == 1 &&
           SSL_CTX_set_session_id_context(openssl, session_context, sizeof(session_context) - 1) ==
               1;
}

static bool set_client(struct tls_settings *settings)
{
    SSL_CTX_set_verify(settings->openssl, SSL_VERIFY_PEER, NULL);
    tls_resume_prepare(settings->openssl);
    return SSL_CTX_set_alpn_protos(settings->openssl, http_1_1, HTTP_1_1_SIZE) == 0;
}

static struct tls_settings *new_settings(struct tls_settings model, const SSL_METHOD *method,
    const struct tls_files *files, struct text *error)
{
    struct tls_settings *settings = malloc(sizeof(*settings));

    ERR_clear_error();
    if (!settings) {
        text_add(error, "out of memory");
        return NULL;
    }
    *settings = model;
    settings->references = 1;
    tls_session_cache_init(&settings->sessions);
    settings->openssl = SSL_CTX_new(method);
    settings->bio = tls_bio_method();
    if (!settings->openssl || !settings->bio || !set_common(settings->openssl) ||
        !(settings->server ? set_server(settings) : set_client(settings))) {
        text_add(error, "cannot set up TLS: ");
        tls_error_explain(error);
    } else if (use_files(settings, files, error)) {
        ERR_clear_error();
        return settings;
    }
    tls_settings_release(settings);
    return NULL;
}

struct tls_settings *tls_settings_server(
    const struct tls_files *files, tls_verifier *verifier, void *user, struct text *error)
{
    const struct tls_settings model = {.server = true, .verifier = verifier, .user = user};

    return new_settings(model, TLS_server_method(), files, error);
}

struct tls_settings *tls_settings_client(const struct tls_files *files, struct text *error)
{
    const struct tls_settings model = {.server = false};

    return new_settings(model, TLS_client_method(), files, error);
}

SSL_CTX *tls_settings_openssl(struct tls_settings *settings)
{
    return settings->openssl;
}

struct tls_settings *tls_settings_hold(struct tls_settings *settings)
{
    settings->references++;
    return settings;
}

void tls_settings_release(struct tls_settings *settings)
{
    if (!settings || --settings->references > 0)
        return;
    tls_session_cache_clear(&settings->sessions);
    SSL_CTX_free(settings->openssl);
    BIO_meth_free(settings->bio);
    free(settings);
}
