#include "interposed.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_SECONDS = 30 };

/* What the linker calls those that are wrapped, and those that are in their place. */
int __real_getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __real_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument);
int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

struct counts {
    unsigned int asked;
    unsigned int asking;
    unsigned int asking_most;
    unsigned int at_gate;
    unsigned int let_through;
    bool gate_is_open;
    unsigned int open_signals;
    int refusal;
    unsigned int refusals;
    unsigned int threads_started;
    unsigned int threads;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct counts counts;
static __thread bool memory_fails;

void interposed_reset(void)
{
    pthread_mutex_lock(&mutex);
    memset(&counts, 0, sizeof(counts));
    pthread_mutex_unlock(&mutex);
}

void interposed_after_fork(void)
{
    pthread_mutex_init(&mutex, NULL);
    pthread_cond_init(&changed, NULL);
    interposed_reset();
}

/* With the mutex held. False where it has taken too long. */
static bool wait_for_change(const struct timespec *deadline)
{
    return pthread_cond_timedwait(&changed, &mutex, deadline) != ETIMEDOUT;
}

static struct timespec deadline_from_now(void)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_SECONDS;
    return deadline;
}

static unsigned int read_count(const unsigned int *count)
{
    unsigned int value;

    pthread_mutex_lock(&mutex);
    value = *count;
    pthread_mutex_unlock(&mutex);
    return value;
}

void names_let_through(unsigned int count)
{
    pthread_mutex_lock(&mutex);
    counts.let_through += count;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void names_let_all_through(void)
{
    pthread_mutex_lock(&mutex);
    counts.gate_is_open = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

bool names_wait_at_gate(unsigned int count)
{
    struct timespec deadline = deadline_from_now();
    bool enough;

    pthread_mutex_lock(&mutex);
    while (counts.at_gate < count && wait_for_change(&deadline))
        continue;
    enough = counts.at_gate >= count;
    pthread_mutex_unlock(&mutex);
    return enough;
}

unsigned int names_asked(void)
{
    return read_count(&counts.asked);
}

unsigned int names_asked_at_once(void)
{
    return read_count(&counts.asking_most);
}

unsigned int names_open_signals(void)
{
    return read_count(&counts.open_signals);
}

void threads_refuse(int error, unsigned int times)
{
    pthread_mutex_lock(&mutex);
    counts.refusal = error;
    counts.refusals = times;
    pthread_mutex_unlock(&mutex);
}

unsigned int threads_started(void)
{
    return read_count(&counts.threads_started);
}

bool threads_wait_for_end(void)
{
    struct timespec deadline = deadline_from_now();
    bool ended;

    pthread_mutex_lock(&mutex);
    while (counts.threads > 0 && wait_for_change(&deadline))
        continue;
    ended = counts.threads == 0;
    pthread_mutex_unlock(&mutex);
    return ended;
}

void memory_fail_next(void)
{
    memory_fails = true;
}

static bool fails_now(void)
{
    bool fails = memory_fails;

    memory_fails = false;
    if (fails)
        errno = ENOMEM;
    return fails;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

/* A compiler may make one of the other and of what clears it. */
void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

/* All but those that cannot be blocked, and those that the C library keeps to itself. */
static unsigned int count_open_signals(void)
{
    sigset_t all;
    sigset_t blocked;
    unsigned int count = 0;

    sigfillset(&all);
    if (pthread_sigmask(SIG_BLOCK, NULL, &blocked) != 0)
        abort();
    for (int number = 1; number <= SIGRTMAX; number++)
        if (number != SIGKILL && number != SIGSTOP && sigismember(&all, number) == 1 &&
            sigismember(&blocked, number) == 0)
            count++;
    return count;
}

/* With the mutex held. */
static void wait_at_gate(void)
{
    counts.at_gate++;
    pthread_cond_broadcast(&changed);
    while (!counts.gate_is_open && counts.let_through == 0)
        pthread_cond_wait(&changed, &mutex);
    if (!counts.gate_is_open)
        counts.let_through--;
    counts.at_gate--;
}

static int answer(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    static const char error_prefix[] = "error:";
    struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_family = AF_INET,
        .ai_socktype = SOCK_STREAM};
    int error;

    if (strncmp(name, error_prefix, sizeof(error_prefix) - 1) == 0)
        return atoi(name + sizeof(error_prefix) - 1);
    if (strcmp(name, "now.test") != 0 && strcmp(name, "gate.test") != 0 &&
        strcmp(name, "local.test") != 0 && strcmp(name, "short.test") != 0)
        return __real_getaddrinfo(name, service, hints, found);
    error = __real_getaddrinfo("192.0.2.7", service, &numeric, found);
    if (error == 0 && strcmp(name, "local.test") == 0)
        (*found)->ai_family = AF_UNIX;
    if (error == 0 && strcmp(name, "short.test") == 0)
        memory_fail_next();
    return error;
}

int __wrap_getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int error;

    pthread_mutex_lock(&mutex);
    counts.asked++;
    counts.asking++;
    if (counts.asking > counts.asking_most)
        counts.asking_most = counts.asking;
    counts.open_signals += count_open_signals();
    if (strcmp(name, "gate.test") == 0)
        wait_at_gate();
    pthread_mutex_unlock(&mutex);
    error = answer(name, service, hints, found);
    pthread_mutex_lock(&mutex);
    counts.asking--;
    pthread_mutex_unlock(&mutex);
    return error;
}

struct start {
    void *(*function)(void *);
    void *argument;
};

static void *run_thread(void *argument)
{
    struct start start = *(struct start *)argument;
    void *result;

    free(argument);
    result = start.function(start.argument);
    pthread_mutex_lock(&mutex);
    counts.threads--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return result;
}

/* Returns 0, or the error number that the attempt is to fail with. */
static int count_start(void)
{
    int error = 0;

    pthread_mutex_lock(&mutex);
    if (counts.refusals > 0) {
        counts.refusals--;
        error = counts.refusal;
    } else {
        counts.threads++;
        counts.threads_started++;
    }
    pthread_mutex_unlock(&mutex);
    return error;
}

int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    struct start *start;
    int error = count_start();

    if (error)
        return error;
    start = __real_malloc(sizeof(*start));
    if (!start)
        abort();
    *start = (struct start){function, argument};
    error = __real_pthread_create(thread, attributes, run_thread, start);
    if (error)
        abort();
    return 0;
}
