#include "room.h"

#include <string.h>
#include <time.h>

long long room_clock(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 0;
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Adds a line such as {"type":"said","number":5,"time":…,"id":2,"name":"Ada","text":"Hello"}. */
static bool add_line(
    struct room *room, const char *type, const struct person *person, const char *text)
{
    struct frame *line = &room->lines[room->line_count % ROOM_LINES];
    frame_clear(line);
    frame_add(line, "{\"type\":");
    frame_add_string(line, type);
    frame_add(line, ",\"number\":");
    frame_add_number(line, (long long)room->line_count);
    frame_add(line, ",\"time\":");
    frame_add_number(line, room_clock());
    frame_add(line, ",\"id\":");
    frame_add_number(line, person->id);
    frame_add(line, ",\"name\":");
    frame_add_string(line, person->name);
    frame_add(line, ",\"text\":");
    frame_add_string(line, text);
    frame_add(line, "}");
    if (line->failed)
        return false;
    room->line_count++;
    return true;
}

static bool list_people(struct room *room)
{
    struct frame *list = &room->people_frame;
    frame_clear(list);
    frame_add(list, "{\"type\":\"people\",\"people\":[");
    for (unsigned int i = 0; i < room->people_count; i++) {
        frame_add(list, i ? ",{\"id\":" : "{\"id\":");
        frame_add_number(list, room->people[i]->id);
        frame_add(list, ",\"name\":");
        frame_add_string(list, room->people[i]->name);
        frame_add(list, "}");
    }
    frame_add(list, "]}");
    room->people_version++;
    return !list->failed;
}

void room_open(struct room *room, const char *loop)
{
    memset(room, 0, sizeof(*room));
    room->loop = loop;
    room->opened = room_clock();
}

void room_free(struct room *room)
{
    for (unsigned int i = 0; i < ROOM_LINES; i++)
        frame_free(&room->lines[i]);
    frame_free(&room->people_frame);
}

static void set_name(struct person *person, const char *name)
{
    strncpy(person->name, name, sizeof(person->name) - 1);
    person->name[sizeof(person->name) - 1] = '\0';
}

bool room_enter(struct room *room, struct person *person, const char *name)
{
    if (room->people_count == ROOM_SEATS)
        return false;
    person->id = ++room->last_id;
    set_name(person, name);
    room->people[room->people_count++] = person;
    return list_people(room) && add_line(room, "joined", person, "");
}

bool room_rename(struct room *room, struct person *person, const char *name)
{
    char old[ROOM_NAME_SIZE];
    if (strcmp(person->name, name) == 0)
        return true;
    memcpy(old, person->name, sizeof(old));
    set_name(person, name);
    return list_people(room) && add_line(room, "renamed", person, old);
}

bool room_say(struct room *room, const struct person *person, const char *text)
{
    return add_line(room, "said", person, text);
}

void room_leave(struct room *room, struct person *person)
{
    for (unsigned int i = 0; i < room->people_count; i++) {
        if (room->people[i] != person)
            continue;
        memmove(&room->people[i], &room->people[i + 1],
            (room->people_count - i - 1) * sizeof(room->people[0]));
        room->people_count--;
        (void)add_line(room, "left", person, "");
        (void)list_people(room);
        return;
    }
}
