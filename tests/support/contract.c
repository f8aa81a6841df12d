/* The contract checker's memory: calls in progress, contexts, connections, descriptors. */
#include "contract_state.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS 16384u
#define NOTES 60u

struct note {
    const char *what;
    const char *name;
    const void *wsi;
    int fd;
    long value;
};

struct descriptor contract_descriptors[CONTRACT_DESCRIPTORS];
contract_observer *contract_the_observer;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct context_record contexts[CONTRACT_CONTEXTS];
static struct connection_record *buckets[BUCKETS];
static struct attachment *attachments;
static struct note notes[NOTES];
static unsigned long note_count;
static uint64_t call_count;
static uint64_t connection_count;
static int highest_descriptor;
static atomic_long longest_service;

static __thread struct call calls[CONTRACT_CALLS];
static __thread unsigned int call_depth;

void contract_lock(void)
{
    if (pthread_mutex_lock(&mutex) != 0)
        abort();
}

void contract_unlock(void)
{
    if (pthread_mutex_unlock(&mutex) != 0)
        abort();
}

void contract_trouble(const char *format, ...)
{
    unsigned long first = note_count > NOTES ? note_count - NOTES : 0;
    va_list arguments;

    fputs("contract broken: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n  the latest events:\n", stderr);
    for (unsigned long i = first; i < note_count; i++) {
        const struct note *note = &notes[i % NOTES];

        fprintf(stderr, "    %s %s wsi %p fd %d (%ld)\n", note->what, note->name, note->wsi,
            note->fd, note->value);
    }
    for (unsigned int i = 0; i < call_depth; i++)
        fprintf(stderr, "  in %s\n", calls[i].name);
    abort();
}

void contract_note(const char *what, const char *name, const void *wsi, int fd, long value)
{
    notes[note_count % NOTES] = (struct note){what, name, wsi, fd, value};
    note_count++;
}

const char *contract_reason_name(enum libwebsocket_callback_reasons reason)
{
    static const struct {
        enum libwebsocket_callback_reasons reason;
        const char *name;
    } names[] = {
        {LWS_CALLBACK_ESTABLISHED, "ESTABLISHED"},
        {LWS_CALLBACK_CLOSED, "CLOSED"},
        {LWS_CALLBACK_CLOSED_HTTP, "CLOSED_HTTP"},
        {LWS_CALLBACK_RECEIVE, "RECEIVE"},
        {LWS_CALLBACK_SERVER_WRITEABLE, "SERVER_WRITEABLE"},
        {LWS_CALLBACK_HTTP, "HTTP"},
        {LWS_CALLBACK_HTTP_FILE_COMPLETION, "HTTP_FILE_COMPLETION"},
        {LWS_CALLBACK_HTTP_WRITEABLE, "HTTP_WRITEABLE"},
        {LWS_CALLBACK_FILTER_NETWORK_CONNECTION, "FILTER_NETWORK_CONNECTION"},
        {LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION, "FILTER_PROTOCOL_CONNECTION"},
        {LWS_CALLBACK_PROTOCOL_INIT, "PROTOCOL_INIT"},
        {LWS_CALLBACK_PROTOCOL_DESTROY, "PROTOCOL_DESTROY"},
        {LWS_CALLBACK_ADD_POLL_FD, "ADD_POLL_FD"},
        {LWS_CALLBACK_DEL_POLL_FD, "DEL_POLL_FD"},
        {LWS_CALLBACK_SET_MODE_POLL_FD, "SET_MODE_POLL_FD"},
        {LWS_CALLBACK_CLEAR_MODE_POLL_FD, "CLEAR_MODE_POLL_FD"},
        {LWS_CALLBACK_POLL_DETACHED, "POLL_DETACHED"},
        {LWS_CALLBACK_POLL_FORKED, "POLL_FORKED"},
        {LWS_CALLBACK_BROADCAST, "BROADCAST"},
        {LWS_CALLBACK_CLIENT_CONNECTION_ERROR, "CLIENT_CONNECTION_ERROR"},
        {LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH, "CLIENT_FILTER_PRE_ESTABLISH"},
        {LWS_CALLBACK_CLIENT_ESTABLISHED, "CLIENT_ESTABLISHED"},
        {LWS_CALLBACK_CLIENT_RECEIVE, "CLIENT_RECEIVE"},
        {LWS_CALLBACK_CLIENT_RECEIVE_PONG, "CLIENT_RECEIVE_PONG"},
        {LWS_CALLBACK_CLIENT_WRITEABLE, "CLIENT_WRITEABLE"},
        {LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, "CLIENT_APPEND_HANDSHAKE_HEADER"},
        {LWS_CALLBACK_CONFIRM_EXTENSION_OKAY, "CONFIRM_EXTENSION_OKAY"},
        {LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED, "CLIENT_CONFIRM_EXTENSION_SUPPORTED"},
        {LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS, "LOAD_EXTRA_CLIENT_VERIFY_CERTS"},
        {LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS, "LOAD_EXTRA_SERVER_VERIFY_CERTS"},
        {LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION, "CLIENT_CERT_VERIFICATION"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].reason == reason)
            return names[i].name;
    }
    return "(a reason that is never delivered)";
}

