#include "transport/tls_resume.h"

#include "transport/tls_verify.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { TICKET_KEYS_MOST = 256, STRICT = 'v', SELF_SIGNED = 's' };

/*
 * A resumed session is as good as the verification it began with, so that everything this depended
 * on is in its key: how strictly the certificate was looked at, and which name it had to have.
 */
static char *make_key(const char *name, bool allow_self_signed, const char *session_key)
{
    size_t size = strlen(name) + strlen(session_key) + 3;
    char *key = malloc(size);

    if (key)
        (void)snprintf(
            key, size, "%c%s\n%s", allow_self_signed ? SELF_SIGNED : STRICT, name, session_key);
    return key;
}

static bool has_expired(const SSL_SESSION *session)
{
    const X509 *certificate = SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session);

    return !certificate || X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0;
}

/* OpenSSL calls it for each session that can be resumed; under TLS 1.3 long after the handshake. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    const struct tls *tls = tls_of_ssl(ssl);

    return tls->session_key &&
           tls_session_cache_put(&tls->settings->sessions, tls->session_key, session);
}

void tls_resume_prepare(SSL_CTX *openssl)
{
    SSL_CTX_set_session_cache_mode(openssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(openssl, keep_session);
}

bool tls_resume(struct tls *tls, const char *name, bool allow_self_signed, const char *session_key)
{
    SSL_SESSION *session;
    bool good = true;

    if (!session_key)
        return true;
    tls->session_key = make_key(name, allow_self_signed, session_key);
    if (!tls->session_key)
        return false;
    session = tls_session_cache_take(&tls->settings->sessions, tls->session_key);
    if (session && SSL_SESSION_is_resumable(session) && !has_expired(session))
        good = SSL_set_session(tls->ssl, session) == 1;
    SSL_SESSION_free(session);
    return good;
}

static bool is_still_good(void *user, const char *key, SSL_SESSION *session)
{
    const struct tls_settings *next = user;

    return tls_verify_session(next->openssl, session, key[0] == SELF_SIGNED);
}

static bool move_ticket_keys(struct tls_settings *next, const struct tls_settings *previous)
{
    unsigned char keys[TICKET_KEYS_MOST];
    /* Without room for them it returns how long they are. */
    long length = SSL_CTX_get_tlsext_ticket_keys(previous->openssl, NULL, 0);
    bool moved;

    if (length <= 0 || length > TICKET_KEYS_MOST)
        return false;
    moved = SSL_CTX_get_tlsext_ticket_keys(previous->openssl, keys, length) == 1 &&
            SSL_CTX_set_tlsext_ticket_keys(next->openssl, keys, length) == 1;
    OPENSSL_cleanse(keys, sizeof(keys));
    return moved;
}

/*
 * To resume a session is not to verify again. A server that verifies its clients begins anew, so
 * that the authorities and the verifier it has now decide about each of them. A client's sessions
 * are moved where the server's certificates would be accepted under the new settings too; and none
 * where it shows a certificate of its own, because the server would go on to see the old one.
 */
bool tls_settings_inherit(struct tls_settings *next, struct tls_settings *previous)
{
    bool moved = true;

    if (next->server != previous->server)
        return false;
    ERR_clear_error();
    if (next->server) {
        if (!next->verifier && !previous->verifier)
            moved = move_ticket_keys(next, previous);
    } else if (!next->has_certificate && !previous->has_certificate) {
        tls_session_cache_move(&next->sessions, &previous->sessions, is_still_good, next);
    }
    ERR_clear_error();
    return moved;
}
