/* What went wrong in TLS, and the words for it. */
#ifndef LWSLOOP_TRANSPORT_TLS_ERROR_H
#define LWSLOOP_TRANSPORT_TLS_ERROR_H

#include "base/text.h"
#include "transport/tls_bio.h"

#include <openssl/ssl.h>

struct tls_failure {
    enum tls_failure_kind {
        TLS_FAILURE_NONE,
        TLS_FAILURE_HUNG_UP,
        TLS_FAILURE_SYSTEM,      /* detail: errno */
        TLS_FAILURE_CERTIFICATE, /* detail: X509_V_ERR_... */
        TLS_FAILURE_ALERT,       /* the peer's; detail: its description */
        TLS_FAILURE_REASON       /* detail: OpenSSL's error code */
    } kind;
    unsigned long detail;
};

/* Why a call on `ssl` has just failed, as SSL_get_error() names it. Empties OpenSSL's queue. */
struct tls_failure tls_failure_of(const SSL *ssl, int ssl_error, const struct tls_wire *wire);

/* Why a system call failed. */
struct tls_failure tls_failure_of_system(int error);

/* What errno is to be. */
int tls_failure_errno(const struct tls_failure *failure);

void tls_failure_explain(const struct tls_failure *failure, struct text *words);

/* Adds the reason of the oldest error in OpenSSL's queue, which it empties. */
void tls_error_explain(struct text *words);

#endif
