#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/contract.h"
#include "../support/cut_io.h"
#include "../support/sanitized.h"
#include "../support/tls_stream.h"
#include "harness_log.h"
#include "harness_loop.h"

/* A function to be run on the loop's thread. */
struct job {
    struct job *next;
    void (*function)(struct server *server, void *argument);
    void *argument;
    bool waited_for;
    bool done;
};

/* A connection that is there: an established WebSocket, or an HTTP connection. */
struct live {
    struct libwebsocket *wsi;
    unsigned int id;
    bool established;
};

struct server {
    struct server_options options;
    struct log *log;
    pthread_t thread;
    pid_t thread_id;

    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t changed;
    struct loop *loop;
    struct loop *old_loop; /* the one that a move leaves */
    struct libwebsocket_context *context;
    struct job *jobs;
    struct job **jobs_end;
    struct live *live;
    size_t live_count;
    unsigned int connection_count;
    bool started;
    bool finished;

    int port;
    int listener;
    char error[256];
    atomic_ulong ticks;
};

static __thread struct server *here;
static atomic_int running;

static void lock(struct server *server)
{
    ck_assert_int_eq(pthread_mutex_lock(&server->mutex), 0);
}

static void unlock(struct server *server)
{
    ck_assert_int_eq(pthread_mutex_unlock(&server->mutex), 0);
}

static struct timespec patience(void)
{
    struct timespec deadline;

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &deadline), 0);
    deadline.tv_sec += SERVER_PATIENCE_MS / 1000;
    return deadline;
}

bool harness_tls(void)
{
    const char *wanted = getenv("LWS_TEST_TLS");

    return wanted != NULL && strcmp(wanted, "1") == 0;
}

bool harness_deflate(void)
{
    const char *wanted = getenv("LWS_TEST_DEFLATE");

    return wanted != NULL && strcmp(wanted, "1") == 0;
}

bool harness_sanitized(void)
{
    return IS_SANITIZED;
}

unsigned long harness_ticks(unsigned long fair)
{
    return fair / 8 + 1;
}

bool harness_cut(void)
{
    return cut_io_wanted();
}

bool harness_refuses_io(void)
{
    const char *cut = getenv("LWS_TEST_CUT");

    return cut != NULL && strcmp(cut, "eagain") == 0;
}

size_t harness_scale(size_t size, size_t small)
{
    return harness_cut() ? small : size;
}

TCase *harness_case(const char *name)
{
    TCase *test_case = tcase_create(name);

    tcase_set_timeout(test_case, 60);
    return test_case;
}

/* With the mutex held. */
static struct live *find_live(struct server *server, const struct libwebsocket *wsi)
{
    for (size_t i = 0; i < server->live_count; i++) {
        if (server->live[i].wsi == wsi)
            return &server->live[i];
    }
    return NULL;
}

static struct live *make_live(struct server *server, struct libwebsocket *wsi)
{
    struct live *live = find_live(server, wsi);

    if (live != NULL)
        return live;
    server->live = realloc(server->live, (server->live_count + 1) * sizeof *server->live);
    ck_assert_ptr_nonnull(server->live);
    live = &server->live[server->live_count++];
    *live = (struct live){.wsi = wsi, .id = ++server->connection_count};
    return live;
}

/* The number of the connection, by the callback that is about it. */
static unsigned int follow_connection(
    struct server *server, struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason)
{
    struct live *live = NULL;
    unsigned int id;

    lock(server);
    if (reason == LWS_CALLBACK_ESTABLISHED || reason == LWS_CALLBACK_HTTP ||
        reason == LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH)
        live = make_live(server, wsi);
    else if (wsi != NULL)
        live = find_live(server, wsi);
    id = live == NULL ? 0 : live->id;
    if (live != NULL &&
        (reason == LWS_CALLBACK_ESTABLISHED || reason == LWS_CALLBACK_CLIENT_ESTABLISHED))
        live->established = true;
    if (live != NULL && (reason == LWS_CALLBACK_CLOSED || reason == LWS_CALLBACK_CLOSED_HTTP ||
                            reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR)) {
        /* The order is kept: the last one is the newest. */
        server->live_count--;
        memmove(live, live + 1, (size_t)(server->live + server->live_count - live) * sizeof *live);
    }
    unlock(server);
    return id;
}

static bool has_bytes(enum libwebsocket_callback_reasons reason)
{
    return reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_HTTP ||
           reason == LWS_CALLBACK_CLIENT_RECEIVE || reason == LWS_CALLBACK_CLIENT_RECEIVE_PONG ||
           reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR;
}

