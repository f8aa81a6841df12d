#include "suites.h"

#include "base/deadline_wheel.h"
#include "support/random_sequence.h"

#include <stdlib.h>
#include <string.h>

enum { MODEL_SIZE = 48 };

/* How far the wheel reaches before deadlines have to wait at its far end. */
static const uint64_t reach = UINT64_C(1) << (DEADLINE_LEVELS * DEADLINE_SLOT_BITS);

static uint64_t round_up(uint64_t at)
{
    return (at + DEADLINE_TICK_MS - 1) / DEADLINE_TICK_MS * DEADLINE_TICK_MS;
}

/* What should be on the wheel: plain entries, all looked at each time. */
struct model {
    struct deadline_wheel wheel;
    struct deadline deadlines[MODEL_SIZE];
    uint64_t at[MODEL_SIZE];
    bool set[MODEL_SIZE];
    bool was_past[MODEL_SIZE]; /* when it was set */
    uint64_t now;
};

static void model_init(struct model *model, uint64_t now)
{
    memset(model, 0, sizeof *model);
    model->now = now;
    deadline_wheel_init(&model->wheel, now);
    for (size_t i = 0; i < MODEL_SIZE; i++)
        deadline_init(&model->deadlines[i]);
}

static void model_set(struct model *model, size_t i, uint64_t at)
{
    deadline_set(&model->wheel, &model->deadlines[i], at);
    model->at[i] = at;
    model->set[i] = true;
    model->was_past[i] = at <= model->now;
}

static void model_cancel(struct model *model, size_t i)
{
    deadline_cancel(&model->wheel, &model->deadlines[i]);
    model->set[i] = false;
}

static void model_check(struct model *model)
{
    uint64_t next = deadline_wheel_next(&model->wheel);
    uint64_t earliest = UINT64_MAX;
    uint64_t count = 0;

    for (size_t i = 0; i < MODEL_SIZE; i++) {
        if (deadline_is_set(&model->deadlines[i]) != model->set[i])
            ck_abort_msg("deadline %zu at %llu: should %sbe set", i,
                (unsigned long long)model->at[i], model->set[i] ? "" : "not ");
        if (!model->set[i])
            continue;
        count++;
        if (round_up(model->at[i]) < earliest)
            earliest = round_up(model->at[i]);
    }
    if (model->wheel.count != count)
        ck_abort_msg("count");
    /* For one that was past when it was set, "at once" is early enough. */
    if (count == 0 ? next != UINT64_MAX : next > earliest && next > model->now)
        ck_abort_msg(
            "next %llu, earliest %llu", (unsigned long long)next, (unsigned long long)earliest);
}

/* Takes all that is due, and checks that it is what should be. */
static void model_take(struct model *model, uint64_t now)
{
    struct deadline *taken;

    model->now = now;
    while ((taken = deadline_wheel_take(&model->wheel, now)) != NULL) {
        size_t i = (size_t)(taken - model->deadlines);

        if (i >= MODEL_SIZE || !model->set[i] || model->at[i] > now || taken->at != model->at[i])
            ck_abort_msg("wrong deadline taken at %llu", (unsigned long long)now);
        model->set[i] = false;
        if (deadline_is_set(taken))
            ck_abort_msg("taken, and still set");
    }
    for (size_t i = 0; i < MODEL_SIZE; i++) {
        if (model->set[i] && (model->was_past[i] || round_up(model->at[i]) <= now))
            ck_abort_msg("deadline for %llu missed at %llu", (unsigned long long)model->at[i],
                (unsigned long long)now);
    }
    if (deadline_wheel_next(&model->wheel) <= now)
        ck_abort_msg("the wheel asks to be called at once, with nothing to take");
}

/* Distances of all magnitudes: as likely some milliseconds as some years. */
static uint64_t random_distance(struct random_sequence *random, unsigned int bits)
{
    return random_next(random) >> (64 - 1 - random_below(random, bits));
}

