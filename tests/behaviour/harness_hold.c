/* Holding up the loop, so that what peers do meanwhile comes to it all at once. */
#include "harness.h"

#include <errno.h>
#include <semaphore.h>

static sem_t is_held;
static sem_t may_go_on;

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        ck_assert_int_eq(errno, EINTR);
}

static void hold(struct server *server, void *argument)
{
    (void)server;
    (void)argument;
    ck_assert_int_eq(sem_post(&is_held), 0);
    await(&may_go_on);
}

void server_hold(struct server *server)
{
    ck_assert_int_eq(sem_init(&is_held, 0, 0), 0);
    ck_assert_int_eq(sem_init(&may_go_on, 0, 0), 0);
    server_post(server, hold, NULL);
    await(&is_held);
}

void server_go_on(struct server *server)
{
    (void)server;
    ck_assert_int_eq(sem_post(&may_go_on), 0);
}
