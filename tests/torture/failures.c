/* What fails, and when. None of this may be instrumented: it runs before the sanitizers do. */
#include "failures.h"

#include <errno.h>
#include <link.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define ERRORS 8
#define NOT_INSTRUMENTED __attribute__((no_sanitize("address", "undefined")))

struct range {
    uintptr_t start;
    uintptr_t end;
};

/* Errors that the manual has for the call, and after which the connection or creation may fail but
 * nothing else. Ends with 0. */
static const struct {
    const char *name;
    int errors[ERRORS];
} calls[FAILING_CALLS] = {
    [FAIL_ALLOCATION] = {"an allocation", {ENOMEM}},
    [FAIL_ACCEPT4] = {"accept4", {EMFILE, ECONNABORTED, EAGAIN, EINTR}},
    [FAIL_BIND] = {"bind", {EACCES, EADDRINUSE, EADDRNOTAVAIL}},
    [FAIL_CONNECT] = {"connect", {EAGAIN, EACCES}},
    [FAIL_EVENTFD] = {"eventfd", {EMFILE, ENOMEM, ENODEV}},
    [FAIL_FCNTL] = {"fcntl", {EACCES, EPERM}},
    [FAIL_FSTAT] = {"fstat", {EIO, ENOMEM}},
    [FAIL_GETADDRINFO] = {"getaddrinfo", {EAI_MEMORY, EAI_SYSTEM}},
    [FAIL_GETHOSTNAME] = {"gethostname", {ENAMETOOLONG, EPERM}},
    [FAIL_GETIFADDRS] = {"getifaddrs", {EMFILE, ENOBUFS}},
    [FAIL_GETPEERNAME] = {"getpeername", {ENOTCONN, ENOBUFS}},
    [FAIL_GETSOCKOPT] = {"getsockopt", {ENOTSOCK, ENOBUFS}},
    [FAIL_LISTEN] = {"listen", {EADDRINUSE}},
    [FAIL_LSTAT] = {"lstat", {EACCES, ENOENT}},
    [FAIL_MEMFD_CREATE] = {"memfd_create", {EMFILE, ENFILE, ENOMEM, EINVAL}},
    [FAIL_MMAP] = {"mmap", {ENOMEM, EAGAIN}},
    [FAIL_OPEN] = {"open", {EMFILE, EACCES, ENFILE, ENOENT, ENOMEM}},
    [FAIL_PTHREAD_CREATE] = {"pthread_create", {EAGAIN, EPERM}},
    [FAIL_READ] = {"read", {EAGAIN, EINTR}},
    [FAIL_RECV] = {"recv", {ECONNRESET, EAGAIN, ETIMEDOUT, EINTR, ENOMEM}},
    [FAIL_SENDFILE] = {"sendfile", {EIO, ECONNRESET, EAGAIN, EPIPE, EINTR, ENOMEM}},
    [FAIL_SENDMSG] = {"sendmsg", {ECONNRESET, ENOBUFS, EPIPE, EAGAIN, ENOMEM, EINTR}},
    [FAIL_SETGROUPS] = {"setgroups", {EPERM, ENOMEM}},
    [FAIL_SETRESGID] = {"setresgid", {EPERM, EAGAIN}},
    [FAIL_SETRESUID] = {"setresuid", {EAGAIN, EPERM}},
    [FAIL_SETSOCKOPT] = {"setsockopt", {ENOBUFS, ENOMEM, EINVAL}},
    [FAIL_SHUTDOWN] = {"shutdown", {ENOTCONN}},
    [FAIL_SOCKET] = {"socket", {EMFILE, ENFILE, ENOBUFS, EACCES}},
    [FAIL_SOCKETPAIR] = {"socketpair", {EMFILE, ENFILE, EOPNOTSUPP}},
    [FAIL_STAT] = {"stat", {ENOENT, EACCES, ENOMEM, EIO}},
    [FAIL_TIMERFD_CREATE] = {"timerfd_create", {EMFILE, ENODEV}},
    [FAIL_TIMERFD_SETTIME] = {"timerfd_settime", {EINVAL}},
    [FAIL_UNLINK] = {"unlink", {EACCES, EROFS}},
};

