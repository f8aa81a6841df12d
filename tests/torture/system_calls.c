/* This file defines what a fortified header would turn into something else. */
#undef _FORTIFY_SOURCE

#include "failures.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

#define FAILS(call) failures_now(call, __builtin_return_address(0))

static void *original(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

#define ORIGINAL(name)                                                                             \
    static __typeof__(&name) next;                                                                 \
    if (next == NULL)                                                                              \
    next = (__typeof__(&name))original(#name)

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    ORIGINAL(accept4);
    return FAILS(FAIL_ACCEPT4) ? -1 : next(fd, address, length, flags);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    ORIGINAL(bind);
    return FAILS(FAIL_BIND) ? -1 : next(fd, address, length);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    ORIGINAL(connect);
    return FAILS(FAIL_CONNECT) ? -1 : next(fd, address, length);
}

int eventfd(unsigned int count, int flags)
{
    ORIGINAL(eventfd);
    return FAILS(FAIL_EVENTFD) ? -1 : next(count, flags);
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    long argument;

    ORIGINAL(fcntl);
    va_start(arguments, command);
    argument = va_arg(arguments, long);
    va_end(arguments);
    return FAILS(FAIL_FCNTL) ? -1 : next(fd, command, argument);
}

int fstat(int fd, struct stat *status)
{
    ORIGINAL(fstat);
    return FAILS(FAIL_FSTAT) ? -1 : next(fd, status);
}

static pthread_mutex_t names_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t names_changed = PTHREAD_COND_INITIALIZER;
static bool names_held;

void failures_hold_names(bool hold)
{
    pthread_mutex_lock(&names_mutex);
    names_held = hold;
    pthread_cond_broadcast(&names_changed);
    pthread_mutex_unlock(&names_mutex);
}

static void wait_for_names(void)
{
    pthread_mutex_lock(&names_mutex);
    while (names_held)
        pthread_cond_wait(&names_changed, &names_mutex);
    pthread_mutex_unlock(&names_mutex);
}

/* Only the second is one where somebody listens. */
static int two_addresses(__typeof__(&getaddrinfo) next, const char *service,
    const struct addrinfo *hints, struct addrinfo **result)
{
    int error = next("127.0.0.2", service, hints, result);

    if (error != 0)
        return error;
    error = next("127.0.0.1", service, hints, &(*result)->ai_next);
    if (error != 0) {
        (*result)->ai_next = NULL;
        freeaddrinfo(*result);
    }
    return error;
}

int getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    ORIGINAL(getaddrinfo);
    if (FAILS(FAIL_GETADDRINFO)) {
        errno = EMFILE;
        return failures_planned_error();
    }
    if (node != NULL && strcmp(node, "talk.example") == 0)
        return two_addresses(next, service, hints, result);
    if (node != NULL && strcmp(node, "slow.example") == 0) {
        wait_for_names();
        return EAI_NONAME;
    }
    return next(node, service, hints, result);
}

int gethostname(char *name, size_t length)
{
    ORIGINAL(gethostname);
    return FAILS(FAIL_GETHOSTNAME) ? -1 : next(name, length);
}

int getifaddrs(struct ifaddrs **addresses)
{
    ORIGINAL(getifaddrs);
    return FAILS(FAIL_GETIFADDRS) ? -1 : next(addresses);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
    ORIGINAL(getpeername);
    return FAILS(FAIL_GETPEERNAME) ? -1 : next(fd, address, length);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    ORIGINAL(getsockopt);
    return FAILS(FAIL_GETSOCKOPT) ? -1 : next(fd, level, option, value, length);
}

int listen(int fd, int backlog)
{
    ORIGINAL(listen);
    return FAILS(FAIL_LISTEN) ? -1 : next(fd, backlog);
}

int lstat(const char *path, struct stat *status)
{
    ORIGINAL(lstat);
    return FAILS(FAIL_LSTAT) ? -1 : next(path, status);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    unsigned int mode = 0;

    ORIGINAL(open);
    va_start(arguments, flags);
    if (__OPEN_NEEDS_MODE(flags))
        mode = va_arg(arguments, unsigned int);
    va_end(arguments);
    return FAILS(FAIL_OPEN) ? -1 : next(path, flags, mode);
}