static void fill_record(struct server_record *record, const void *in, size_t len)
{
    const char *reason;

    if (has_bytes(record->reason)) {
        record->bytes = malloc(len + 1);
        ck_assert_ptr_nonnull(record->bytes);
        if (len > 0)
            memcpy(record->bytes, in, len);
        record->bytes[len] = '\0';
    }
    if (record->reason == LWS_CALLBACK_RECEIVE || record->reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        record->remaining = libwebsockets_remaining_packet_payload(record->wsi);
        record->final = libwebsocket_is_final_fragment(record->wsi);
        record->binary = lws_frame_is_binary(record->wsi);
    }
    if (record->reason == LWS_CALLBACK_CLOSED) {
        size_t length = 0;

        record->close_code = lws_get_close(record->wsi, &reason, &length);
        ck_assert_ptr_nonnull(reason);
        ck_assert_uint_le(length, 123);
        ck_assert_int_eq(reason[length], '\0');
        memcpy(record->close_reason, reason, length);
    }
}

static void observe_poll_fd(
    struct server *server, enum libwebsocket_callback_reasons reason, int fd, int events)
{
    if (reason == LWS_CALLBACK_ADD_POLL_FD || server->old_loop == NULL ||
        !loop_poll_fd(server->old_loop, reason, fd, events))
        loop_poll_fd(server->loop, reason, fd, events);
}

static bool is_frequent(enum libwebsocket_callback_reasons reason)
{
    return reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_SERVER_WRITEABLE ||
           reason == LWS_CALLBACK_CLIENT_RECEIVE || reason == LWS_CALLBACK_CLIENT_WRITEABLE;
}

static void observe(struct libwebsocket_context *context, struct libwebsocket *wsi, int protocol,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct server_record record = {
        .reason = reason, .protocol = protocol, .wsi = wsi, .len = len, .user = user};
    struct server *server = here;

    if (server == NULL)
        ck_abort_msg("a callback came on a thread that is no loop's");
    if (!server->started)
        server->context = context;
    if (reason >= LWS_CALLBACK_ADD_POLL_FD && reason <= LWS_CALLBACK_CLEAR_MODE_POLL_FD) {
        observe_poll_fd(server, reason, (int)(intptr_t)in, (int)len);
        return;
    }
    if (server->options.unlogged && is_frequent(reason))
        return;
    record.connection = follow_connection(server, wsi, reason);
    fill_record(&record, in, len);
    log_append(server->log, &record);
}

static struct job *next_job(struct server *server)
{
    struct job *job;

    lock(server);
    job = server->jobs;
    if (job != NULL) {
        server->jobs = job->next;
        if (server->jobs == NULL)
            server->jobs_end = &server->jobs;
    }
    unlock(server);
    return job;
}

static void run_jobs(void *argument)
{
    struct server *server = argument;
    struct job *job;

    while ((job = next_job(server)) != NULL) {
        job->function(server, job->argument);
        if (!job->waited_for) {
            free(job);
            continue;
        }
        lock(server);
        job->done = true;
        pthread_cond_broadcast(&server->changed);
        unlock(server);
    }
}

/* With the mutex held. */
static void add_job(struct server *server, struct job *job)
{
    *server->jobs_end = job;
    server->jobs_end = &job->next;
    loop_wake(server->loop);
}

void server_run(
    struct server *server, void (*function)(struct server *server, void *argument), void *argument)
{
    struct job job = {.function = function, .argument = argument, .waited_for = true};
    struct timespec deadline = patience();

    lock(server);
    add_job(server, &job);
    while (!job.done) {
        if (pthread_cond_timedwait(&server->changed, &server->mutex, &deadline) == ETIMEDOUT)
            ck_abort_msg("the loop does not answer");
    }
    unlock(server);
}

void server_post(
    struct server *server, void (*function)(struct server *server, void *argument), void *argument)
{
    struct job *job = calloc(1, sizeof *job);

    ck_assert_ptr_nonnull(job);
    job->function = function;
    job->argument = argument;
    lock(server);
    add_job(server, job);
    unlock(server);
}

void server_destroy_context(struct server *server)
{
    struct libwebsocket_context *context;

    ck_assert_ptr_eq(here, server);
    lock(server);
    context = server->context;
    server->context = NULL;
    unlock(server);
    ck_assert_ptr_nonnull(context);
    libwebsocket_context_destroy(context);
}

void server_move(struct server *server, enum loop_kind kind)
{
    struct loop *loop = loop_new(kind, run_jobs, server, &server->context);

    ck_assert_ptr_eq(here, server);
    ck_assert_ptr_null(server->old_loop);
    lock(server);
    server->old_loop = server->loop;
    server->loop = loop;
    unlock(server);
    if (kind == LOOP_OWN)
        ck_assert_int_eq(lws_set_poll_fd_callback(server->context, NULL, NULL), 0);
    ck_assert_int_eq(loop_attach(loop, server->context), 0);
    loop_stop(server->old_loop);
    lock(server);
    loop_wake(loop);
    unlock(server);
}

