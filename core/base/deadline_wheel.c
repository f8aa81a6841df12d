#include "base/deadline_wheel.h"

/*
 * A deadline counts in whole ticks, rounded up. Seen as digits of DEADLINE_SLOT_BITS each, its
 * tick and the wheel's differ first (from the top) in some digit: that digit's place is its level
 * and the digit its slot. So all of a level is due before anything on the level above, a slot is
 * reached when the wheel's tick gets to the first tick the slot stands for, and then its
 * deadlines share one more digit with the wheel and move at least one level down. On level 0 a
 * slot stands for one tick.
 *
 * The top level is a ring instead: a slot there is what comes 1 to DEADLINE_SLOTS - 1 turns of the
 * level below from now, and deadlines that are later wait in the last of them.
 */
enum { TOP = DEADLINE_LEVELS - 1, SLOT_MASK = DEADLINE_SLOTS - 1 };

_Static_assert(DEADLINE_SLOTS == 64, "a level's occupied slots are the bits of one word");

static unsigned int level_shift(unsigned int level)
{
    return level * DEADLINE_SLOT_BITS;
}

static uint64_t tick_at_or_after(uint64_t at)
{
    return at / DEADLINE_TICK_MS + (at % DEADLINE_TICK_MS != 0);
}

/* The tick at which a deadline comes due, seen from the wheel's present time. */
static uint64_t due_tick(const struct deadline_wheel *wheel, uint64_t at)
{
    uint64_t tick = tick_at_or_after(at);

    /* One that is past need not wait for the end of its tick. */
    if (at <= wheel->now && tick > wheel->now / DEADLINE_TICK_MS)
        tick = wheel->now / DEADLINE_TICK_MS;
    return tick > wheel->tick ? tick : wheel->tick;
}

static void insert(struct deadline_wheel *wheel, struct deadline *deadline)
{
    uint64_t tick = due_tick(wheel, deadline->at);
    uint64_t turns = (tick >> level_shift(TOP)) - (wheel->tick >> level_shift(TOP));
    unsigned int level = 0;
    unsigned int slot;

    if (turns > 0) {
        if (turns > SLOT_MASK)
            turns = SLOT_MASK;
        level = TOP;
        slot = (unsigned int)((wheel->tick >> level_shift(TOP)) + turns) & SLOT_MASK;
    } else {
        uint64_t differing = tick ^ wheel->tick;

        if (differing != 0)
            level = (63 - (unsigned int)__builtin_clzll(differing)) / DEADLINE_SLOT_BITS;
        slot = (unsigned int)(tick >> level_shift(level)) & SLOT_MASK;
    }
    list_append(&wheel->slots[level][slot], &deadline->node);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

static void remove_from_slot(struct deadline_wheel *wheel, struct deadline *deadline)
{
    struct list_node *neighbour = deadline->node.next;
    bool alone = neighbour == deadline->node.previous;

    list_remove(&deadline->node);
    if (alone) {
        /* The only neighbour of a slot's last deadline is the slot itself. */
        size_t index = (size_t)(neighbour - &wheel->slots[0][0]);

        wheel->occupied[index / DEADLINE_SLOTS] &= ~(UINT64_C(1) << index % DEADLINE_SLOTS);
    }
    wheel->count--;
}

/* The first tick of the earliest slot that is not empty; false where the wheel is. */
static bool earliest_slot(
    const struct deadline_wheel *wheel, uint64_t *tick, unsigned int *level, unsigned int *slot)
{
    uint64_t digits;
    uint64_t ring;
    unsigned int first;

    for (unsigned int l = 0; l < TOP; l++) {
        if (wheel->occupied[l] == 0)
            continue;
        *level = l;
        *slot = (unsigned int)__builtin_ctzll(wheel->occupied[l]);
        digits = wheel->tick >> level_shift(l + 1) << DEADLINE_SLOT_BITS | *slot;
        *tick = digits << level_shift(l);
        return true;
    }
    ring = wheel->occupied[TOP];
    if (ring == 0)
        return false;
    digits = wheel->tick >> level_shift(TOP);
    first = (unsigned int)(digits + 1) & SLOT_MASK;
    ring = ring >> first | ring << (-first & SLOT_MASK);
    digits += 1 + (unsigned int)__builtin_ctzll(ring);
    *level = TOP;
    *slot = (unsigned int)digits & SLOT_MASK;
    *tick = digits << level_shift(TOP);
    return true;
}

static void cascade(struct deadline_wheel *wheel, unsigned int level, unsigned int slot)
{
    struct list_node moving;

    list_init(&moving);
    list_splice(&moving, &wheel->slots[level][slot]);
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    while (!list_empty(&moving)) {
        struct deadline *deadline = list_entry(moving.next, struct deadline, node);

        list_remove(&deadline->node);
        insert(wheel, deadline);
    }
}

void deadline_wheel_init(struct deadline_wheel *wheel, uint64_t now)
{
    wheel->tick = now / DEADLINE_TICK_MS;
    wheel->now = now;
    wheel->count = 0;
    for (unsigned int level = 0; level < DEADLINE_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned int slot = 0; slot < DEADLINE_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    }
}

void deadline_init(struct deadline *deadline)
{
    list_init(&deadline->node);
    deadline->at = 0;
}

void deadline_set(struct deadline_wheel *wheel, struct deadline *deadline, uint64_t at)
{
    deadline_cancel(wheel, deadline);
    deadline->at = at;
    insert(wheel, deadline);
    wheel->count++;
}

void deadline_cancel(struct deadline_wheel *wheel, struct deadline *deadline)
{
    if (deadline_is_set(deadline))
        remove_from_slot(wheel, deadline);
}

struct deadline *deadline_wheel_take(struct deadline_wheel *wheel, uint64_t now)
{
    uint64_t tick;
    unsigned int level;
    unsigned int slot;

    if (now > wheel->now)
        wheel->now = now;
    while (earliest_slot(wheel, &tick, &level, &slot) && tick <= wheel->now / DEADLINE_TICK_MS) {
        wheel->tick = tick;
        if (level == 0) {
            struct deadline *deadline =
                list_entry(wheel->slots[0][slot].next, struct deadline, node);

            remove_from_slot(wheel, deadline);
            return deadline;
        }
        cascade(wheel, level, slot);
    }
    /* Nothing is due before the next tick, so the wheel may jump to this one. */
    wheel->tick = wheel->now / DEADLINE_TICK_MS;
    return NULL;
}

uint64_t deadline_wheel_next(const struct deadline_wheel *wheel)
{
    uint64_t tick;
    unsigned int level;
    unsigned int slot;

    if (!earliest_slot(wheel, &tick, &level, &slot))
        return UINT64_MAX;
    return tick > UINT64_MAX / DEADLINE_TICK_MS ? UINT64_MAX : tick * DEADLINE_TICK_MS;
}
