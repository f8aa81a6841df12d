#include "transport/tls_error.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

static void add_reason(struct text *words, unsigned long code)
{
    const char *reason = ERR_reason_error_string(code);

    if (ERR_SYSTEM_ERROR(code))
        text_add_phrase(words, strerror(ERR_GET_REASON(code)));
    else if (reason)
        text_add_phrase(words, reason);
    else
        text_add(words, "error %lx", code);
}

static struct tls_failure failure_of_code(const SSL *ssl, unsigned long code)
{
    int reason = ERR_GET_REASON(code);

    if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
        if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
            return (struct tls_failure){
                TLS_FAILURE_CERTIFICATE, (unsigned long)SSL_get_verify_result(ssl)};
        if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + UCHAR_MAX)
            return (struct tls_failure){
                TLS_FAILURE_ALERT, (unsigned long)(reason - SSL_AD_REASON_OFFSET)};
    }
    return (struct tls_failure){TLS_FAILURE_REASON, code};
}

/* Below what TLS itself says may lie what a cipher said to it. */
static unsigned long take_code(void)
{
    unsigned long first = ERR_peek_error();
    unsigned long code;

    while ((code = ERR_get_error()))
        if (ERR_GET_LIB(code) == ERR_LIB_SSL)
            break;
    ERR_clear_error();
    return code ? code : first;
}

struct tls_failure tls_failure_of(const SSL *ssl, int ssl_error, const struct tls_wire *wire)
{
    struct tls_failure failure = {TLS_FAILURE_HUNG_UP, 0};
    unsigned long code = take_code();

    if (ssl_error == SSL_ERROR_SSL && code)
        failure = failure_of_code(ssl, code);
    else if (wire->error)
        failure = tls_failure_of_system(wire->error);
    return failure;
}

struct tls_failure tls_failure_of_system(int error)
{
    if (error == EPIPE || error == ECONNRESET)
        return (struct tls_failure){TLS_FAILURE_HUNG_UP, 0};
    return (struct tls_failure){TLS_FAILURE_SYSTEM, (unsigned long)error};
}

int tls_failure_errno(const struct tls_failure *failure)
{
    switch (failure->kind) {
    case TLS_FAILURE_HUNG_UP:
        return ECONNRESET;
    case TLS_FAILURE_SYSTEM:
        return (int)failure->detail;
    case TLS_FAILURE_REASON:
        return ERR_GET_REASON(failure->detail) == ERR_R_MALLOC_FAILURE ? ENOMEM : EPROTO;
    case TLS_FAILURE_NONE:
    case TLS_FAILURE_CERTIFICATE:
    case TLS_FAILURE_ALERT:
        break;
    }
    return EPROTO;
}

/* OpenSSL has no words for the newest. */
static const char *alert_text(int alert)
{
    switch (alert) {
    case SSL_AD_MISSING_EXTENSION:
        return "missing extension";
    case SSL_AD_CERTIFICATE_REQUIRED:
        return "certificate required";
    default:
        return SSL_alert_desc_string_long(alert);
    }
}

void tls_failure_explain(const struct tls_failure *failure, struct text *words)
{
    switch (failure->kind) {
    case TLS_FAILURE_NONE:
        text_add(words, "TLS: no failure");
        break;
    case TLS_FAILURE_HUNG_UP:
        text_add(words, "TLS: the peer hung up");
        break;
    case TLS_FAILURE_SYSTEM:
        text_add(words, "TLS: ");
        text_add_phrase(words, strerror((int)failure->detail));
        break;
    case TLS_FAILURE_CERTIFICATE:
        text_add(words, "certificate: ");
        text_add_phrase(words, X509_verify_cert_error_string((long)failure->detail));
        break;
    case TLS_FAILURE_ALERT:
        text_add(words, "TLS: the peer's alert: ");
        text_add_phrase(words, alert_text((int)failure->detail));
        break;
    case TLS_FAILURE_REASON:
        text_add(words, "TLS: ");
        add_reason(words, failure->detail);
        break;
    }
}

void tls_error_explain(struct text *words)
{
    unsigned long code = ERR_peek_error();

    if (code)
        add_reason(words, code);
    else
        text_add(words, "out of memory");
    ERR_clear_error();
}
