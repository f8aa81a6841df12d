/* What the parts of TLS know of each other; nothing outside of them includes this. */
#ifndef LWSLOOP_TRANSPORT_TLS_STATE_H
#define LWSLOOP_TRANSPORT_TLS_STATE_H

#include "base/list.h"
#include "transport/tls_bio.h"
#include "transport/tls_error.h"
#include "transport/tls_session_cache.h"
#include "transport/tls_settings.h"
#include "transport/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_settings {
    unsigned int references;
    bool server;
    bool has_certificate;
    SSL_CTX *openssl;
    BIO_METHOD *bio;
    tls_verifier *verifier;
    void *user;
    struct tls_session_cache sessions;
};

struct tls {
    /*
     * The transport's operations are this copy of them, which is how the rest is found: so a plain
     * connection has no member for what only TLS needs.
     */
    struct transport_operations operations;
    struct tls_settings *settings;
    SSL *ssl;
    struct tls_wire wire;
    struct tls_failure failure; /* the last one */
    char *session_key;          /* NULL: nothing can be resumed */
    size_t offered;             /* bytes that were encrypted, are held and not yet accepted */
    bool offered_by_file;       /* they are a file's */
    bool allow_plain;
    bool started;
    bool said_farewell;
    bool finished;         /* nothing is to be said any more */
    bool broken;           /* OpenSSL cannot go on */
    bool receiving_failed; /* and does so again */
};

static inline struct tls *tls_of(const struct transport *transport)
{
    return (struct tls *)(uintptr_t)transport->operations;
}

/* Not through OpenSSL's slot for the application's data, which is left to the program. */
static inline struct tls *tls_of_ssl(const SSL *ssl)
{
    return list_entry(BIO_get_data(SSL_get_rbio(ssl)), struct tls, wire);
}

/* Before each call of OpenSSL: the thread's error queue may hold what is the program's own. */
static inline void tls_begin(struct tls *tls)
{
    ERR_clear_error();
    tls_wire_begin(&tls->wire);
}

/* What a call of OpenSSL that returned 0 or less means. AGAIN: there is not enough to be read. */
enum transport_result tls_outcome(struct tls *tls, int returned);

/* Sends what is held. DONE, AGAIN or FAILED. */
enum transport_result tls_flush(struct tls *tls);

/* Returns FAILED and sets errno for the failure that is noted. */
enum transport_result tls_failed(const struct tls *tls);

enum transport_result tls_receive(
    struct transport *transport, void *bytes, size_t size, size_t *moved);
enum transport_result tls_send(
    struct transport *transport, const struct iovec *pieces, int count, size_t *moved);
enum transport_result tls_send_file(
    struct transport *transport, int file, off_t *offset, size_t count, size_t *moved);

#endif
