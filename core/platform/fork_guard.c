#include "platform/fork_guard.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ID_SHIFT = 32 };

struct fork_page {
    /* The process's number, and above it its id where that has to be asked for. */
    _Atomic uint64_t process;
};

/*
 * An emulator may know nothing of an advice and still say yes. One that refuses advice that there
 * is none of looks at what it is told.
 */
static bool is_wiped_by_fork(void *memory, size_t size)
{
#if defined(MADV_WIPEONFORK) && !defined(LWS_FORK_GUARD_ASKS)
    return madvise(memory, size, -1) < 0 && madvise(memory, size, MADV_WIPEONFORK) == 0;
#else
    (void)memory;
    (void)size;
    return false;
#endif
}

static uint64_t present_id(const struct fork_guard *guard)
{
    return guard->asks ? (uint64_t)getpid() << ID_SHIFT : 0;
}

bool fork_guard_open(struct fork_guard *guard)
{
    void *memory = mmap(
        NULL, sizeof(struct fork_page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    guard->page = NULL;
    if (memory == MAP_FAILED)
        return false;
    guard->page = memory;
    guard->asks = !is_wiped_by_fork(memory, sizeof(*guard->page));
    atomic_init(&guard->page->process, present_id(guard) | 1);
    atomic_init(&guard->last, 1);
    return true;
}

uint32_t fork_guard_process(struct fork_guard *guard)
{
    uint64_t seen = atomic_load_explicit(&guard->page->process, memory_order_acquire);
    uint64_t id = present_id(guard);
    uint32_t number;

    if (seen != 0 && seen >> ID_SHIFT << ID_SHIFT == id)
        return (uint32_t)seen;
    /* It is counted before it shows: a number that any thread has seen is never given again, also
     * where another thread forks in between. */
    number = atomic_fetch_add(&guard->last, 1) + 1;
    if (atomic_compare_exchange_strong(&guard->page->process, &seen, id | number))
        return number;
    /* Another thread was quicker. */
    return (uint32_t)seen;
}

void fork_guard_close(struct fork_guard *guard)
{
    if (guard->page)
        (void)munmap(guard->page, sizeof(*guard->page));
    guard->page = NULL;
}
