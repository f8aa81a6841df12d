/*
 * malloc() and its relatives, for everything in the process. They hand on to the sanitizer's where
 * there is one, else to the C library's.
 */
#include "failures.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOT_INSTRUMENTED __attribute__((no_sanitize("address", "undefined")))
#define TRACKED 8192u
#define CALLER __builtin_return_address(0)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *p, size_t size) __attribute__((weak));
extern void __interceptor_free(void *p) __attribute__((weak));

/* What liblwsloop and zlib have allocated and not freed. */
static atomic_flag busy = ATOMIC_FLAG_INIT;
static void *tracked[TRACKED];
static size_t tracked_count;

size_t failures_outstanding(void)
{
    return tracked_count;
}

/* Not a mutex: its functions are a sanitizer's, which may not be ready yet. */
NOT_INSTRUMENTED static void lock(void)
{
    while (atomic_flag_test_and_set(&busy))
        ;
}

NOT_INSTRUMENTED static void unlock(void)
{
    atomic_flag_clear(&busy);
}

NOT_INSTRUMENTED static void track(void *p, const void *caller)
{
    if (p == NULL || !(failures_from_library(caller) || failures_from_zlib(caller)))
        return;
    lock();
    if (tracked_count == TRACKED)
        abort();
    tracked[tracked_count++] = p;
    unlock();
}

NOT_INSTRUMENTED static void forget(const void *p)
{
    lock();
    for (size_t i = tracked_count; i > 0; i--) {
        if (tracked[i - 1] == p) {
            tracked[i - 1] = tracked[--tracked_count];
            break;
        }
    }
    unlock();
}

NOT_INSTRUMENTED static void *allocate(size_t size, const void *caller)
{
    void *p;

    if (failures_now(FAIL_ALLOCATION, caller))
        return NULL;
    p = __interceptor_malloc != NULL ? __interceptor_malloc(size) : __libc_malloc(size);
    track(p, caller);
    return p;
}

NOT_INSTRUMENTED static void *allocate_again(void *p, size_t size, const void *caller)
{
    void *larger;

    if (failures_now(FAIL_ALLOCATION, caller))
        return NULL;
    larger =
        __interceptor_realloc != NULL ? __interceptor_realloc(p, size) : __libc_realloc(p, size);
    if (larger != NULL || size == 0) {
        forget(p);
        track(larger, caller);
    }
    return larger;
}

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

NOT_INSTRUMENTED void *malloc(size_t size)
{
    return allocate(size, CALLER);
}

NOT_INSTRUMENTED void *calloc(size_t count, size_t size)
{
    void *p;

    if (failures_now(FAIL_ALLOCATION, CALLER))
        return NULL;
    p = __interceptor_calloc != NULL ? __interceptor_calloc(count, size)
                                     : __libc_calloc(count, size);
    track(p, CALLER);
    return p;
}

NOT_INSTRUMENTED void *realloc(void *p, size_t size)
{
    return allocate_again(p, size, CALLER);
}

NOT_INSTRUMENTED void *reallocarray(void *p, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return allocate_again(p, count * size, CALLER);
}

NOT_INSTRUMENTED char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = allocate(size, CALLER);

    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

NOT_INSTRUMENTED void free(void *p)
{
    if (p != NULL)
        forget(p);
    if (__interceptor_free != NULL)
        __interceptor_free(p);
    else
        __libc_free(p);
}