static void compare_with_model(uint64_t start, uint64_t seed, unsigned int steps,
    unsigned int set_bits, unsigned int jump_bits)
{
    struct random_sequence random = {seed};
    struct model *model = malloc(sizeof *model);

    ck_assert_ptr_nonnull(model);
    model_init(model, start);
    for (unsigned int step = 0; step < steps; step++) {
        size_t i = (size_t)random_below(&random, MODEL_SIZE);
        uint64_t next;

        switch (random_below(&random, 8)) {
        case 0:
            model_cancel(model, i);
            break;
        case 1:
            model_take(model, model->now + random_distance(&random, jump_bits));
            break;
        case 2:
            next = deadline_wheel_next(&model->wheel);
            if (next != UINT64_MAX && next > model->now && next - model->now < UINT64_C(1) << 40)
                model_take(model, next);
            break;
        case 3:
            model_set(model, i, model->now - random_below(&random, model->now + 1) % 100);
            break;
        default:
            model_set(model, i, model->now + random_distance(&random, set_bits));
            break;
        }
        model_check(model);
    }
    free(model);
}

START_TEST(like_a_plain_list_with_short_deadlines)
{
    compare_with_model(0, 12, 300000, 18, 12);
}
END_TEST

START_TEST(like_a_plain_list_with_all_deadlines)
{
    compare_with_model(987654321, 13, 300000, 40, 37);
}
END_TEST

START_TEST(like_a_plain_list_with_short_deadlines_and_big_jumps)
{
    compare_with_model(12345, 14, 200000, 24, 40);
}
END_TEST

/* Starts shortly before the last tick of all levels, so that every digit carries. */
START_TEST(like_a_plain_list_around_the_end_of_a_turn)
{
    for (unsigned int level = 1; level <= DEADLINE_LEVELS; level++) {
        uint64_t turn = (UINT64_C(1) << (level * DEADLINE_SLOT_BITS)) * DEADLINE_TICK_MS;

        for (uint64_t before = 1; before < 40; before += 3)
            compare_with_model(turn - before, before, 1000, 4 + 6 * level, 10);
    }
}
END_TEST

START_TEST(past_ones_are_taken_by_the_next_take)
{
    struct deadline_wheel wheel;
    struct deadline deadline;

    for (uint64_t now = 1000; now < 1000 + 2 * DEADLINE_TICK_MS; now++) {
        for (uint64_t back = 0; back < 100; back++) {
            deadline_wheel_init(&wheel, now);
            deadline_init(&deadline);
            deadline_set(&wheel, &deadline, now - back);
            ck_assert_uint_le(deadline_wheel_next(&wheel), now);
            ck_assert_ptr_eq(deadline_wheel_take(&wheel, now), &deadline);
            ck_assert_ptr_null(deadline_wheel_take(&wheel, now));
        }
    }
}
END_TEST

START_TEST(never_early_and_at_most_a_tick_late)
{
    struct deadline_wheel wheel;
    struct deadline deadline;

    for (uint64_t distance = 1; distance < 3000; distance++) {
        uint64_t start = 7 * distance;
        uint64_t now = start;

        deadline_wheel_init(&wheel, start);
        deadline_init(&deadline);
        deadline_set(&wheel, &deadline, start + distance);
        while (deadline_wheel_take(&wheel, now) == NULL)
            now++;
        ck_assert_uint_ge(now, start + distance);
        ck_assert_uint_lt(now, start + distance + DEADLINE_TICK_MS);
        ck_assert(!deadline_is_set(&deadline));
        ck_assert_uint_eq(wheel.count, 0);
    }
}
END_TEST

START_TEST(an_idle_wheel_keeps_up)
{
    const uint64_t now = UINT64_C(64) * 64 * 64 * DEADLINE_TICK_MS;
    struct deadline_wheel wheel;
    struct deadline deadline;

    deadline_wheel_init(&wheel, 0);
    deadline_init(&deadline);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, now));
    deadline_set(&wheel, &deadline, now + 1 + 2 * DEADLINE_TICK_MS);
    ck_assert_uint_eq(deadline_wheel_next(&wheel), now + 3 * DEADLINE_TICK_MS);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, now + 1 + 2 * DEADLINE_TICK_MS));
    ck_assert_ptr_eq(deadline_wheel_take(&wheel, now + 3 * DEADLINE_TICK_MS), &deadline);
}
END_TEST

