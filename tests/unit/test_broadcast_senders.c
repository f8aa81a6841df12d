/* Many senders at once, some of which are killed. */
#include "suites.h"

#include "channel_ground.h"
#include "support/children.h"
#include <pthread.h>
#include <stdint.h>

enum {
    PROCESSES = 8,
    THREADS = 4,
    SENDERS = PROCESSES + THREADS,
    MESSAGES_PER_SENDER = 42,
    LARGEST_SHIFT = 20
};

static struct ground ground;
static int descriptors;

/* What every message begins with; the rest repeats the sender's number and its sequence's. */
struct mark {
    uint32_t sender;
    uint32_t sequence;
};

struct sender {
    uint32_t number;
    uint32_t count;
    int error;
};

static void set_up(void)
{
    descriptors = count_descriptors();
    ground_open(&ground);
}

static void tear_down(void)
{
    ground_close(&ground);
    ck_assert_int_eq(count_descriptors(), descriptors);
}

/* Spread evenly over the powers of two. */
static size_t length_of(const struct mark *mark)
{
    size_t length = (size_t)1 << ((mark->sequence * 7 + mark->sender) % (LARGEST_SHIFT + 1));

    return length < sizeof(*mark) ? sizeof(*mark) : length;
}

static unsigned char filling(const struct mark *mark, size_t at)
{
    return (unsigned char)(mark->sender * 17 + mark->sequence * 5 + at);
}

static int send_all(struct sender *sender)
{
    unsigned char *bytes = malloc((size_t)1 << LARGEST_SHIFT);

    if (!bytes)
        return ENOMEM;
    for (uint32_t i = 0; i < sender->count; i++) {
        const struct mark mark = {sender->number, i};
        size_t length = length_of(&mark);

        memcpy(bytes, &mark, sizeof(mark));
        for (size_t at = sizeof(mark); at < length; at++)
            bytes[at] = filling(&mark, at);
        if (!broadcast_channel_send(
                &ground.channel, &ground.lock, sender->number, bytes, length, PATIENCE_MS)) {
            int error = errno;

            free(bytes);
            return error;
        }
    }
    free(bytes);
    return 0;
}

static int send_in_process(void *sender)
{
    return send_all(sender);
}

static void *send_in_thread(void *argument)
{
    struct sender *sender = argument;

    sender->error = send_all(sender);
    return NULL;
}

/* Whole, unmixed, and the next of its sender's. */
static uint32_t check_message(const struct broadcast *taken, uint32_t next[SENDERS])
{
    struct mark mark;

    ck_assert_uint_ge(taken->length, sizeof(mark));
    memcpy(&mark, taken->bytes, sizeof(mark));
    ck_assert_uint_lt(mark.sender, SENDERS);
    ck_assert_uint_eq(mark.sender, taken->topic);
    ck_assert_uint_eq(mark.sequence, next[mark.sender]);
    next[mark.sender]++;
    ck_assert_uint_eq(taken->length, length_of(&mark));
    for (size_t at = sizeof(mark); at < taken->length; at++)
        if (taken->bytes[at] != filling(&mark, at))
            ck_abort_msg("byte %zu of %zu is wrong", at, taken->length);
    return mark.sender;
}

START_TEST(all_messages_arrive_whole_and_in_order)
{
    const uint32_t count = MESSAGES_PER_SENDER;
    struct sender senders[SENDERS];
    pid_t processes[PROCESSES];
    pthread_t threads[THREADS];
    uint32_t next[SENDERS] = {0};

    for (uint32_t i = 0; i < SENDERS; i++)
        senders[i] = (struct sender){i, count, 0};
    for (int i = 0; i < PROCESSES; i++)
        processes[i] = fork_and_run(send_in_process, &senders[i]);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, send_in_thread, &senders[PROCESSES + i]), 0);
    for (uint32_t i = 0; i < count * SENDERS; i++) {
        struct broadcast taken;
        enum broadcast_result result = ground_await(&ground, &taken);

        ck_assert_int_eq(result, BROADCAST_TAKEN);
        (void)check_message(&taken, next);
        free(taken.memory);
    }
    for (int i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(status_of(processes[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_int_eq(senders[PROCESSES + i].error, 0);
    }
    for (int i = 0; i < SENDERS; i++)
        ck_assert_uint_eq(next[i], count);
}
END_TEST

/* Kills senders at every stage of what they do; those that live notice nothing. */
START_TEST(killed_senders_harm_nobody)
{
    const uint32_t count = MESSAGES_PER_SENDER;
    struct sender living = {0, count, 0};
    struct sender doomed = {1, UINT32_MAX, 0};
    struct broadcast taken;
    pid_t survivor = fork_and_run(send_in_process, &living);
    pid_t victim = fork_and_run(send_in_process, &doomed);
    uint32_t next[SENDERS] = {0};
    uint32_t of_this_one = 0;
    uint32_t lifetime = 1;
    int killed = 0;

    while (next[0] < count || killed < 20) {
        ck_assert_int_eq(ground_await(&ground, &taken), BROADCAST_TAKEN);
        if (check_message(&taken, next) == 1)
            of_this_one++;
        free(taken.memory);
        if (of_this_one < lifetime)
            continue;
        kill_child(victim);
        killed++;
        lifetime = lifetime % 13 + 1;
        /* What it had sent arrives, and then the next one begins anew. */
        while (ground_take(&ground, &taken) == BROADCAST_TAKEN) {
            (void)check_message(&taken, next);
            free(taken.memory);
        }
        next[1] = 0;
        of_this_one = 0;
        victim = fork_and_run(send_in_process, &doomed);
    }
    kill_child(victim);
    while (ground_take(&ground, &taken) == BROADCAST_TAKEN)
        free(taken.memory);
    ck_assert_int_eq(status_of(survivor), 0);
}
END_TEST

Suite *broadcast_senders_suite(void)
{
    Suite *suite = suite_create("broadcast_senders");
    TCase *tests = tcase_create("at once");

    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, all_messages_arrive_whole_and_in_order);
    tcase_add_test(tests, killed_senders_harm_nobody);
    suite_add_tcase(suite, tests);
    return suite;
}