/* A child finds the checker as its parent's threads left it between two looks. */
__attribute__((constructor)) static void watch_forks(void)
{
    if (pthread_atfork(contract_lock, contract_unlock, contract_unlock) != 0)
        abort();
}

void *contract_next(const char *link_name)
{
    void *function = dlsym(RTLD_NEXT, link_name);

    if (function == NULL) {
        fprintf(stderr, "contract: the library has no %s\n", link_name);
        abort();
    }
    return function;
}

struct call *contract_innermost(void)
{
    return call_depth == 0 ? NULL : &calls[call_depth - 1];
}

struct call *contract_nearest(enum call_kind kind)
{
    for (unsigned int i = call_depth; i > 0; i--) {
        if (calls[i - 1].kind == kind)
            return &calls[i - 1];
    }
    return NULL;
}

bool contract_inside_engine(void)
{
    const struct call *call = contract_innermost();

    return call != NULL && call->kind <= CALL_OTHER;
}

struct context_record *contract_creating(void)
{
    struct call *call = contract_nearest(CALL_CREATE);

    return call == NULL ? NULL : call->record;
}

struct call *contract_enter(enum call_kind kind, const char *name, struct context_record *record)
{
    struct call *call;

    if (call_depth == CONTRACT_CALLS)
        contract_trouble("%u calls and callbacks are nested", call_depth);
    if (kind <= CALL_OTHER) {
        const struct call *outer = contract_innermost();

        if (outer != NULL && outer->kind == CALL_POLL_FD)
            contract_trouble("%s was called inside %s", name, outer->name);
    }

    call = &calls[call_depth++];
    memset(call, 0, sizeof *call);
    call->kind = kind;
    call->name = name;
    call->record = record;
    call->number = ++call_count;
    if (kind <= CALL_OTHER && record != NULL && record->depth++ == 0)
        record->outermost = call->number;
    return call;
}

void contract_leave(struct call *call)
{
    struct context_record *record = call->record;

    if (call != contract_innermost())
        contract_trouble("%s returned, but it was not the innermost call", call->name);
    call_depth--;
    if (call->kind > CALL_OTHER || record == NULL || --record->depth > 0)
        return;
    if (record->destroy_asked)
        contract_context_ended(record);
}

struct context_record *contract_new_context(void)
{
    for (size_t i = 0; i < CONTRACT_CONTEXTS; i++) {
        if (!contexts[i].used) {
            memset(&contexts[i], 0, sizeof contexts[i]);
            contexts[i].used = true;
            contexts[i].thread = pthread_self();
            contexts[i].process = getpid();
            return &contexts[i];
        }
    }
    contract_trouble("more than %d contexts", CONTRACT_CONTEXTS);
}

struct context_record *contract_find_context(struct libwebsocket_context *context)
{
    if (context == NULL)
        return NULL;
    for (size_t i = 0; i < CONTRACT_CONTEXTS; i++) {
        if (contexts[i].used && contexts[i].context == context)
            return &contexts[i];
    }
    return NULL;
}

struct descriptor *contract_descriptor(int fd)
{
    if (fd < 0 || fd >= CONTRACT_DESCRIPTORS)
        contract_trouble("%d was given as a descriptor", fd);
    if (fd > highest_descriptor)
        highest_descriptor = fd;
    return &contract_descriptors[fd];
}

static unsigned int bucket_of(const struct libwebsocket *wsi)
{
    return (unsigned int)(((uintptr_t)wsi >> 4) * 2654435761u) % BUCKETS;
}

struct connection_record *contract_find_connection(const struct libwebsocket *wsi)
{
    struct connection_record *connection = buckets[bucket_of(wsi)];

    while (connection != NULL && connection->wsi != wsi)
        connection = connection->next;
    return connection;
}

struct connection_record *contract_connection(
    struct context_record *record, struct libwebsocket *wsi)
{
    struct connection_record *connection = contract_find_connection(wsi);
    struct connection_record **bucket = &buckets[bucket_of(wsi)];

    if (connection != NULL) {
        if (connection->owner != record)
            contract_trouble("wsi %p belongs to two contexts", (void *)wsi);
        return connection;
    }
    connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        abort();
    connection->wsi = wsi;
    connection->owner = record;
    connection->number = ++connection_count;
    connection->fd = -1;
    connection->next = *bucket;
    *bucket = connection;
    return connection;
}

void contract_set_descriptor(struct connection_record *connection, int fd)
{
    if (connection->fd >= 0 && contract_descriptors[connection->fd].connection == connection)
        contract_descriptors[connection->fd].connection = NULL;
    connection->fd = fd;
    if (fd >= 0)
        contract_descriptor(fd)->connection = connection;
}

void contract_forget_connection(struct connection_record *connection)
{
    struct connection_record **place = &buckets[bucket_of(connection->wsi)];

    while (*place != connection)
        place = &(*place)->next;
    *place = connection->next;
    contract_set_descriptor(connection, -1);
    free(connection);
}

