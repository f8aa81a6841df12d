#include "transport/backlog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE_SIZE = 2048, /* room for small frames to be gathered in */
    PIECES_AT_ONCE = 16
};

struct backlog_piece {
    struct backlog_piece *next;
    size_t start;
    size_t end;
    size_t size;
    unsigned char bytes[];
};

bool backlog_append(struct backlog *backlog, const void *bytes, size_t length)
{
    struct backlog_piece *last = backlog->last;
    struct backlog_piece *added = NULL;
    size_t room = last ? last->size - last->end : 0;
    size_t here = length < room ? length : room;
    size_t rest = length - here;

    if (length == 0)
        return true;
    if (rest > 0) {
        size_t size = rest > PIECE_SIZE ? rest : PIECE_SIZE;

        if (size > SIZE_MAX - sizeof(*added) || rest > SIZE_MAX - backlog->bytes)
            return false;
        added = malloc(sizeof(*added) + size);
        if (!added)
            return false;
        added->next = NULL;
        added->start = 0;
        added->end = rest;
        added->size = size;
        memcpy(added->bytes, (const unsigned char *)bytes + here, rest);
    }
    if (here > 0) {
        memcpy(last->bytes + last->end, bytes, here);
        last->end += here;
    }
    if (added) {
        if (last)
            last->next = added;
        else
            backlog->first = added;
        backlog->last = added;
    }
    backlog->bytes += length;
    return true;
}

static void take(struct backlog *backlog, size_t count)
{
    backlog->bytes -= count;
    while (count > 0) {
        struct backlog_piece *first = backlog->first;
        size_t here = first->end - first->start;

        if (count < here) {
            first->start += count;
            return;
        }
        count -= here;
        backlog->first = first->next;
        free(first);
    }
    if (!backlog->first)
        backlog->last = NULL;
}

enum transport_result backlog_send(struct backlog *backlog, struct transport *transport)
{
    while (backlog->first) {
        struct iovec pieces[PIECES_AT_ONCE];
        enum transport_result result;
        size_t moved = 0, offered = 0;
        int count = 0;

        for (struct backlog_piece *piece = backlog->first; piece && count < PIECES_AT_ONCE;
             piece = piece->next) {
            pieces[count].iov_base = piece->bytes + piece->start;
            pieces[count].iov_len = piece->end - piece->start;
            offered += pieces[count++].iov_len;
        }
        result = transport_send(transport, pieces, count, &moved);
        if (result != TRANSPORT_DONE)
            return result;
        take(backlog, moved);
        if (moved < offered)
            return TRANSPORT_AGAIN;
    }
    return TRANSPORT_DONE;
}

void backlog_clear(struct backlog *backlog)
{
    while (backlog->first) {
        struct backlog_piece *first = backlog->first;

        backlog->first = first->next;
        free(first);
    }
    backlog->last = NULL;
    backlog->bytes = 0;
}
