/* A first-in first-out queue whose links live inside the things they link, one pointer each. */
#ifndef LWSLOOP_BASE_QUEUE_H
#define LWSLOOP_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

/* `next` is NULL while the link is on no queue, and never NULL while it is on one. */
struct queue_link {
    struct queue_link *next;
};

struct queue {
    struct queue_link end;
    struct queue_link *last;
};

#define queue_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void queue_init(struct queue *queue)
{
    queue->end.next = &queue->end;
    queue->last = &queue->end;
}

static inline bool queue_empty(const struct queue *queue)
{
    return queue->end.next == &queue->end;
}

/* Harmless where the link is on a queue already. */
static inline void queue_push(struct queue *queue, struct queue_link *link)
{
    if (link->next)
        return;
    link->next = &queue->end;
    queue->last->next = link;
    queue->last = link;
}

/* Returns NULL where the queue is empty. */
static inline struct queue_link *queue_pop(struct queue *queue)
{
    struct queue_link *link = queue->end.next;

    if (link == &queue->end)
        return NULL;
    queue->end.next = link->next;
    if (queue->last == link)
        queue->last = &queue->end;
    link->next = NULL;
    return link;
}

/* Moves all of `from` to the end of `to`. */
static inline void queue_splice(struct queue *to, struct queue *from)
{
    if (queue_empty(from))
        return;
    to->last->next = from->end.next;
    from->last->next = &to->end;
    to->last = from->last;
    queue_init(from);
}

#endif