static void on_tick(void *argument)
{
    struct server *server = argument;

    atomic_fetch_add(&server->ticks, 1);
}

static void start_timer(struct server *server, void *argument)
{
    (void)argument;
    loop_start_timer(server->loop, on_tick);
}

unsigned long server_ticks(struct server *server)
{
    if (atomic_load(&server->ticks) == 0) {
        atomic_store(&server->ticks, 1);
        server_run(server, start_timer, NULL);
    }
    return atomic_load(&server->ticks);
}

static void open_listener(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(server->listener, 0);
    if (server->options.send_buffer > 0)
        ck_assert_int_eq(setsockopt(server->listener, SOL_SOCKET, SO_SNDBUF,
                             &server->options.send_buffer, sizeof server->options.send_buffer),
            0);
    ck_assert_int_eq(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(server->listener, SOMAXCONN), 0);
    ck_assert_int_eq(getsockname(server->listener, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
}

static int refusing_sink(struct libwebsocket_context *context, void *user,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags)
{
    struct server *server = user;

    (void)context;
    (void)flags;
    if (reason == LWS_CALLBACK_POLL_DETACHED)
        return 0;
    if (reason == LWS_CALLBACK_ADD_POLL_FD && server->options.refuses(server, events))
        return 1;
    ck_assert(loop_poll_fd(server->loop, reason, fd, events));
    return 0;
}

static void create_context(struct server *server)
{
    struct lws_context_creation_info info = {.gid = -1, .uid = -1};
    struct lws_context_extras extras = server->options.extras;
    struct libwebsocket_context *context;

    info.protocols = server->options.protocols;
    info.user = server;
    extras.struct_size = sizeof extras;
    extras.error = server->error;
    extras.error_len = sizeof server->error;
    if (!server->options.no_listener) {
        open_listener(server);
        extras.listen_fds = &server->listener;
        extras.listen_fd_count = 1;
    }
    if (harness_tls() && !server->options.no_listener && !server->options.plain) {
        info.ssl_cert_filepath = certificates_path("server.pem");
        info.ssl_private_key_filepath = certificates_path("server.key");
    }
    if (server->options.deflate || harness_deflate())
        info.extensions = libwebsocket_get_internal_extensions();
    if (harness_deflate() && !server->options.deflate) {
        extras.deflate_threshold = 1;
        extras.deflate_takeover = LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE;
    }
    if (server->options.adjust != NULL)
        server->options.adjust(&info, &extras);

    context = lws_create_context(&info, &extras);
    if (context == NULL && server->listener >= 0) {
        /* Where creation fails it is still the caller's. */
        ck_assert_int_ge(fcntl(server->listener, F_GETFD), 0);
        close(server->listener);
    }
    if (context == NULL && !server->options.may_fail)
        ck_abort_msg("the context was not created: %s", server->error);
    server->context = context;
    if (context != NULL && server->options.refuses != NULL)
        ck_assert_int_eq(lws_set_poll_fd_callback(context, refusing_sink, server), 0);
    if (context != NULL && !server->options.no_attach)
        ck_assert_int_eq(loop_attach(server->loop, context), 0);
}

static void *run_server(void *argument)
{
    struct server *server = argument;
    bool finished = false;

    here = server;
    cut_io_here(true);
    lock(server);
    server->thread_id = gettid();
    server->loop = loop_new(server->options.refuses != NULL ? LOOP_OWN : harness_loop(), run_jobs,
        server, &server->context);
    unlock(server);
    create_context(server);
    lock(server);
    server->started = true;
    pthread_cond_broadcast(&server->changed);
    unlock(server);

    while (!finished) {
        loop_run(server->loop);
        lock(server);
        if (server->old_loop != NULL) {
            struct loop *old_loop = server->old_loop;

            server->old_loop = NULL;
            unlock(server);
            loop_free(old_loop);
            lock(server);
        }
        finished = server->finished;
        unlock(server);
    }
    loop_free(server->loop);
    here = NULL;
    return NULL;
}

static void carry_by_tls(struct ws_client *client)
{
    static SSL_CTX *settings;

    if (settings == NULL) {
        const struct tls_files files = {.authorities = certificates_path("root.pem")};

        settings = tls_client_settings(&files);
    }
    tls_carry_client(client, settings);
}

struct server *server_start(const struct server_options *options)
{
    struct server *server = calloc(1, sizeof *server);
    struct timespec deadline = patience();
    pthread_condattr_t attributes;

    ck_assert_ptr_nonnull(server);
    if (options != NULL)
        server->options = *options;
    if (server->options.protocols == NULL)
        server->options.protocols = default_protocols;
    server->log = log_new();
    server->listener = -1;
    server->jobs_end = &server->jobs;
    ck_assert_int_eq(pthread_mutex_init(&server->mutex, NULL), 0);
    ck_assert_int_eq(pthread_condattr_init(&attributes), 0);
    ck_assert_int_eq(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), 0);
    ck_assert_int_eq(pthread_cond_init(&server->changed, &attributes), 0);
    pthread_condattr_destroy(&attributes);
    if (getenv("LWS_TEST_LOG") == NULL)
        lws_set_log_level(0, NULL);
    else
        lws_set_log_level((int)strtol(getenv("LWS_TEST_LOG"), NULL, 0), NULL);
    if (harness_cut())
        fprintf(stderr, "LWS_TEST_SEED=%u\n", cut_io_seed());
    atomic_fetch_add(&running, 1);
    contract_observe(observe);
    ws_carry(harness_tls() && !server->options.plain ? carry_by_tls : NULL);
    ws_compress(harness_deflate() && !server->options.deflate);

    ck_assert_int_eq(pthread_create(&server->thread, NULL, run_server, server), 0);
    lock(server);
    while (!server->started) {
        if (pthread_cond_timedwait(&server->changed, &server->mutex, &deadline) == ETIMEDOUT)
            ck_abort_msg("the server does not start");
    }
    unlock(server);
    /* Or else nothing is being watched. */
    if (server->context != NULL)
        ck_assert_uint_gt(server_count(server, LWS_CALLBACK_PROTOCOL_INIT), 0);
    return server;
}

static void finish(struct server *server, void *argument)
{
    (void)argument;
    if (server->context != NULL)
        server_destroy_context(server);
    lock(server);
    server->finished = true;
    unlock(server);
    loop_stop(server->loop);
}

void server_stop(struct server *server)
{
    server_run(server, finish, NULL);
    ck_assert_int_eq(pthread_join(server->thread, NULL), 0);
    if (atomic_fetch_sub(&running, 1) == 1)
        contract_finish();
    log_free(server->log);
    free(server->live);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}

void *server_user(const struct server *server)
{
    return server->options.user;
}

struct libwebsocket_context *server_context(const struct server *server)
{
    return server->context;
}

const char *server_error(const struct server *server)
{
    return server->error;
}

struct server *server_here(void)
{
    return here;
}

void server_wait(struct server *server, enum libwebsocket_callback_reasons reason, size_t count)
{
    if (count > 0 && log_wait(server->log, reason, count - 1) == NULL)
        ck_abort_msg("callback reason %d came %zu times, not %zu", (int)reason,
            log_count(server->log, reason), count);
}

size_t server_count(struct server *server, enum libwebsocket_callback_reasons reason)
{
    return log_count(server->log, reason);
}

const struct server_record *server_record(
    struct server *server, enum libwebsocket_callback_reasons reason, size_t n)
{
    server_wait(server, reason, n + 1);
    return log_wait(server->log, reason, n);
}

const struct server_record *server_nth(struct server *server, size_t n)
{
    return log_nth(server->log, n);
}

struct libwebsocket *server_last_wsi(struct server *server)
{
    struct libwebsocket *wsi = NULL;

    lock(server);
    for (size_t i = 0; i < server->live_count; i++) {
        if (server->live[i].established)
            wsi = server->live[i].wsi;
    }
    unlock(server);
    return wsi;
}

struct question {
    bool (*function)(struct server *server, void *argument);
    void *argument;
    bool answer;
};

static void ask(struct server *server, void *argument)
{
    struct question *question = argument;

    question->answer = question->function(server, question->argument);
}

void server_wait_until(
    struct server *server, bool (*function)(struct server *server, void *argument), void *argument)
{
    struct question question = {.function = function, .argument = argument};
    int64_t deadline = ws_now_ms() + SERVER_PATIENCE_MS;

    for (;;) {
        server_run(server, ask, &question);
        if (question.answer)
            return;
        if (ws_now_ms() > deadline)
            ck_abort_msg("what is waited for does not happen");
        usleep(1000);
    }
}

unsigned long server_service_calls(void)
{
    return contract_service_calls();
}

unsigned long server_sleeps(struct server *server)
{
    unsigned long sleeps = 0;
    bool found = false;
    char line[256];
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)server->thread_id);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (!found && fgets(line, sizeof line, file) != NULL)
        found = sscanf(line, "voluntary_ctxt_switches: %lu", &sleeps) == 1;
    fclose(file);
    ck_assert(found);
    return sleeps;
}
