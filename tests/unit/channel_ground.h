/* What the tests of the broadcast channel stand on. */
#ifndef LWSLOOP_TESTS_UNIT_CHANNEL_GROUND_H
#define LWSLOOP_TESTS_UNIT_CHANNEL_GROUND_H

#include "platform/broadcast_channel.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { BEFORE = 18, BEHIND = 4, PATIENCE_MS = 30000 };

struct ground {
    struct process_lock lock;
    struct broadcast_channel channel;
    unsigned char *room;
};

static inline void ground_open(struct ground *ground)
{
    ck_assert(process_lock_open(&ground->lock, true));
    ck_assert(broadcast_channel_open(&ground->channel));
    ground->room = malloc(BEFORE + BROADCAST_IN_PACKET_MAX + BEHIND);
    ck_assert_ptr_nonnull(ground->room);
}

static inline void ground_close(struct ground *ground)
{
    free(ground->room);
    broadcast_channel_close(&ground->channel);
    process_lock_close(&ground->lock);
}

static inline enum broadcast_result ground_take(
    const struct ground *ground, struct broadcast *broadcast)
{
    return broadcast_channel_take(
        &ground->channel, ground->room + BEFORE, BEFORE, BEHIND, broadcast);
}

/* The same, once there is one. */
static inline enum broadcast_result ground_await(
    const struct ground *ground, struct broadcast *broadcast)
{
    struct pollfd pollfd = {.fd = ground->channel.receiver, .events = POLLIN};

    ck_assert_int_eq(poll(&pollfd, 1, PATIENCE_MS), 1);
    return ground_take(ground, broadcast);
}

#endif