void contract_each_connection(
    struct context_record *record, void (*function)(struct connection_record *, int), int value)
{
    for (unsigned int i = 0; i < BUCKETS; i++) {
        struct connection_record *connection = buckets[i];

        while (connection != NULL) {
            struct connection_record *next = connection->next;

            if (connection->owner == record)
                function(connection, value);
            connection = next;
        }
    }
}

struct attachment *contract_new_attachment(void)
{
    struct attachment *attachment = calloc(1, sizeof *attachment);

    if (attachment == NULL)
        abort();
    attachment->next = attachments;
    attachments = attachment;
    return attachment;
}

bool contract_is_copy(const struct context_record *record)
{
    return record->process != getpid();
}

void contract_forget_watches(struct context_record *record)
{
    for (int fd = 0; fd <= highest_descriptor; fd++) {
        if (contract_descriptors[fd].owner == record)
            memset(contract_descriptors[fd].channel, 0, sizeof contract_descriptors[fd].channel);
    }
    if (record->attachment != NULL)
        record->attachment->live = 0;
}

static void expect_ended(struct connection_record *connection, int value)
{
    (void)value;
    if (connection->established && !connection->closed)
        contract_trouble("wsi %p was established and never CLOSED", (void *)connection->wsi);
    if (connection->http && !connection->http_closed)
        contract_trouble("wsi %p had HTTP and never CLOSED_HTTP", (void *)connection->wsi);
    if (connection->client && !connection->established && !connection->failed)
        contract_trouble(
            "client %p was neither established nor told of an error", (void *)connection->wsi);
    contract_forget_connection(connection);
}

static void forget(struct connection_record *connection, int value)
{
    (void)value;
    contract_forget_connection(connection);
}

/* One that was never used in this process: nothing more has been said about it. */
static void copy_ended(struct context_record *record)
{
    contract_forget_watches(record);
    contract_each_connection(record, forget, 0);
    for (int fd = 0; fd <= highest_descriptor; fd++) {
        if (contract_descriptors[fd].owner == record)
            contract_descriptors[fd] = (struct descriptor){.owner = NULL};
    }
    record->used = false;
    record->context = NULL;
}

void contract_context_ended(struct context_record *record)
{
    if (contract_is_copy(record)) {
        copy_ended(record);
        return;
    }
    for (int fd = 0; fd <= highest_descriptor; fd++) {
        struct descriptor *descriptor = &contract_descriptors[fd];

        if (descriptor->owner != record)
            continue;
        for (int i = 0; i < CHANNELS; i++) {
            if (descriptor->channel[i].live)
                contract_trouble("descriptor %d was never taken out with DEL", fd);
        }
        if (descriptor->open)
            contract_trouble("descriptor %d was never closed", fd);
        descriptor->owner = NULL;
    }
    contract_each_connection(record, expect_ended, 0);
    for (int i = 0; i < record->protocol_count; i++) {
        if (record->initialised[i] && !record->finished[i])
            contract_trouble("protocol %d had no PROTOCOL_DESTROY", i);
    }
    if (record->attachment != NULL && !record->attachment->detached)
        contract_trouble("the adapter was never told DETACHED");
    contract_note("end of", "context", NULL, -1, 0);
    record->used = false;
    record->context = NULL;
}

long contract_time_used_us(void)
{
    struct timespec used;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0)
        abort();
    return used.tv_sec * 1000000L + used.tv_nsec / 1000;
}

void contract_remember_service(long microseconds)
{
    long longest = atomic_load(&longest_service);

    while (microseconds > longest &&
           !atomic_compare_exchange_weak(&longest_service, &longest, microseconds))
        ;
}

long contract_longest_service_us(void)
{
    return atomic_load(&longest_service);
}

void contract_observe(contract_observer *observer)
{
    contract_the_observer = observer;
}

int contract_events(int fd)
{
    const struct descriptor *descriptor;
    int events = -1;

    contract_lock();
    descriptor = contract_descriptor(fd);
    for (int i = 0; i < CHANNELS; i++) {
        if (descriptor->channel[i].live)
            events = descriptor->channel[i].events;
    }
    contract_unlock();
    return events;
}

int contract_is_announced(int fd)
{
    return contract_events(fd) >= 0;
}

static void forget_attachments(void)
{
    while (attachments != NULL) {
        struct attachment *next = attachments->next;

        free(attachments);
        attachments = next;
    }
}

void contract_finish(void)
{
    contract_lock();
    for (size_t i = 0; i < CONTRACT_CONTEXTS; i++) {
        if (contexts[i].used)
            contract_trouble("a context was never destroyed");
    }
    forget_attachments();
    contract_unlock();
}

void contract_forget(void)
{
    for (size_t i = 0; i < CONTRACT_CONTEXTS; i++) {
        if (contexts[i].used)
            contract_each_connection(&contexts[i], forget, 0);
        contexts[i].used = false;
    }
    memset(contract_descriptors, 0, sizeof contract_descriptors);
    forget_attachments();
    call_depth = 0;
}