/* How often a caller that sleeps until deadline_wheel_next wakes up for nothing. */
static uint64_t needless_calls(uint64_t start, uint64_t at)
{
    struct deadline_wheel wheel;
    struct deadline deadline;
    uint64_t calls = 0;

    deadline_wheel_init(&wheel, start);
    deadline_init(&deadline);
    deadline_set(&wheel, &deadline, at);
    for (;;) {
        uint64_t next = deadline_wheel_next(&wheel);

        if (next > round_up(at))
            ck_abort_msg("woken too late");
        if (deadline_wheel_take(&wheel, next) != NULL)
            break;
        if (deadline_wheel_next(&wheel) <= next)
            ck_abort_msg("no progress");
        calls++;
    }
    return calls;
}

START_TEST(needless_calls_are_few)
{
    struct random_sequence random = {15};

    for (unsigned int round = 0; round < 200000; round++) {
        uint64_t start = random_distance(&random, 45);
        uint64_t distance = 1 + random_below(&random, (reach - 1) * DEADLINE_TICK_MS) %
                                    (UINT64_C(1) << random_below(&random, 35));
        uint64_t calls = needless_calls(start, start + distance);

        if (calls > DEADLINE_LEVELS + 1)
            ck_abort_msg("%llu calls from %llu over %llu", (unsigned long long)calls,
                (unsigned long long)start, (unsigned long long)distance);
    }
}
END_TEST

START_TEST(needless_calls_of_far_deadlines)
{
    struct random_sequence random = {16};

    for (unsigned int round = 0; round < 2000; round++) {
        uint64_t start = random_distance(&random, 40);
        uint64_t distance = random_distance(&random, 44);
        uint64_t waits =
            distance / DEADLINE_TICK_MS / (reach / DEADLINE_SLOTS) / (DEADLINE_SLOTS - 1);

        ck_assert_uint_le(needless_calls(start, start + distance), DEADLINE_LEVELS + 1 + waits);
    }
}
END_TEST

START_TEST(needless_calls_of_many)
{
    enum { MANY = 5000 };
    struct random_sequence random = {17};
    struct deadline_wheel wheel;
    struct deadline *deadlines = malloc(MANY * sizeof *deadlines);
    uint64_t now = 777;
    uint64_t calls = 0;
    unsigned int taken = 0;

    ck_assert_ptr_nonnull(deadlines);
    deadline_wheel_init(&wheel, now);
    for (size_t i = 0; i < MANY; i++) {
        deadline_init(&deadlines[i]);
        deadline_set(&wheel, &deadlines[i], now + 1 + random_distance(&random, 33));
    }
    while (wheel.count > 0) {
        uint64_t before = wheel.count;

        now = deadline_wheel_next(&wheel);
        for (;;) {
            struct deadline *deadline = deadline_wheel_take(&wheel, now);

            if (deadline == NULL)
                break;
            if (deadline->at > now || now - deadline->at >= DEADLINE_TICK_MS)
                ck_abort_msg("%llu taken at %llu", (unsigned long long)deadline->at,
                    (unsigned long long)now);
            taken++;
        }
        if (wheel.count == before)
            calls++;
    }
    ck_assert_uint_eq(taken, MANY);
    ck_assert_uint_le(calls, MANY * (DEADLINE_LEVELS + 1));
    free(deadlines);
}
END_TEST

