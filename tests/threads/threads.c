/*
 * What may be called from other threads, from as many as there are at once. It shows little by
 * itself; built with ThreadSanitizer it shows that nothing is shared which should not be.
 *
 * Usage: threads [LOOP…]
 *   LOOP   poll, uv, event or own; all four where none is named
 */
#include <libwebsockets.h>

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "served.h"

enum {
    SECONDS = 120, /* before it gives up */
    THREADS = 4,
    CALLS = 5000, /* of each */
    DESTRUCTIONS = 20,
    BEGINNINGS = 20,
    CANCELLATIONS = 500,
    CONNECTIONS = 10,
    BROADCASTS = 150, /* of each */
    LARGEST = 32768,
    REQUESTS = 500
};

static const char *loop_name;

static bool expect(bool good, const char *what)
{
    if (!good)
        fprintf(stderr, "%s: %s\n", loop_name, what);
    return good;
}

/* --- functions called in service */

static atomic_uint run[THREADS];
static atomic_bool wrong;
static sem_t refused;

static int quiet_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)wsi;
    (void)user;
    if (reason >= LWS_CALLBACK_ADD_POLL_FD && reason <= LWS_CALLBACK_CLEAR_MODE_POLL_FD)
        served_poll_fd(context, reason, (int)(intptr_t)in, (short)len);
    return 0;
}

static struct libwebsocket_protocols quiet_protocols[] = {
    {.name = "quiet", .callback = quiet_callback}, {.name = NULL}};

/* The number of the thread, and of the call in it. */
static void run_one(struct libwebsocket_context *context, void *argument)
{
    uintptr_t number = (uintptr_t)argument;

    (void)context;
    if (atomic_fetch_add(&run[number % THREADS], 1) != number / THREADS)
        atomic_store(&wrong, true);
}

struct caller {
    struct served *served;
    unsigned int number;
    unsigned int most;
    unsigned int taken;
    pthread_t thread;
};

static void *call_often(void *argument)
{
    struct caller *caller = argument;

    while (caller->taken < caller->most) {
        uintptr_t number = (uintptr_t)caller->taken * THREADS + caller->number;

        if (lws_call_in_service(caller->served->loop.context, run_one, (void *)number) < 0) {
            if (errno != ECANCELED)
                atomic_store(&wrong, true);
            break;
        }
        caller->taken++;
    }
    (void)sem_post(&refused);
    return NULL;
}

static void begin_callers(struct caller *callers, struct served *served, unsigned int most)
{
    atomic_store(&wrong, false);
    for (unsigned int i = 0; i < THREADS; i++) {
        atomic_store(&run[i], 0);
        callers[i] = (struct caller){.served = served, .number = i, .most = most};
        if (pthread_create(&callers[i].thread, NULL, call_often, &callers[i]))
            give_up("no thread");
    }
}

static bool end_callers(struct caller *callers)
{
    bool good = true;

    for (unsigned int i = 0; i < THREADS; i++) {
        if (pthread_join(callers[i].thread, NULL))
            give_up("a thread cannot be joined");
        good = good && atomic_load(&run[i]) == callers[i].taken;
    }
    return good && !atomic_load(&wrong);
}

static void wait_for_run(const struct caller *callers)
{
    for (unsigned int i = 0; i < THREADS; i++)
        while (atomic_load(&run[i]) < callers[i].most)
            usleep(500);
}

static bool calls_are_made_in_order(void)
{
    struct caller callers[THREADS];
    struct served served;
    bool good;

    served_begin(&served, loop_name, quiet_protocols);
    begin_callers(callers, &served, CALLS);
    wait_for_run(callers);
    good = end_callers(callers);
    served_end(&served);
    return expect(good, "calls were lost, or not in order");
}

/* The context has to be there until the last of them has been refused. */
static int ending_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_PROTOCOL_DESTROY)
        for (int i = 0; i < THREADS; i++)
            while (sem_wait(&refused) < 0 && errno == EINTR)
                continue;
    return quiet_callback(context, wsi, reason, user, in, len);
}

static struct libwebsocket_protocols ending_protocols[] = {
    {.name = "ending", .callback = ending_callback}, {.name = NULL}};

static bool none_is_lost_in_the_end(void)
{
    bool good = true;

    for (int i = 0; i < DESTRUCTIONS && good; i++) {
        struct caller callers[THREADS];
        struct served served;

        if (sem_init(&refused, 0, 0) < 0)
            give_up("no semaphore");
        served_begin(&served, loop_name, ending_protocols);
        begin_callers(callers, &served, UINT32_MAX / THREADS);
        usleep((useconds_t)(i * 300));
        served_end(&served);
        good = end_callers(callers);
        (void)sem_destroy(&refused);
    }
    return expect(good, "calls were lost as the context was destroyed");
}

