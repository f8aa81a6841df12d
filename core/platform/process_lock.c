#include "platform/process_lock.h"

#include "platform/sealed_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

struct process_lock_shared {
    atomic_uint places; /* how many have been given out */
    atomic_uint holder; /* the place of the one that claimed last */
};

/* One byte of the file, whose size is no matter, for each place. */
static struct flock record(short type, unsigned int place)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)place, .l_len = 1};
}

static bool hold_place(struct process_lock *lock)
{
    unsigned int place = atomic_fetch_add(&lock->shared->places, 1) + 1;
    struct flock mine = record(F_WRLCK, place);
    int result = 0;

    if (lock->fd >= 0) {
        do
            result = fcntl(lock->fd, F_SETLK, &mine);
        while (result < 0 && errno == EINTR);
    }
    if (result < 0)
        return false;
    lock->place = place;
    lock->joined = getpid();
    return true;
}

bool process_lock_open(struct process_lock *lock, bool can_be_asked)
{
    void *memory = mmap(NULL, sizeof(struct process_lock_shared), PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int saved;

    *lock = PROCESS_LOCK_NONE;
    if (memory == MAP_FAILED)
        return false;
    lock->shared = memory;
    atomic_init(&lock->shared->places, 0);
    atomic_init(&lock->shared->holder, 0);
    if ((can_be_asked && (lock->fd = anonymous_file("lwsloop-lock")) < 0) || !hold_place(lock)) {
        saved = errno;
        process_lock_close(lock);
        errno = saved;
        return false;
    }
    process_lock_claim(lock);
    return true;
}

bool process_lock_join(struct process_lock *lock)
{
    return hold_place(lock);
}

void process_lock_claim(const struct process_lock *lock)
{
    /* Looked at first: what all of them read stays in their caches. */
    if (!process_lock_is_holder(lock))
        atomic_store_explicit(&lock->shared->holder, lock->place, memory_order_release);
}

bool process_lock_is_holder(const struct process_lock *lock)
{
    return atomic_load_explicit(&lock->shared->holder, memory_order_acquire) == lock->place;
}

bool process_lock_is_alive(const struct process_lock *lock)
{
    unsigned int place = atomic_load_explicit(&lock->shared->holder, memory_order_acquire);
    struct flock other = record(F_WRLCK, place);
    int result;

    /* Its own locks are never in a process's way, so it cannot ask for them. */
    if (place == lock->place && lock->joined == getpid())
        return true;
    do
        result = fcntl(lock->fd, F_GETLK, &other);
    while (result < 0 && errno == EINTR);
    return result == 0 && other.l_type != F_UNLCK;
}

void process_lock_leave(struct process_lock *lock)
{
    struct flock mine = record(F_UNLCK, lock->place);

    if (lock->fd >= 0 && lock->joined == getpid())
        (void)fcntl(lock->fd, F_SETLK, &mine);
    lock->place = 0;
    lock->joined = 0;
}

void process_lock_close(struct process_lock *lock)
{
    /* Closing any descriptor of the file lets go of the process's records, and of nobody else's. */
    if (lock->fd >= 0)
        close(lock->fd);
    if (lock->shared)
        (void)munmap(lock->shared, sizeof(*lock->shared));
    *lock = PROCESS_LOCK_NONE;
}
