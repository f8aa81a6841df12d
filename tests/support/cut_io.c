/* This file defines what a fortified header would turn into something else. */
#undef _FORTIFY_SOURCE

#include "cut_io.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RANDOM_MOST 64u
#define VECTORS_MOST 64

enum cut_mode { CUT_NOTHING, CUT_FIXED, CUT_RANDOM, CUT_EAGAIN, CUT_EINTR };

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum cut_mode mode;
static size_t fixed;
static unsigned int seed;

static __thread bool active;
static __thread unsigned int state;

static void read_environment(void)
{
    const char *wanted = getenv("LWS_TEST_CUT");
    const char *given = getenv("LWS_TEST_SEED");
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    seed = given != NULL ? (unsigned int)strtoul(given, NULL, 10)
                         : (unsigned int)now.tv_nsec ^ (unsigned int)getpid();
    if (wanted == NULL || *wanted == '\0') {
        mode = CUT_NOTHING;
    } else if (strcmp(wanted, "random") == 0) {
        mode = CUT_RANDOM;
    } else if (strcmp(wanted, "eagain") == 0) {
        mode = CUT_EAGAIN;
    } else if (strcmp(wanted, "eintr") == 0) {
        mode = CUT_EINTR;
    } else {
        mode = CUT_FIXED;
        fixed = strtoul(wanted, NULL, 10);
        if (fixed == 0) {
            fprintf(stderr, "LWS_TEST_CUT is a number, random, eagain or eintr\n");
            abort();
        }
    }
}

bool cut_io_wanted(void)
{
    pthread_once(&once, read_environment);
    return mode != CUT_NOTHING;
}

unsigned int cut_io_seed(void)
{
    pthread_once(&once, read_environment);
    return seed;
}

void cut_io_here(bool on)
{
    active = on && cut_io_wanted();
    state = seed;
}

static unsigned int next_random(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 16;
}

/* Pairs of the engine's own carry packets, which must stay whole. */
static bool is_stream(int fd)
{
    int type;
    socklen_t length = sizeof type;
    int saved = errno;
    bool stream = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;

    errno = saved;
    return stream;
}

/* Whether this call is to fail; errno is set then. */
static bool fails(int fd)
{
    if (!active || (mode != CUT_EAGAIN && mode != CUT_EINTR))
        return false;
    if (next_random() % 3 != 0 || !is_stream(fd))
        return false;
    errno = mode == CUT_EAGAIN ? EAGAIN : EINTR;
    return true;
}

/* How many of the bytes may move. */
static size_t cut(int fd, size_t length)
{
    size_t most;

    if (!active || length < 2 || (mode != CUT_FIXED && mode != CUT_RANDOM) || !is_stream(fd))
        return length;
    most = mode == CUT_FIXED ? fixed : 1 + next_random() % RANDOM_MOST;
    return length < most ? length : most;
}

/* The same for vectors: fills `out` with the first bytes of `in`, returns the number of vectors. */
static size_t cut_vectors(int fd, const struct iovec *in, size_t count, struct iovec *out)
{
    size_t total = 0;
    size_t left;
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        total += in[i].iov_len;
    left = cut(fd, total);
    while (used < count && used < VECTORS_MOST && left > 0) {
        out[used] = in[used];
        if (out[used].iov_len > left)
            out[used].iov_len = left;
        left -= out[used].iov_len;
        used++;
    }
    return used;
}

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

ssize_t recv(int fd, void *data, size_t length, int flags)
{
    ORIGINAL(recv);
    return fails(fd) ? -1 : next(fd, data, cut(fd, length), flags);
}

ssize_t read(int fd, void *data, size_t length)
{
    ORIGINAL(read);
    return fails(fd) ? -1 : next(fd, data, cut(fd, length));
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    ORIGINAL(send);
    return fails(fd) ? -1 : next(fd, data, cut(fd, length), flags);
}

ssize_t write(int fd, const void *data, size_t length)
{
    ORIGINAL(write);
    return fails(fd) ? -1 : next(fd, data, cut(fd, length));
}

ssize_t writev(int fd, const struct iovec *vectors, int count)
{
    struct iovec part[VECTORS_MOST];

    ORIGINAL(writev);
    if (!active || count <= 0)
        return next(fd, vectors, count);
    if (fails(fd))
        return -1;
    return next(fd, part, (int)cut_vectors(fd, vectors, (size_t)count, part));
}

ssize_t readv(int fd, const struct iovec *vectors, int count)
{
    struct iovec part[VECTORS_MOST];

    ORIGINAL(readv);
    if (!active || count <= 0)
        return next(fd, vectors, count);
    if (fails(fd))
        return -1;
    return next(fd, part, (int)cut_vectors(fd, vectors, (size_t)count, part));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec part[VECTORS_MOST];
    struct msghdr copy = *message;

    ORIGINAL(sendmsg);
    if (!active)
        return next(fd, message, flags);
    if (fails(fd))
        return -1;
    copy.msg_iovlen = cut_vectors(fd, message->msg_iov, message->msg_iovlen, part);
    copy.msg_iov = part;
    return next(fd, &copy, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    struct iovec part[VECTORS_MOST];
    struct iovec *vectors = message->msg_iov;
    size_t count = message->msg_iovlen;
    ssize_t result;

    ORIGINAL(recvmsg);
    if (!active)
        return next(fd, message, flags);
    if (fails(fd))
        return -1;
    message->msg_iovlen = cut_vectors(fd, vectors, count, part);
    message->msg_iov = part;
    result = next(fd, message, flags);
    message->msg_iov = vectors;
    message->msg_iovlen = count;
    return result;
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    ORIGINAL(sendfile);
    return fails(out) ? -1 : next(out, in, offset, cut(out, count));
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
    ORIGINAL(sendfile64);
    return fails(out) ? -1 : next(out, in, offset, cut(out, count));
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    ORIGINAL(accept4);
    return fails(fd) ? -1 : next(fd, address, length, flags);
}
