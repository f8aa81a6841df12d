/* Whom a certificate has to be for, and what of it is forgiven. */
#ifndef LWSLOOP_TRANSPORT_TLS_VERIFY_H
#define LWSLOOP_TRANSPORT_TLS_VERIFY_H

#include <openssl/ssl.h>
#include <stdbool.h>

/*
 * The peer's certificate has to be for this host name or numeric address; a name is told to the
 * peer. False where it can be neither, or memory is short.
 */
bool tls_verify_name(SSL *ssl, const char *name);

/* Verify callbacks of OpenSSL: the program's verifier decides; a self-signed one is accepted. */
int tls_verify_by_program(int good, X509_STORE_CTX *store);
int tls_verify_self_signed(int good, X509_STORE_CTX *store);

/* Whether the certificates of a server's session are still good under these settings. */
bool tls_verify_session(SSL_CTX *openssl, SSL_SESSION *session, bool allow_self_signed);

#endif