/* --- libwebsocket_cancel_service() */

static atomic_uint returned;
static atomic_bool over;

static void *serve_for_ever(void *argument)
{
    struct libwebsocket_context *context = argument;

    while (!atomic_load(&over)) {
        if (libwebsocket_service(context, -1) < 0)
            give_up("libwebsocket_service failed");
        atomic_fetch_add(&returned, 1);
    }
    return NULL;
}

static bool service_is_cancelled(void)
{
    struct lws_context_creation_info info = {.protocols = quiet_protocols, .gid = -1, .uid = -1};
    struct served nobody = {.port = 0};
    struct libwebsocket_context *context;
    pthread_t thread;

    info.user = &nobody;
    atomic_store(&over, false);
    context = libwebsocket_create_context(&info);
    if (!context || pthread_create(&thread, NULL, serve_for_ever, context))
        give_up("no context, or no thread");
    for (unsigned int i = 0; i < CANCELLATIONS; i++) {
        unsigned int before = atomic_load(&returned);

        libwebsocket_cancel_service(context);
        while (atomic_load(&returned) == before)
            usleep(50);
    }
    atomic_store(&over, true);
    libwebsocket_cancel_service(context);
    if (pthread_join(thread, NULL))
        give_up("a thread cannot be joined");
    libwebsocket_context_destroy(context);
    return true;
}

/* --- broadcasts, and requests for all of a protocol; two contexts in two threads */

struct session {
    unsigned int next[THREADS];
};

static atomic_uint established, writeable, received;

static int news_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    if (reason == LWS_CALLBACK_BROADCAST) {
        if (libwebsocket_write(wsi, in, len, LWS_WRITE_BINARY) != (int)len)
            atomic_store(&wrong, true);
    } else if (reason == LWS_CALLBACK_SERVER_WRITEABLE) {
        atomic_fetch_add(&writeable, 1);
    }
    return 0;
}

static size_t length_of(unsigned int number)
{
    return (size_t)16 << number % 12;
}

static void fill(unsigned char *bytes, unsigned int sender, unsigned int number)
{
    size_t length = length_of(number);

    memset(bytes, (int)(sender * 31 + number), length);
    bytes[0] = (unsigned char)sender;
}

static int reader_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct session *session = user;
    unsigned char expected[LARGEST];
    unsigned int sender;

    (void)context;
    (void)wsi;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
        atomic_fetch_add(&established, 1);
    if (reason != LWS_CALLBACK_CLIENT_RECEIVE)
        return 0;
    sender = *(const unsigned char *)in;
    if (sender >= THREADS || len != length_of(session->next[sender])) {
        atomic_store(&wrong, true);
        return 0;
    }
    fill(expected, sender, session->next[sender]++);
    if (memcmp(in, expected, len) != 0)
        atomic_store(&wrong, true);
    atomic_fetch_add(&received, 1);
    return 0;
}

static struct libwebsocket_protocols news_protocols[] = {
    {.name = "quiet", .callback = quiet_callback},
    {.name = "news", .callback = news_callback},
    {.name = NULL},
};

static struct libwebsocket_protocols reader_protocols[] = {
    {.name = "quiet", .callback = quiet_callback},
    {.name = "news",
        .callback = reader_callback,
        .per_session_data_size = sizeof(struct session),
        .rx_buffer_size = LARGEST},
    {.name = NULL},
};

static void connect_all(struct libwebsocket_context *context, void *argument)
{
    for (int i = 0; i < CONNECTIONS; i++)
        if (!libwebsocket_client_connect(context, "127.0.0.1", *(const int *)argument, 0, "/",
                "localhost", "localhost", "news", -1))
            give_up("no connection");
}

static void *broadcast_often(void *argument)
{
    unsigned int sender = *(const unsigned int *)argument;
    unsigned char bytes[LARGEST];

    for (unsigned int i = 0; i < BROADCASTS; i++) {
        fill(bytes, sender, i);
        if (libwebsockets_broadcast(&news_protocols[1], bytes, length_of(i)) < 0)
            atomic_store(&wrong, true);
    }
    return NULL;
}

static void *request_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < REQUESTS; i++) {
        if (libwebsocket_callback_on_writable_all_protocol(&news_protocols[1]) < 0)
            atomic_store(&wrong, true);
        usleep(50);
    }
    return NULL;
}

static void on_alarm(int number)
{
    (void)number;
    (void)libwebsocket_callback_on_writable_all_protocol(&news_protocols[1]);
}

static void set_alarms(suseconds_t microseconds)
{
    const struct itimerval interval = {{0, microseconds}, {0, microseconds}};
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

    if (sigaction(SIGPROF, &action, NULL) < 0 || setitimer(ITIMER_PROF, &interval, NULL) < 0)
        give_up("no timer");
}

