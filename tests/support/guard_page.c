#include "support/guard_page.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void give_up(const char *what)
{
    perror(what);
    abort();
}

static size_t page_size(void)
{
    long size = sysconf(_SC_PAGESIZE);

    if (size <= 0)
        give_up("sysconf");
    return (size_t)size;
}

static size_t round_to_pages(size_t length)
{
    size_t page = page_size();

    if (length > SIZE_MAX - 2 * page) {
        fputs("guard_page: length too large\n", stderr);
        abort();
    }
    return (length + page - 1) / page * page;
}

unsigned char *guard_page_space(size_t length)
{
    size_t usable = round_to_pages(length);
    unsigned char *base = mmap(
        NULL, usable + page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        give_up("mmap");
    if (mprotect(base + usable, page_size(), PROT_NONE) != 0)
        give_up("mprotect");
    return base + usable - length;
}

unsigned char *guard_page_copy(const void *bytes, size_t length)
{
    unsigned char *copy = guard_page_space(length);

    if (length != 0)
        memcpy(copy, bytes, length);
    return copy;
}

void guard_page_free(void *p, size_t length)
{
    size_t usable = round_to_pages(length);

    if (munmap((unsigned char *)p + length - usable, usable + page_size()) != 0)
        give_up("munmap");
}
