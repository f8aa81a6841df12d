/* The sessions that a client can resume, one for each key; the least recently used makes room. */
#ifndef LWSLOOP_TRANSPORT_TLS_SESSION_CACHE_H
#define LWSLOOP_TRANSPORT_TLS_SESSION_CACHE_H

#include "base/list.h"

#include <openssl/ssl.h>
#include <stdbool.h>

enum { TLS_SESSIONS_MOST = 64 };

struct tls_session_cache {
    struct list_node sessions; /* the most recently used is the last */
    unsigned int count;
};

void tls_session_cache_init(struct tls_session_cache *cache);
void tls_session_cache_clear(struct tls_session_cache *cache);

/* In place of one that was there. The reference belongs to the cache now; false, and it does not,
 * where memory is short. */
bool tls_session_cache_put(struct tls_session_cache *cache, const char *key, SSL_SESSION *session);

/*
 * Returns a reference, or NULL. A session of TLS 1.3 is given away but once, so that connections
 * cannot be linked by it (RFC 8446, C.4).
 */
SSL_SESSION *tls_session_cache_take(struct tls_session_cache *cache, const char *key);

/* Moves to `to` those that `keep` approves of, and drops the others. */
void tls_session_cache_move(struct tls_session_cache *to, struct tls_session_cache *from,
    bool (*keep)(void *user, const char *key, SSL_SESSION *session), void *user);

#endif