/* One call per tick would not come to an end in the test's time. */
START_TEST(very_big_jumps)
{
    struct deadline_wheel wheel;
    struct deadline near;
    struct deadline far;
    uint64_t now = 1;

    deadline_wheel_init(&wheel, now);
    deadline_init(&near);
    deadline_init(&far);
    for (unsigned int round = 0; round < 100; round++) {
        deadline_set(&wheel, &near, now + 100);
        deadline_set(&wheel, &far, now + UINT64_C(2000000000000));
        now += UINT64_C(1000000000000);
        ck_assert_ptr_eq(deadline_wheel_take(&wheel, now), &near);
        ck_assert_ptr_null(deadline_wheel_take(&wheel, now));
        ck_assert(deadline_is_set(&far));
        now += UINT64_C(1000000000000) + DEADLINE_TICK_MS;
        ck_assert_ptr_eq(deadline_wheel_take(&wheel, now), &far);
        ck_assert_ptr_null(deadline_wheel_take(&wheel, now));
        ck_assert_uint_eq(deadline_wheel_next(&wheel), UINT64_MAX);
    }
    now = UINT64_C(1) << 63;
    ck_assert_ptr_null(deadline_wheel_take(&wheel, now));
    deadline_set(&wheel, &near, now + 100);
    ck_assert_ptr_eq(deadline_wheel_take(&wheel, now + 100 + DEADLINE_TICK_MS), &near);
}
END_TEST

START_TEST(the_end_of_time)
{
    struct deadline_wheel wheel;
    struct deadline last;
    struct deadline never;
    uint64_t now = UINT64_MAX - 10000;

    deadline_wheel_init(&wheel, now);
    deadline_init(&last);
    deadline_init(&never);
    deadline_set(&wheel, &last, UINT64_MAX - 100);
    deadline_set(&wheel, &never, UINT64_MAX);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, now));
    ck_assert_uint_gt(deadline_wheel_next(&wheel), now);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, UINT64_MAX - 101));
    ck_assert_ptr_eq(deadline_wheel_take(&wheel, UINT64_MAX - 50), &last);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, UINT64_MAX - 1));
    ck_assert(deadline_is_set(&never));

    deadline_wheel_init(&wheel, 0);
    deadline_init(&never);
    deadline_set(&wheel, &never, UINT64_MAX);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, UINT64_C(4000000000000)));
    ck_assert(deadline_is_set(&never));
    deadline_cancel(&wheel, &never);
    ck_assert_uint_eq(deadline_wheel_next(&wheel), UINT64_MAX);
}
END_TEST

START_TEST(earlier_ticks_come_first)
{
    struct random_sequence random = {18};
    struct deadline_wheel wheel;
    struct deadline deadlines[500];
    uint64_t before = 0;
    struct deadline *taken;

    deadline_wheel_init(&wheel, 5000);
    for (size_t i = 0; i < 500; i++) {
        deadline_init(&deadlines[i]);
        deadline_set(&wheel, &deadlines[i], 5001 + random_distance(&random, 38));
    }
    while ((taken = deadline_wheel_take(&wheel, UINT64_C(1) << 40)) != NULL) {
        ck_assert_uint_ge(round_up(taken->at), before);
        before = round_up(taken->at);
    }
    ck_assert_uint_eq(wheel.count, 0);
}
END_TEST

START_TEST(set_moves_and_cancel_is_harmless_twice)
{
    struct deadline_wheel wheel;
    struct deadline deadline;

    deadline_wheel_init(&wheel, 0);
    deadline_init(&deadline);
    deadline_cancel(&wheel, &deadline);
    ck_assert_uint_eq(wheel.count, 0);
    deadline_set(&wheel, &deadline, 1000);
    deadline_set(&wheel, &deadline, 50000000);
    ck_assert_uint_eq(wheel.count, 1);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, 40000000));
    deadline_set(&wheel, &deadline, 40000100);
    ck_assert_ptr_eq(deadline_wheel_take(&wheel, 40000100 + DEADLINE_TICK_MS), &deadline);
    deadline_set(&wheel, &deadline, 60000000);
    deadline_cancel(&wheel, &deadline);
    deadline_cancel(&wheel, &deadline);
    ck_assert(!deadline_is_set(&deadline));
    ck_assert_uint_eq(wheel.count, 0);
    ck_assert_uint_eq(deadline_wheel_next(&wheel), UINT64_MAX);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, 100000000));
}
END_TEST