static struct failure_plan plan = {.call = FAIL_NOTHING};
static atomic_uint counted;
static atomic_uint made;
static atomic_bool paused;
static struct range program;
static struct range library;
static struct range openssl[2];
static struct range zlib;

static __thread bool inside_library;

static void widen(struct range *range, const struct dl_phdr_info *object)
{
    range->start = UINTPTR_MAX;
    range->end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t start = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
        uintptr_t end = start + object->dlpi_phdr[i].p_memsz;

        if (object->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        range->start = start < range->start ? start : range->start;
        range->end = end > range->end ? end : range->end;
    }
}

static int look_at(struct dl_phdr_info *object, size_t size, void *argument)
{
    (void)size;
    (void)argument;
    if (object->dlpi_name == NULL || object->dlpi_name[0] == '\0')
        widen(&program, object);
    else if (strstr(object->dlpi_name, "liblwsloop.so") != NULL)
        widen(&library, object);
    else if (strstr(object->dlpi_name, "libssl.so") != NULL)
        widen(&openssl[0], object);
    else if (strstr(object->dlpi_name, "libcrypto.so") != NULL)
        widen(&openssl[1], object);
    else if (strstr(object->dlpi_name, "libz.so") != NULL)
        widen(&zlib, object);
    return 0;
}

NOT_INSTRUMENTED static bool is_in(const struct range *range, const void *address)
{
    return (uintptr_t)address >= range->start && (uintptr_t)address < range->end;
}

NOT_INSTRUMENTED static bool is_openssl(const void *address)
{
    return is_in(&openssl[0], address) || is_in(&openssl[1], address);
}

/* Whether a call is one of those that the plan is about. */
NOT_INSTRUMENTED static bool counts(enum failing_call call, const void *caller)
{
    if (call != FAIL_ALLOCATION)
        return is_in(&library, caller);
    if (is_in(&program, caller))
        return false;
    return plan.by == BY_ANYBODY || (plan.by == BY_OPENSSL) == is_openssl(caller);
}

const char *failures_name(enum failing_call call)
{
    return calls[call].name;
}

size_t failures_errors(enum failing_call call)
{
    size_t count = 0;

    while (calls[call].errors[count] != 0)
        count++;
    return count;
}

int failures_error(enum failing_call call, size_t which)
{
    return calls[call].errors[which];
}

void failures_begin(const struct failure_plan *wanted)
{
    if (library.end == 0)
        dl_iterate_phdr(look_at, NULL);
    plan = *wanted;
    counted = 0;
    made = 0;
    paused = false;
}

void failures_end(void)
{
    plan.call = FAIL_NOTHING;
}

void failures_pause(bool pause)
{
    paused = pause;
}

unsigned int failures_made(void)
{
    return made;
}

NOT_INSTRUMENTED bool failures_inside(bool inside)
{
    bool before = inside_library;

    inside_library = inside;
    return before;
}

NOT_INSTRUMENTED bool failures_from_library(const void *caller)
{
    return is_in(&library, caller);
}

NOT_INSTRUMENTED bool failures_from_zlib(const void *caller)
{
    return is_in(&zlib, caller);
}

NOT_INSTRUMENTED int failures_planned_error(void)
{
    return plan.error;
}

NOT_INSTRUMENTED bool failures_now(enum failing_call call, const void *caller)
{
    unsigned int number;

    if (!inside_library || paused || call != plan.call || !counts(call, caller))
        return false;
    number = ++counted;
    if (number != plan.first && !(plan.lasting && number > plan.first))
        return false;
    made++;
    errno = plan.error;
    return true;
}
