/*
 * Deadlines in a hierarchical timing wheel: setting and cancelling cost the same however many
 * there are. Time is whatever the caller says it is, in milliseconds that only grow.
 */
#ifndef LWSLOOP_BASE_DEADLINE_WHEEL_H
#define LWSLOOP_BASE_DEADLINE_WHEEL_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DEADLINE_TICK_MS = 16,
    DEADLINE_SLOT_BITS = 6,
    DEADLINE_SLOTS = 1 << DEADLINE_SLOT_BITS,
    DEADLINE_LEVELS = 5 /* 64^5 ticks: about 198 days; what is later waits at the far end */
};

/* Lives inside what has the deadline. deadline_init once, before anything else. */
struct deadline {
    struct list_node node;
    uint64_t at; /* milliseconds; meaningful while it is set */
};

struct deadline_wheel {
    uint64_t tick; /* all deadlines before it have been taken */
    uint64_t now;  /* the latest time the wheel was told, in milliseconds */
    uint64_t count;
    uint64_t occupied[DEADLINE_LEVELS]; /* a bit for each slot that is not empty */
    struct list_node slots[DEADLINE_LEVELS][DEADLINE_SLOTS];
};

void deadline_wheel_init(struct deadline_wheel *wheel, uint64_t now);

void deadline_init(struct deadline *deadline);

static inline bool deadline_is_set(const struct deadline *deadline)
{
    return !list_empty(&deadline->node);
}

/* Sets it, or moves it if it is set. One that is already past is taken by the next take. */
void deadline_set(struct deadline_wheel *wheel, struct deadline *deadline, uint64_t at);

/* Harmless where it is not set. */
void deadline_cancel(struct deadline_wheel *wheel, struct deadline *deadline);

/*
 * Takes one deadline with at <= now off the wheel, or returns NULL. Never takes one before its
 * time, and takes it at the latest DEADLINE_TICK_MS after it.
 */
struct deadline *deadline_wheel_take(struct deadline_wheel *wheel, uint64_t now);

/*
 * When deadline_wheel_take is next worth calling: not later than the earliest deadline rounded up
 * to a tick (or than now, for one that was set when it was past), perhaps earlier, at a bounded
 * number of needless calls for each. UINT64_MAX if there is none.
 */
uint64_t deadline_wheel_next(const struct deadline_wheel *wheel);

#endif
