#include "transport/tls_session_cache.h"

#include <stdlib.h>
#include <string.h>

struct cached_session {
    struct list_node node;
    SSL_SESSION *session;
    char key[];
};

void tls_session_cache_init(struct tls_session_cache *cache)
{
    list_init(&cache->sessions);
    cache->count = 0;
}

static void drop(struct tls_session_cache *cache, struct cached_session *cached)
{
    list_remove(&cached->node);
    cache->count--;
    SSL_SESSION_free(cached->session);
    free(cached);
}

static struct cached_session *oldest(struct tls_session_cache *cache)
{
    return list_entry(cache->sessions.next, struct cached_session, node);
}

void tls_session_cache_clear(struct tls_session_cache *cache)
{
    while (!list_empty(&cache->sessions))
        drop(cache, oldest(cache));
}

static struct cached_session *find(struct tls_session_cache *cache, const char *key)
{
    for (struct list_node *node = cache->sessions.next; node != &cache->sessions;
         node = node->next) {
        struct cached_session *cached = list_entry(node, struct cached_session, node);

        if (strcmp(cached->key, key) == 0)
            return cached;
    }
    return NULL;
}

static void append(struct tls_session_cache *cache, struct cached_session *cached)
{
    struct cached_session *same = find(cache, cached->key);

    if (same)
        drop(cache, same);
    else if (cache->count == TLS_SESSIONS_MOST)
        drop(cache, oldest(cache));
    list_append(&cache->sessions, &cached->node);
    cache->count++;
}

bool tls_session_cache_put(struct tls_session_cache *cache, const char *key, SSL_SESSION *session)
{
    size_t size = strlen(key) + 1;
    struct cached_session *cached = malloc(sizeof(*cached) + size);

    if (!cached)
        return false;
    cached->session = session;
    memcpy(cached->key, key, size);
    append(cache, cached);
    return true;
}

SSL_SESSION *tls_session_cache_take(struct tls_session_cache *cache, const char *key)
{
    struct cached_session *cached = find(cache, key);
    SSL_SESSION *session;

    if (!cached)
        return NULL;
    session = cached->session;
    if (SSL_SESSION_up_ref(session) != 1)
        return NULL;
    if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) {
        drop(cache, cached);
    } else {
        list_remove(&cached->node);
        list_append(&cache->sessions, &cached->node);
    }
    return session;
}

void tls_session_cache_move(struct tls_session_cache *to, struct tls_session_cache *from,
    bool (*keep)(void *user, const char *key, SSL_SESSION *session), void *user)
{
    while (!list_empty(&from->sessions)) {
        struct cached_session *cached = oldest(from);

        if (!keep(user, cached->key, cached->session)) {
            drop(from, cached);
            continue;
        }
        list_remove(&cached->node);
        from->count--;
        append(to, cached);
    }
}
