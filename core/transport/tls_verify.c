#include "transport/tls_verify.h"

#include "transport/tls_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { NAME_SIZE = 256 };

static bool is_address(const char *name)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/*
 * As it stands in certificates: without the dot of a name that is complete, and without the zone of
 * an address. To OpenSSL an empty name would mean that any will do, and one with a dot in front
 * that any will that ends in it.
 */
static bool bare_name(const char *name, char bare[NAME_SIZE])
{
    size_t length = strlen(name);

    if (strchr(name, ':'))
        length = strcspn(name, "%");
    else if (length > 0 && name[length - 1] == '.')
        length--;
    if (length == 0 || length >= NAME_SIZE || name[0] == '.')
        return false;
    memcpy(bare, name, length);
    bare[length] = '\0';
    return true;
}

bool tls_verify_name(SSL *ssl, const char *name)
{
    char bare[NAME_SIZE];

    if (!bare_name(name, bare)) {
        errno = EINVAL;
        return false;
    }
    if (is_address(bare))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), bare) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, bare) == 1 && SSL_set_tlsext_host_name(ssl, bare) == 1;
}

int tls_verify_by_program(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct tls_settings *settings = tls_of_ssl(ssl)->settings;

    if (settings->verifier(settings->user, store, ssl, good == 1))
        return 1;
    if (X509_STORE_CTX_get_error(store) == X509_V_OK)
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

int tls_verify_self_signed(int good, X509_STORE_CTX *store)
{
    if (good == 1 || X509_STORE_CTX_get_error(store) != X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
        return good;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* The rest of the chain can only be had through a connection that has the session. */
static SSL *holder_of(SSL_CTX *openssl, SSL_SESSION *session)
{
    SSL *ssl = SSL_new(openssl);

    if (ssl && SSL_set_session(ssl, session) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

bool tls_verify_session(SSL_CTX *openssl, SSL_SESSION *session, bool allow_self_signed)
{
    X509_STORE_CTX *store = X509_STORE_CTX_new();
    SSL *holder = holder_of(openssl, session);
    X509 *certificate = SSL_SESSION_get0_peer(session);
    bool good = false;

    if (!store || !holder || !certificate ||
        X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(openssl), certificate,
            SSL_get_peer_cert_chain(holder)) != 1 ||
        X509_STORE_CTX_set_default(store, "ssl_server") != 1)
        goto done;
    X509_VERIFY_PARAM_set_auth_level(
        X509_STORE_CTX_get0_param(store), SSL_CTX_get_security_level(openssl));
    if (allow_self_signed)
        X509_STORE_CTX_set_verify_cb(store, tls_verify_self_signed);
    good = X509_verify_cert(store) == 1;
done:
    SSL_free(holder);
    X509_STORE_CTX_free(store);
    ERR_clear_error();
    return good;
}
