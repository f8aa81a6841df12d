/*
 * What many TLS connections share: certificates, keys, authorities, ciphers, and the sessions that
 * can be resumed. Counted references, so that connections outlive a change of the files.
 */
#ifndef LWSLOOP_TRANSPORT_TLS_SETTINGS_H
#define LWSLOOP_TRANSPORT_TLS_SETTINGS_H

#include "base/text.h"

#include <openssl/ssl.h>
#include <stdbool.h>

/* Paths; each may be NULL. */
struct tls_files {
    const char *certificate; /* and those between it and the root */
    const char *key;
    const char *authorities; /* the peer's certificate must come from; NULL: a client uses the
                                system's, a server has none */
    const char *ciphers;     /* not a path: of TLS 1.2, in OpenSSL's notation */
    const char *password;    /* nor this: of the key */
};

/*
 * Asked about each certificate of a client's chain: returns whether it is accepted. It has
 * OpenSSL's verdict in `good`, and may look at and set the error in `store`.
 */
typedef bool(tls_verifier)(void *user, X509_STORE_CTX *store, SSL *ssl, bool good);

struct tls_settings;

/*
 * For connections that are accepted. With a verifier, a client must have a certificate that it and
 * OpenSSL accept. NULL, and `error` names the file and OpenSSL's reason, where a file cannot be
 * used.
 */
struct tls_settings *tls_settings_server(
    const struct tls_files *files, tls_verifier *verifier, void *user, struct text *error);

/* For connections that are opened. Returns as tls_settings_server. */
struct tls_settings *tls_settings_client(const struct tls_files *files, struct text *error);

/* New connections with `next` can resume sessions of `previous`; both are of the same kind. */
bool tls_settings_inherit(struct tls_settings *next, struct tls_settings *previous);

/* For the program, to add authorities. */
SSL_CTX *tls_settings_openssl(struct tls_settings *settings);

/* Settings come with one reference. NULL is harmless for release. */
struct tls_settings *tls_settings_hold(struct tls_settings *settings);
void tls_settings_release(struct tls_settings *settings);

#endif
