/* A doubly linked ring whose nodes live inside the things they link. */
#ifndef LWSLOOP_BASE_LIST_H
#define LWSLOOP_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *next;
    struct list_node *previous;
};

#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list_node *node)
{
    node->next = node;
    node->previous = node;
}

/* For a head: whether it has no node. For a node: whether it is on no list. */
static inline bool list_empty(const struct list_node *node)
{
    return node->next == node;
}

static inline void list_append(struct list_node *head, struct list_node *node)
{
    node->previous = head->previous;
    node->next = head;
    head->previous->next = node;
    head->previous = node;
}

/* Takes the node off its list; harmless where it is on none. */
static inline void list_remove(struct list_node *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

/* Moves all nodes of `from` to the end of `to`. */
static inline void list_splice(struct list_node *to, struct list_node *from)
{
    if (list_empty(from))
        return;
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

struct list_cursor {
    struct list_node *head;
    struct list_node *next;
    struct list_cursor *outer;
};

/* innermost: that of those that go along this list already, NULL for none. */
static inline void list_cursor_begin(
    struct list_cursor *cursor, struct list_node *head, struct list_cursor **innermost)
{
    *cursor = (struct list_cursor){head, head->next, *innermost};
    *innermost = cursor;
}

/* NULL at the end. */
static inline struct list_node *list_cursor_next(struct list_cursor *cursor)
{
    struct list_node *node = cursor->next;

    if (node == cursor->head)
        return NULL;
    cursor->next = node->next;
    return node;
}

/* In the reverse order of their beginnings. */
static inline void list_cursor_end(const struct list_cursor *cursor, struct list_cursor **innermost)
{
    *innermost = cursor->outer;
}

/* Before a node is taken off the list. */
static inline void list_cursors_leave(struct list_cursor *innermost, const struct list_node *node)
{
    for (struct list_cursor *cursor = innermost; cursor; cursor = cursor->outer)
        if (cursor->next == node)
            cursor->next = node->next;
}

#endif