/* What is taken may be set again, and others cancelled, before the next one is taken. */
START_TEST(changes_while_taking)
{
    struct deadline_wheel wheel;
    struct deadline deadlines[10];
    struct deadline *taken;
    unsigned int count = 0;

    deadline_wheel_init(&wheel, 0);
    for (size_t i = 0; i < 10; i++) {
        deadline_init(&deadlines[i]);
        deadline_set(&wheel, &deadlines[i], 100 + i);
    }
    taken = deadline_wheel_take(&wheel, 1000);
    ck_assert_ptr_nonnull(taken);
    for (size_t i = 0; i < 5; i++)
        deadline_cancel(&wheel, &deadlines[i]);
    deadline_set(&wheel, taken, 1001);
    while ((taken = deadline_wheel_take(&wheel, 1000)) != NULL) {
        ck_assert(taken >= &deadlines[5]);
        count++;
    }
    ck_assert_uint_ge(count, 4);
    ck_assert_uint_eq(wheel.count, 1);
    ck_assert_ptr_nonnull(deadline_wheel_take(&wheel, 1001 + DEADLINE_TICK_MS));
    ck_assert_uint_eq(wheel.count, 0);
}
END_TEST

START_TEST(a_clock_that_goes_back_takes_nothing_early)
{
    struct deadline_wheel wheel;
    struct deadline deadline;

    deadline_wheel_init(&wheel, 100000);
    deadline_init(&deadline);
    deadline_set(&wheel, &deadline, 100500);
    ck_assert_ptr_null(deadline_wheel_take(&wheel, 100400));
    ck_assert_ptr_null(deadline_wheel_take(&wheel, 5));
    ck_assert_ptr_eq(deadline_wheel_take(&wheel, 100520), &deadline);
}
END_TEST

START_TEST(list_nodes)
{
    struct list_node head;
    struct list_node other;
    struct list_node nodes[3];

    list_init(&head);
    list_init(&other);
    for (size_t i = 0; i < 3; i++) {
        list_init(&nodes[i]);
        list_remove(&nodes[i]);
        ck_assert(list_empty(&nodes[i]));
        list_append(&head, &nodes[i]);
    }
    list_remove(&nodes[1]);
    ck_assert(list_empty(&nodes[1]));
    list_append(&other, &nodes[1]);
    list_splice(&other, &head);
    ck_assert(list_empty(&head));
    ck_assert_ptr_eq(other.next, &nodes[1]);
    ck_assert_ptr_eq(nodes[1].next, &nodes[0]);
    ck_assert_ptr_eq(nodes[0].next, &nodes[2]);
    ck_assert_ptr_eq(nodes[2].next, &other);
    ck_assert_ptr_eq(other.previous, &nodes[2]);
    ck_assert_ptr_eq(nodes[2].previous, &nodes[0]);
    ck_assert_ptr_eq(nodes[0].previous, &nodes[1]);
    ck_assert_ptr_eq(nodes[1].previous, &other);
    list_splice(&other, &head);
    ck_assert_ptr_eq(other.next, &nodes[1]);
}
END_TEST

Suite *deadline_wheel_suite(void)
{
    Suite *suite = suite_create("deadline_wheel");
    TCase *tests = tcase_create("deadline_wheel");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, like_a_plain_list_with_short_deadlines);
    tcase_add_test(tests, like_a_plain_list_with_all_deadlines);
    tcase_add_test(tests, like_a_plain_list_with_short_deadlines_and_big_jumps);
    tcase_add_test(tests, like_a_plain_list_around_the_end_of_a_turn);
    tcase_add_test(tests, past_ones_are_taken_by_the_next_take);
    tcase_add_test(tests, never_early_and_at_most_a_tick_late);
    tcase_add_test(tests, an_idle_wheel_keeps_up);
    tcase_add_test(tests, needless_calls_are_few);
    tcase_add_test(tests, needless_calls_of_far_deadlines);
    tcase_add_test(tests, needless_calls_of_many);
    tcase_add_test(tests, very_big_jumps);
    tcase_add_test(tests, the_end_of_time);
    tcase_add_test(tests, earlier_ticks_come_first);
    tcase_add_test(tests, set_moves_and_cancel_is_harmless_twice);
    tcase_add_test(tests, changes_while_taking);
    tcase_add_test(tests, a_clock_that_goes_back_takes_nothing_early);
    tcase_add_test(tests, list_nodes);
    suite_add_tcase(suite, tests);
    return suite;
}
