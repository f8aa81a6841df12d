/*
 * What waits to be sent on one connection, in order. It is kept in pieces that are never moved, so
 * that what was offered to a transport once is offered again unchanged.
 */
#ifndef LWSLOOP_TRANSPORT_BACKLOG_H
#define LWSLOOP_TRANSPORT_BACKLOG_H

#include "transport/transport.h"

#include <stdbool.h>
#include <stddef.h>

struct backlog_piece;

/* All zero is an empty backlog. */
struct backlog {
    struct backlog_piece *first;
    struct backlog_piece *last;
    size_t bytes;
};

static inline bool backlog_empty(const struct backlog *backlog)
{
    return backlog->bytes == 0;
}

/* Copies the bytes to the end; all or, where memory is short, none and false. */
bool backlog_append(struct backlog *backlog, const void *bytes, size_t length);

/*
 * Sends as much as the transport takes. DONE: all of it. AGAIN and FAILED as the transport says; in
 * both cases the rest is kept.
 */
enum transport_result backlog_send(struct backlog *backlog, struct transport *transport);

void backlog_clear(struct backlog *backlog);

#endif
