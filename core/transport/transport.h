/*
 * Bytes in and out of a connection. Nothing above this interface knows what carries them.
 *
 * A call that cannot go on says so by TRANSPORT_AGAIN and leaves in read_events (start, receive) or
 * write_events (send, send_file, finish) what the descriptor must be ready for before it is tried
 * again: with encryption, reading may have to wait for room to write and the other way round. A
 * call that did something puts them back to what is usual.
 */
#ifndef LWSLOOP_TRANSPORT_TRANSPORT_H
#define LWSLOOP_TRANSPORT_TRANSPORT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

enum transport_result {
    TRANSPORT_DONE,  /* some bytes were moved, perhaps not all */
    TRANSPORT_AGAIN, /* none can be moved now */
    TRANSPORT_END,   /* reading: the peer will send no more; a file: it ends here */
    TRANSPORT_FAILED /* errno tells, and transport_explain */
};

struct transport;

struct transport_operations {
    /* What comes before the first byte. DONE: bytes can be moved. Never END. */
    enum transport_result (*start)(struct transport *transport);
    enum transport_result (*receive)(
        struct transport *transport, void *bytes, size_t size, size_t *moved);
    enum transport_result (*send)(
        struct transport *transport, const struct iovec *pieces, int count, size_t *moved);
    enum transport_result (*send_file)(
        struct transport *transport, int file, off_t *offset, size_t count, size_t *moved);
    /* Says to the peer that no more will be sent. AGAIN: it is to be called again. */
    enum transport_result (*finish)(struct transport *transport);
    /* How many bytes it has taken that the peer's system has not; 0 where that is not known. */
    size_t (*untaken)(const struct transport *transport);
    /* Adds a few words about the failure that has just been returned. */
    void (*explain)(const struct transport *transport, struct text *words);
    /* Closes the descriptor and frees what belongs to it. */
    void (*close)(struct transport *transport);
};

struct transport {
    const struct transport_operations *operations;
    int fd; /* -1 once closed */
    unsigned char read_events;
    unsigned char write_events;
    bool holds; /* there may be more to receive without the descriptor becoming ready */
};

/* A plain socket, which belongs to the transport from now on. */
void transport_plain(struct transport *transport, int fd);

static inline enum transport_result transport_start(struct transport *transport)
{
    return transport->operations->start(transport);
}

static inline enum transport_result transport_receive(
    struct transport *transport, void *bytes, size_t size, size_t *moved)
{
    return transport->operations->receive(transport, bytes, size, moved);
}

static inline enum transport_result transport_send(
    struct transport *transport, const struct iovec *pieces, int count, size_t *moved)
{
    return transport->operations->send(transport, pieces, count, moved);
}

static inline enum transport_result transport_send_file(
    struct transport *transport, int file, off_t *offset, size_t count, size_t *moved)
{
    return transport->operations->send_file(transport, file, offset, count, moved);
}

static inline enum transport_result transport_finish(struct transport *transport)
{
    return transport->operations->finish(transport);
}

static inline size_t transport_untaken(const struct transport *transport)
{
    return transport->operations->untaken(transport);
}

static inline void transport_explain(const struct transport *transport, struct text *words)
{
    transport->operations->explain(transport, words);
}

static inline void transport_close(struct transport *transport)
{
    if (transport->fd >= 0)
        transport->operations->close(transport);
}

#endif
