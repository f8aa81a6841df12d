#include "harness_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct entry {
    struct entry *next;
    struct server_record record;
};

struct log {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct entry *first;
    struct entry **end;
};

struct log *log_new(void)
{
    struct log *log = calloc(1, sizeof *log);
    pthread_condattr_t attributes;

    ck_assert_ptr_nonnull(log);
    ck_assert_int_eq(pthread_mutex_init(&log->mutex, NULL), 0);
    ck_assert_int_eq(pthread_condattr_init(&attributes), 0);
    ck_assert_int_eq(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), 0);
    ck_assert_int_eq(pthread_cond_init(&log->changed, &attributes), 0);
    pthread_condattr_destroy(&attributes);
    log->end = &log->first;
    return log;
}

void log_free(struct log *log)
{
    while (log->first != NULL) {
        struct entry *next = log->first->next;

        free(log->first->record.bytes);
        free(log->first);
        log->first = next;
    }
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

void log_append(struct log *log, const struct server_record *record)
{
    struct entry *entry = calloc(1, sizeof *entry);

    ck_assert_ptr_nonnull(entry);
    entry->record = *record;
    pthread_mutex_lock(&log->mutex);
    *log->end = entry;
    log->end = &entry->next;
    pthread_cond_broadcast(&log->changed);
    pthread_mutex_unlock(&log->mutex);
}

/* With the mutex held. */
static const struct server_record *find(
    struct log *log, enum libwebsocket_callback_reasons reason, size_t n, size_t *count)
{
    *count = 0;
    for (struct entry *entry = log->first; entry != NULL; entry = entry->next) {
        if (entry->record.reason == reason && (*count)++ == n)
            return &entry->record;
    }
    return NULL;
}

size_t log_count(struct log *log, enum libwebsocket_callback_reasons reason)
{
    size_t count;

    pthread_mutex_lock(&log->mutex);
    find(log, reason, SIZE_MAX, &count);
    pthread_mutex_unlock(&log->mutex);
    return count;
}

const struct server_record *log_wait(
    struct log *log, enum libwebsocket_callback_reasons reason, size_t n)
{
    const struct server_record *record;
    struct timespec deadline;
    size_t count;

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &deadline), 0);
    deadline.tv_sec += SERVER_PATIENCE_MS / 1000;
    pthread_mutex_lock(&log->mutex);
    while ((record = find(log, reason, n, &count)) == NULL) {
        if (pthread_cond_timedwait(&log->changed, &log->mutex, &deadline) == ETIMEDOUT)
            break;
    }
    pthread_mutex_unlock(&log->mutex);
    return record;
}

const struct server_record *log_nth(struct log *log, size_t n)
{
    struct entry *entry;

    pthread_mutex_lock(&log->mutex);
    entry = log->first;
    while (entry != NULL && n-- > 0)
        entry = entry->next;
    pthread_mutex_unlock(&log->mutex);
    return entry == NULL ? NULL : &entry->record;
}
