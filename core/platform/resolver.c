#include "platform/resolver.h"

#include "base/list.h"
#include "platform/name_service.h"
#include "platform/wake.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ample for a name service and its modules, which are not ours; only what is used of it costs. */
enum { STACK_SIZE = 512 * 1024 };

/* What the DNS allows, without the dot that a name may end with. */
enum { NAME_LENGTH_MAX = 253 };

struct resolver {
    pid_t process;
    pthread_mutex_t mutex; /* guards what is below, and the states of the lookups */
    struct list_node waiting;
    unsigned int threads;
    bool released; /* the last thread frees it */
};

enum lookup_state {
    LOOKUP_WAITING,   /* on the resolver's list */
    LOOKUP_ASKING,    /* in a thread */
    LOOKUP_ANSWERED,  /* no thread knows of it any more */
    LOOKUP_CANCELLED, /* in a thread, which frees it */
};

struct lookup {
    struct resolver *resolver;
    struct list_node waiting;
    pid_t process;
    enum lookup_state state;
    int fd;
    struct socket_addresses *addresses;
    const char *why; /* NULL: the addresses were found */
    char port[12];
    char name[];
};

static void free_lookup(struct lookup *lookup)
{
    free(lookup->addresses);
    free(lookup);
}

static void free_resolver(struct resolver *resolver)
{
    (void)pthread_mutex_destroy(&resolver->mutex);
    free(resolver);
}

/* With the mutex held, which is let go of meanwhile. */
static void answer(struct resolver *resolver, struct lookup *lookup)
{
    struct socket_addresses *addresses = NULL;
    const char *why;

    list_remove(&lookup->waiting);
    lookup->state = LOOKUP_ASKING;
    pthread_mutex_unlock(&resolver->mutex);
    why = name_service_ask(lookup->name, lookup->port, &addresses);
    pthread_mutex_lock(&resolver->mutex);
    lookup->addresses = addresses;
    lookup->why = why;
    if (lookup->state == LOOKUP_CANCELLED) {
        free_lookup(lookup);
        return;
    }
    lookup->state = LOOKUP_ANSWERED;
    wake_signal(lookup->fd);
}

static void *run_thread(void *argument)
{
    struct resolver *resolver = argument;
    bool last;

    pthread_mutex_lock(&resolver->mutex);
    while (!list_empty(&resolver->waiting))
        answer(resolver, list_entry(resolver->waiting.next, struct lookup, waiting));
    resolver->threads--;
    last = resolver->released && resolver->threads == 0;
    pthread_mutex_unlock(&resolver->mutex);
    if (last)
        free_resolver(resolver);
    return NULL;
}

/* Returns 0 or an error number. */
static int create_thread(struct resolver *resolver, size_t stack_size)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int error = pthread_attr_init(&attributes);

    if (error)
        return error;
    error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (!error && stack_size)
        error = pthread_attr_setstacksize(&attributes, stack_size);
    if (error)
        goto done;
    sigfillset(&all);
    /* The thread has the mask from its first instruction on. */
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error)
        goto done;
    error = pthread_create(&thread, &attributes, run_thread, resolver);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);

done:
    (void)pthread_attr_destroy(&attributes);
    return error;
}

/* With the mutex held. A thread that runs looks at the list before it ends, so that one is enough.
 * Returns 0 or an error number. */
static int provide_thread(struct resolver *resolver)
{
    int error;

    if (resolver->threads == RESOLVER_THREADS_MAX)
        return 0;
    error = create_thread(resolver, STACK_SIZE);
    /* The program's thread-local variables are on the stack too, and may not leave enough of it. */
    if (error == EINVAL)
        error = create_thread(resolver, 0);
    if (!error)
        resolver->threads++;
    return resolver->threads ? 0 : error;
}

/* Makes it a new resolver of this process. Returns 0 or an error number. */
static int initialise(struct resolver *resolver)
{
    resolver->process = getpid();
    list_init(&resolver->waiting);
    resolver->threads = 0;
    resolver->released = false;
    return pthread_mutex_init(&resolver->mutex, NULL);
}

