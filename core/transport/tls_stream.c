/* The bytes of a TLS connection that has begun, in records of at most 16 KiB. */
#include "transport/tls_state.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    RECORD = SSL3_RT_MAX_PLAIN_LENGTH,
    MESSAGES_MOST = 32 /* of TLS's own are worked on before others have their turn */
};

/* Reads what there is room for. *total counts the bytes, the result tells why they ended. */
static enum transport_result read_all(
    struct tls *tls, unsigned char *bytes, size_t size, size_t *total, unsigned char *wanted)
{
    int messages = 0;

    while (*total < size) {
        enum transport_result result;
        size_t read = 0;
        int returned;

        tls_begin(tls);
        returned = SSL_read_ex(tls->ssl, bytes + *total, size - *total, &read);
        if (returned > 0) {
            *total += read;
            if (tls->wire.drained && !SSL_has_pending(tls->ssl))
                break;
            continue;
        }
        result = tls_outcome(tls, returned, wanted);
        /* Not for want of bytes: a message of TLS's own was worked on, and more may be behind. */
        if (result == TRANSPORT_AGAIN && *wanted == POLLIN && !tls->wire.blocked &&
            ++messages < MESSAGES_MOST)
            continue;
        return result;
    }
    return TRANSPORT_DONE;
}

enum transport_result tls_receive(
    struct transport *transport, void *bytes, size_t size, size_t *moved)
{
    struct tls *tls = tls_of(transport);
    enum transport_result result;
    unsigned char wanted = POLLIN;
    size_t total = 0;
    bool waits;

    if (tls->receiving_failed) {
        transport->holds = false;
        return tls_failed(tls);
    }
    result = read_all(tls, bytes, size, &total, &wanted);
    tls->receiving_failed = result == TRANSPORT_FAILED;
    waits = result == TRANSPORT_AGAIN && (wanted == POLLOUT || tls->wire.blocked);
    if (total == 0) {
        transport->read_events = result == TRANSPORT_AGAIN ? wanted : POLLIN;
        transport->holds = result == TRANSPORT_AGAIN && !waits;
        return result;
    }
    /* Whatever else there was to say is said next time, so that there has to be one. */
    transport->holds =
        result == TRANSPORT_DONE ? SSL_has_pending(tls->ssl) != 0 : !waits || wanted == POLLOUT;
    transport->read_events = POLLIN;
    *moved = total;
    return TRANSPORT_DONE;
}

/* One record, or what is left of it. What OpenSSL has begun to send is offered to it again. */
static enum transport_result write_record(struct transport *transport, const void *bytes,
    size_t length, size_t *written, unsigned char *wanted)
{
    struct tls *tls = tls_of(transport);
    enum transport_result result = TRANSPORT_DONE;
    int returned;

    tls_begin(tls);
    returned = SSL_write_ex(tls->ssl, bytes, length, written);
    if (returned <= 0)
        result = tls_outcome(tls, returned, wanted);
    if (result == TRANSPORT_END) {
        tls->failure = (struct tls_failure){TLS_FAILURE_HUNG_UP, 0};
        result = tls_failed(tls);
    }
    tls->offered = result == TRANSPORT_AGAIN ? length : 0;
    /* What it read on the way may be bytes that nobody knows of yet. */
    if (tls->wire.received)
        transport->holds = true;
    return result;
}

/* Where the next bytes of several pieces are. */
struct position {
    const struct iovec *piece;
    const struct iovec *end;
    size_t at;
};

static void advance(struct position *position, size_t count)
{
    while (position->piece < position->end && count >= position->piece->iov_len - position->at) {
        count -= position->piece->iov_len - position->at;
        position->at = 0;
        position->piece++;
    }
    position->at += count;
}

/*
 * The next record: as many bytes as it can have, or all that are left. So one that is offered again
 * is never shorter, which OpenSSL insists on. They are copied only where they are in several
 * pieces.
 */
static const unsigned char *next_record(
    struct position next, unsigned char copy[RECORD], size_t *length)
{
    const unsigned char *first = (const unsigned char *)next.piece->iov_base + next.at;
    size_t here = next.piece->iov_len - next.at;

    *length = 0;
    if (here >= RECORD || next.piece + 1 == next.end) {
        *length = here < RECORD ? here : RECORD;
        return first;
    }
    while (next.piece < next.end && *length < RECORD) {
        here = next.piece->iov_len - next.at;
        if (here > RECORD - *length)
            here = RECORD - *length;
        memcpy(copy + *length, (const unsigned char *)next.piece->iov_base + next.at, here);
        *length += here;
        advance(&next, here);
    }
    return copy;
}

/* What a call returns that has moved `total` bytes, when the last step returned `result`. */
static enum transport_result sent(struct transport *transport, enum transport_result result,
    unsigned char wanted, size_t total, size_t *moved)
{
    if (total == 0 && result != TRANSPORT_DONE) {
        transport->write_events = result == TRANSPORT_AGAIN ? wanted : POLLOUT;
        return result;
    }
    transport->write_events = POLLOUT;
    *moved = total;
    return TRANSPORT_DONE;
}

enum transport_result tls_send(
    struct transport *transport, const struct iovec *pieces, int count, size_t *moved)
{
    struct position next = {pieces, pieces + count, 0};
    enum transport_result result = TRANSPORT_DONE;
    unsigned char wanted = POLLOUT;
    unsigned char copy[RECORD];
    size_t total = 0;

    advance(&next, 0);
    while (result == TRANSPORT_DONE && next.piece < next.end) {
        size_t length, written = 0;
        const unsigned char *record = next_record(next, copy, &length);

        result = write_record(transport, record, length, &written, &wanted);
        advance(&next, written);
        total += written;
    }
    return sent(transport, result, wanted, total, moved);
}

enum transport_result tls_send_file(
    struct transport *transport, int file, off_t *offset, size_t count, size_t *moved)
{
    struct tls *tls = tls_of(transport);
    enum transport_result result = TRANSPORT_DONE;
    unsigned char wanted = POLLOUT;
    unsigned char record[RECORD];
    size_t total = 0;

    while (result == TRANSPORT_DONE && total < count) {
        size_t length = count - total < RECORD ? count - total : RECORD;
        size_t written = 0;
        ssize_t got;

        do
            got = pread(file, record, length, *offset);
        while (got < 0 && errno == EINTR);
        if (got < 0) {
            tls->failure = (struct tls_failure){TLS_FAILURE_SYSTEM, (unsigned long)errno};
            result = tls_failed(tls);
        } else if (got == 0 || (size_t)got < tls->offered) {
            result = TRANSPORT_END;
        } else {
            result = write_record(transport, record, (size_t)got, &written, &wanted);
            *offset += (off_t)written;
            total += written;
        }
    }
    return sent(transport, result, wanted, total, moved);
}
