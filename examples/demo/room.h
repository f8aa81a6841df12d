/*
 * The room: who is in it, and the last lines of what happened. Nothing is queued for anybody. Each
 * session only remembers how far it has read, so that a slow reader costs no memory: it misses
 * lines, and sees from their numbers that it did.
 */
#ifndef DEMO_ROOM_H
#define DEMO_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

enum {
    ROOM_SEATS = 64,
    ROOM_LINES = 128,  /* how many are remembered */
    ROOM_HISTORY = 30, /* how many of them somebody new is told */
    ROOM_NAME_SIZE = 73
};

struct person {
    long long id;
    char name[ROOM_NAME_SIZE];
};

struct room {
    const char *loop;
    long long opened; /* milliseconds since 1970: tells one run of the program from another */
    long long last_id;
    struct person *people[ROOM_SEATS];
    unsigned int people_count;
    unsigned int people_version;
    struct frame people_frame;
    struct frame lines[ROOM_LINES]; /* line n is at n % ROOM_LINES */
    uint64_t line_count;
};

long long room_clock(void);

void room_open(struct room *room, const char *loop);
void room_free(struct room *room);

/* These return false where there is no seat, or memory is short. */
bool room_enter(struct room *room, struct person *person, const char *name);
bool room_rename(struct room *room, struct person *person, const char *name);
bool room_say(struct room *room, const struct person *person, const char *text);
void room_leave(struct room *room, struct person *person);

#endif
