/*
 * Which of several related processes has something, and whether that one is still alive.
 *
 * Made by one process and inherited by those that it forks, and they. A process joins, which gives
 * it a place of its own in the lock; the place is held until the process leaves or ends, however it
 * ends, and is not inherited. Whoever has joined may claim, which costs no system call; the last
 * one to do so is the holder.
 *
 * The place is a record lock (fcntl(2)), which belongs to a process alone. An open file
 * description's lock, flock(2)'s or the end of a pipe would live on in whatever children the holder
 * has.
 */
#ifndef LWSLOOP_PLATFORM_PROCESS_LOCK_H
#define LWSLOOP_PLATFORM_PROCESS_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

/* In memory that all of them see. */
struct process_lock_shared;

struct process_lock {
    struct process_lock_shared *shared;
    int fd;             /* -1: nobody asks whether the holder lives */
    unsigned int place; /* this process's; after a fork the parent's, until the child joins */
    pid_t joined;       /* the process that has it */
};

/* All is nothing: closing it is harmless. */
#define PROCESS_LOCK_NONE ((struct process_lock){NULL, -1, 0, 0})

/*
 * Makes it; the calling process has joined and is the holder.
 *
 *   can_be_asked   whether process_lock_is_alive will be used, which takes a descriptor
 *
 * False with errno.
 */
bool process_lock_open(struct process_lock *lock, bool can_be_asked);

/* Takes a place for a process that has forked off since. False with errno; it may try again. */
bool process_lock_join(struct process_lock *lock);

/* Makes the calling process, which has joined, the holder. */
void process_lock_claim(const struct process_lock *lock);

/* Whether the calling process, which has joined, is the holder. */
bool process_lock_is_holder(const struct process_lock *lock);

/* Whether it was made so that this may be asked. */
static inline bool process_lock_can_be_asked(const struct process_lock *lock)
{
    return lock->fd >= 0;
}

/* Whether the holder has neither ended nor closed the lock. From any thread of any of them. */
bool process_lock_is_alive(const struct process_lock *lock);

/* Gives the place back: the calling process is not the holder any more, but may go on asking, or
 * join again. */
void process_lock_leave(struct process_lock *lock);

/* Leaves, and lets go of the calling process's copy. What another process has is not touched. */
void process_lock_close(struct process_lock *lock);

#endif