struct resolver *resolver_create(void)
{
    struct resolver *resolver = malloc(sizeof(*resolver));
    int error = resolver ? initialise(resolver) : ENOMEM;

    if (error) {
        free(resolver);
        errno = error;
        return NULL;
    }
    return resolver;
}

void resolver_release(struct resolver *resolver)
{
    bool last;

    if (!resolver)
        return;
    /* Of a fork's parent: the mutex may be held by a thread that this process does not have. */
    if (resolver->process != getpid()) {
        free(resolver);
        return;
    }
    pthread_mutex_lock(&resolver->mutex);
    resolver->released = true;
    last = resolver->threads == 0;
    pthread_mutex_unlock(&resolver->mutex);
    if (last)
        free_resolver(resolver);
}

static bool has_length_of_a_name(const char *name)
{
    size_t length = strlen(name);

    if (length > 0 && name[length - 1] == '.')
        length--;
    return length > 0 && length <= NAME_LENGTH_MAX;
}

/* Returns 0 or an error number. */
static int enqueue(struct resolver *resolver, struct lookup *lookup)
{
    int error;

    /* What the resolver had before a fork belongs to the other process. */
    if (resolver->process != getpid()) {
        error = initialise(resolver);
        if (error)
            return error;
    }
    pthread_mutex_lock(&resolver->mutex);
    list_append(&resolver->waiting, &lookup->waiting);
    error = provide_thread(resolver);
    if (error)
        list_remove(&lookup->waiting);
    pthread_mutex_unlock(&resolver->mutex);
    return error;
}

struct lookup *lookup_begin(struct resolver *resolver, const char *name, int port, int fd)
{
    size_t size = strlen(name) + 1;
    struct lookup *lookup = malloc(sizeof(*lookup) + size);
    int error;

    if (!lookup) {
        errno = ENOMEM;
        return NULL;
    }
    lookup->resolver = resolver;
    list_init(&lookup->waiting);
    lookup->process = getpid();
    lookup->state = LOOKUP_WAITING;
    lookup->fd = fd;
    lookup->addresses = NULL;
    lookup->why = NULL;
    snprintf(lookup->port, sizeof(lookup->port), "%d", port);
    memcpy(lookup->name, name, size);
    if (!has_length_of_a_name(name)) {
        lookup->state = LOOKUP_ANSWERED;
        lookup->why = "host not found";
        wake_signal(fd);
        return lookup;
    }
    error = enqueue(resolver, lookup);
    if (error) {
        free_lookup(lookup);
        errno = error;
        return NULL;
    }
    return lookup;
}

enum lookup_result lookup_take(
    struct lookup *lookup, struct socket_addresses **addresses, const char **why)
{
    bool answered;

    if (lookup->process != getpid()) {
        *why = "the process was forked during the name look-up";
        free_lookup(lookup);
        return LOOKUP_FAILED;
    }
    pthread_mutex_lock(&lookup->resolver->mutex);
    answered = lookup->state == LOOKUP_ANSWERED;
    pthread_mutex_unlock(&lookup->resolver->mutex);
    if (!answered)
        return LOOKUP_PENDING;
    if (lookup->why) {
        *why = lookup->why;
        free_lookup(lookup);
        return LOOKUP_FAILED;
    }
    *addresses = lookup->addresses;
    free(lookup);
    return LOOKUP_FOUND;
}

void lookup_cancel(struct lookup *lookup)
{
    struct resolver *resolver = lookup->resolver;
    bool in_thread = false;

    /* Of a fork's parent: neither the mutex nor the list can be relied on, nor is there a thread
     * that knows of the lookup. */
    if (lookup->process == getpid()) {
        pthread_mutex_lock(&resolver->mutex);
        list_remove(&lookup->waiting);
        in_thread = lookup->state == LOOKUP_ASKING;
        if (in_thread)
            lookup->state = LOOKUP_CANCELLED;
        pthread_mutex_unlock(&resolver->mutex);
    }
    if (!in_thread)
        free_lookup(lookup);
}