static void wait_for(atomic_uint *count, unsigned int wanted)
{
    while (atomic_load(count) < wanted && !atomic_load(&wrong))
        usleep(500);
}

static bool all_broadcasts_come(void)
{
    static const unsigned int numbers[THREADS] = {0, 1, 2, 3};
    pthread_t senders[THREADS], requesters[2];
    struct served server, reader;

    atomic_store(&wrong, false);
    atomic_store(&established, 0);
    atomic_store(&writeable, 0);
    atomic_store(&received, 0);
    served_begin(&server, loop_name, news_protocols);
    served_begin(&reader, loop_name, reader_protocols);
    if (lws_call_in_service(reader.loop.context, connect_all, &server.port) < 0)
        give_up("no call");
    wait_for(&established, CONNECTIONS);
    set_alarms(5000);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&senders[i], NULL, broadcast_often, (void *)(size_t)&numbers[i]))
            give_up("no thread");
    for (int i = 0; i < 2; i++)
        if (pthread_create(&requesters[i], NULL, request_often, NULL))
            give_up("no thread");
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(senders[i], NULL);
    for (int i = 0; i < 2; i++)
        (void)pthread_join(requesters[i], NULL);
    wait_for(&received, CONNECTIONS * THREADS * BROADCASTS);
    wait_for(&writeable, 1);
    set_alarms(0);
    served_end(&reader);
    served_end(&server);
    return expect(!atomic_load(&wrong), "broadcasts were lost, or not whole or in order");
}

/* The thread that made the context sends as another one begins to serve it. */
static bool broadcasts_begin_with_service(void)
{
    bool good = true;

    for (int i = 0; i < BEGINNINGS && good; i++) {
        unsigned char bytes[] = "news";
        struct served server;

        served_begin(&server, loop_name, news_protocols);
        for (int j = 0; j < 10 && good; j++)
            good = libwebsockets_broadcast(&news_protocols[1], bytes, sizeof(bytes)) == 0;
        served_end(&server);
    }
    return expect(good, "a broadcast failed as service began");
}

/* --- the end on another thread than the one that served */

static unsigned int closed;

static int leaving_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len);

static struct libwebsocket_protocols leaving_protocols[] = {
    {.name = "quiet", .callback = quiet_callback},
    {.name = "news", .callback = leaving_callback},
    {.name = NULL},
};

static int leaving_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
        atomic_fetch_add(&established, 1);
    if (reason != LWS_CALLBACK_CLOSED)
        return 0;
    closed++;
    errno = 0;
    if (libwebsockets_broadcast(&leaving_protocols[1], NULL, 0) != -1 || errno != ECANCELED)
        atomic_store(&wrong, true);
    return 0;
}

/* The loop ends, and the context goes on without it. */
static void leave(struct libwebsocket_context *context, void *argument)
{
    struct served *served = argument;

    if (lws_set_poll_fd_callback(context, NULL, NULL) < 0)
        give_up("the context cannot be taken from its loop");
    served->loop.stopped = true;
}

static bool nothing_is_broadcast_in_the_end(void)
{
    struct served served;

    atomic_store(&wrong, false);
    atomic_store(&established, 0);
    closed = 0;
    served_begin(&served, loop_name, leaving_protocols);
    if (lws_call_in_service(served.loop.context, connect_all, &served.port) < 0)
        give_up("no call");
    wait_for(&established, CONNECTIONS);
    if (lws_call_in_service(served.loop.context, leave, &served) < 0)
        give_up("no call");
    served_join(&served);
    libwebsocket_context_destroy(served.loop.context);
    return expect(closed == 2 * CONNECTIONS && !atomic_load(&wrong),
        "a broadcast was taken as the context was destroyed");
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"poll", "uv", "event", "own"};
    static bool (*const tests[])(void) = {calls_are_made_in_order, none_is_lost_in_the_end,
        all_broadcasts_come, broadcasts_begin_with_service, nothing_is_broadcast_in_the_end};
    unsigned int passed = 0, failed = 0;

    (void)alarm(SECONDS);
    lws_set_log_level(LLL_ERR, NULL);
    for (size_t loop = 0; loop < sizeof(names) / sizeof(names[0]); loop++) {
        bool wanted = argc < 2;

        for (int i = 1; i < argc; i++)
            wanted = wanted || strcmp(argv[i], names[loop]) == 0;
        if (!wanted)
            continue;
        loop_name = names[loop];
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
            bool good = tests[i]();

            passed += good;
            failed += !good;
        }
    }
    loop_name = "poll";
    passed += service_is_cancelled();
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