extern int __interceptor_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
    void *(*function)(void *), void *argument) __attribute__((weak));

struct thread_start {
    void *(*function)(void *);
    void *argument;
};

static atomic_uint threads;

static void *run_thread(void *argument)
{
    struct thread_start start = *(struct thread_start *)argument;
    void *result;

    free(argument);
    INSIDE_LIBRARY(result = start.function(start.argument));
    atomic_fetch_sub(&threads, 1);
    return result;
}

bool failures_threads_ended(void)
{
    const struct timespec moment = {.tv_nsec = 100000};

    for (unsigned int i = 0; i < 100000 && atomic_load(&threads) > 0; i++)
        nanosleep(&moment, NULL);
    return atomic_load(&threads) == 0;
}

int pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    struct thread_start *start;
    int error;

    ORIGINAL(pthread_create);
    if (__interceptor_pthread_create != NULL)
        next = __interceptor_pthread_create;
    if (FAILS(FAIL_PTHREAD_CREATE))
        return failures_planned_error();
    if (!failures_from_library(__builtin_return_address(0)))
        return next(thread, attributes, function, argument);
    start = malloc(sizeof *start);
    if (start == NULL)
        abort();
    *start = (struct thread_start){function, argument};
    atomic_fetch_add(&threads, 1);
    error = next(thread, attributes, run_thread, start);
    if (error != 0) {
        atomic_fetch_sub(&threads, 1);
        free(start);
    }
    return error;
}

int memfd_create(const char *name, unsigned int flags)
{
    ORIGINAL(memfd_create);
    return FAILS(FAIL_MEMFD_CREATE) ? -1 : next(name, flags);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    ORIGINAL(mmap);
    if (FAILS(FAIL_MMAP))
        return MAP_FAILED;
    return next(address, length, protection, flags, fd, offset);
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
    ORIGINAL(socketpair);
    return FAILS(FAIL_SOCKETPAIR) ? -1 : next(domain, type, protocol, ends);
}

ssize_t read(int fd, void *data, size_t length)
{
    ORIGINAL(read);
    return FAILS(FAIL_READ) ? -1 : next(fd, data, length);
}

ssize_t recv(int fd, void *data, size_t length, int flags)
{
    ORIGINAL(recv);
    return FAILS(FAIL_RECV) ? -1 : next(fd, data, length, flags);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    ORIGINAL(sendfile);
    return FAILS(FAIL_SENDFILE) ? -1 : next(out, in, offset, count);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ORIGINAL(sendmsg);
    return FAILS(FAIL_SENDMSG) ? -1 : next(fd, message, flags);
}

int setgroups(size_t count, const gid_t *groups)
{
    ORIGINAL(setgroups);
    return FAILS(FAIL_SETGROUPS) ? -1 : next(count, groups);
}

int setresgid(gid_t real, gid_t effective, gid_t saved)
{
    ORIGINAL(setresgid);
    return FAILS(FAIL_SETRESGID) ? -1 : next(real, effective, saved);
}

int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    ORIGINAL(setresuid);
    return FAILS(FAIL_SETRESUID) ? -1 : next(real, effective, saved);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    ORIGINAL(setsockopt);
    return FAILS(FAIL_SETSOCKOPT) ? -1 : next(fd, level, option, value, length);
}

int shutdown(int fd, int how)
{
    ORIGINAL(shutdown);
    return FAILS(FAIL_SHUTDOWN) ? -1 : next(fd, how);
}

int socket(int domain, int type, int protocol)
{
    ORIGINAL(socket);
    return FAILS(FAIL_SOCKET) ? -1 : next(domain, type, protocol);
}

int stat(const char *path, struct stat *status)
{
    ORIGINAL(stat);
    return FAILS(FAIL_STAT) ? -1 : next(path, status);
}

int timerfd_create(clockid_t clock, int flags)
{
    ORIGINAL(timerfd_create);
    return FAILS(FAIL_TIMERFD_CREATE) ? -1 : next(clock, flags);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *before)
{
    ORIGINAL(timerfd_settime);
    return FAILS(FAIL_TIMERFD_SETTIME) ? -1 : next(fd, flags, value, before);
}

int unlink(const char *path)
{
    ORIGINAL(unlink);
    return FAILS(FAIL_UNLINK) ? -1 : next(path);
}
