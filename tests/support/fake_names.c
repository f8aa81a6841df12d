#include "fake_names.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

typedef int(look_up)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const struct fake_name *table;
static unsigned int begun;
static unsigned int busy;
static bool released;

void fake_names(const struct fake_name *names)
{
    pthread_mutex_lock(&mutex);
    table = names;
    pthread_mutex_unlock(&mutex);
}

unsigned int fake_names_begun(void)
{
    unsigned int count;

    pthread_mutex_lock(&mutex);
    count = begun;
    pthread_mutex_unlock(&mutex);
    return count;
}

unsigned int fake_names_busy(void)
{
    unsigned int count;

    pthread_mutex_lock(&mutex);
    count = busy;
    pthread_mutex_unlock(&mutex);
    return count;
}

void fake_names_release(void)
{
    pthread_mutex_lock(&mutex);
    released = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* With the mutex held. */
static void wait_for(int milliseconds)
{
    struct timespec deadline;

    if (clock_gettime(CLOCK_REALTIME, &deadline) != 0)
        abort();
    deadline.tv_sec += milliseconds / 1000;
    deadline.tv_nsec += milliseconds % 1000 * 1000000L;
    deadline.tv_sec += deadline.tv_nsec / 1000000000L;
    deadline.tv_nsec %= 1000000000L;
    while (!released && pthread_cond_timedwait(&changed, &mutex, &deadline) != ETIMEDOUT)
        ;
}

/* The answers of the numeric addresses, one behind the other. */
static int gather(look_up *next, const struct fake_name *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **result)
{
    struct addrinfo wanted = {0};
    struct addrinfo **end = result;

    if (hints != NULL)
        wanted = *hints;
    wanted.ai_flags = (wanted.ai_flags & AI_NUMERICSERV) | AI_NUMERICHOST;
    *result = NULL;
    for (int i = 0; name->addresses[i] != NULL; i++) {
        int error = next(name->addresses[i], service, &wanted, end);

        if (error != 0)
            abort();
        while (*end != NULL)
            end = &(*end)->ai_next;
    }
    return 0;
}

int getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    static look_up *next;
    const struct fake_name *name;
    int error;

    if (next == NULL)
        next = (look_up *)dlsym(RTLD_NEXT, "getaddrinfo");
    pthread_mutex_lock(&mutex);
    name = table;
    while (node != NULL && name != NULL && name->name != NULL && strcasecmp(name->name, node) != 0)
        name++;
    if (node == NULL || name == NULL || name->name == NULL) {
        pthread_mutex_unlock(&mutex);
        return next(node, service, hints, result);
    }
    begun++;
    busy++;
    if (name->delay_ms > 0)
        wait_for(name->delay_ms);
    error = name->error;
    pthread_mutex_unlock(&mutex);
    if (error == 0)
        error = gather(next, name, service, hints, result);
    pthread_mutex_lock(&mutex);
    busy--;
    pthread_mutex_unlock(&mutex);
    return error;
}
