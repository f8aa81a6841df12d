#include "command.h"

#include <string.h>

enum {
    COMMAND_COST = 100,      /* milliseconds of being quiet that one command uses up */
    COMMAND_ALLOWANCE = 2000 /* as many as can be saved */
};

static bool within_allowance(struct session *session)
{
    long long now = room_clock();
    long long quiet = now - session->allowance_time;

    if (session->allowance_time == 0 || quiet > COMMAND_ALLOWANCE)
        quiet = COMMAND_ALLOWANCE;
    if (quiet > 0)
        session->allowance += quiet;
    if (session->allowance > COMMAND_ALLOWANCE)
        session->allowance = COMMAND_ALLOWANCE;
    session->allowance_time = now;
    if (session->allowance < COMMAND_COST)
        return false;
    session->allowance -= COMMAND_COST;
    return true;
}

/* The library has made sure of UTF-8; control characters (also U+0080 to U+009F) remain. */
static bool is_printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        unsigned char next = i + 1 < length ? (unsigned char)text[i + 1] : 0;
        if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next >= 0x80 && next < 0xa0))
            return false;
    }
    return true;
}

/* Takes spaces off both ends, in place. */
static char *trimmed(char *text)
{
    text += strspn(text, " ");
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    return text;
}

static const char *join(struct room *room, struct session *session, const char *name, int *status)
{
    struct person *person = &session->person;

    if (*name == '\0' || strlen(name) >= ROOM_NAME_SIZE)
        return "a name has 1 to 72 bytes";
    *status = LWS_CLOSE_STATUS_UNEXPECTED_CONDITION;
    if (person->id)
        return room_rename(room, person, name) ? NULL : "memory is short";
    uint64_t history = room->line_count < ROOM_HISTORY ? room->line_count : ROOM_HISTORY;
    session->next_line = room->line_count - history;
    if (room_enter(room, person, name))
        return NULL;
    *status = 1013; /* try again later */
    return "the room is full";
}

const char *command_run(struct room *room, struct session *session, int *status)
{
    char *command = session->command;

    *status = LWS_CLOSE_STATUS_POLICY_VIOLATION;
    if (!within_allowance(session))
        return "too many messages at once";
    if (!is_printable(command, session->length))
        return "control characters are not allowed";
    command[session->length] = '\0';

    char *argument = command + strcspn(command, " ");
    if (*argument)
        *argument++ = '\0';
    argument = trimmed(argument);

    if (strcmp(command, "join") == 0)
        return join(room, session, argument, status);
    if (!session->person.id)
        return "join comes first";
    if (strcmp(command, "say") == 0) {
        if (*argument == '\0')
            return NULL;
        *status = LWS_CLOSE_STATUS_UNEXPECTED_CONDITION;
        return room_say(room, &session->person, argument) ? NULL : "memory is short";
    }
    if (strcmp(command, "ping") == 0) {
        size_t length = strlen(argument);
        if (length == 0 || length >= sizeof(session->ping))
            return "a ping has a word of 1 to 23 bytes";
        memcpy(session->ping, argument, length + 1);
        return NULL;
    }
    return "unknown command";
}
