/* The bytes of a TLS connection that has begun, in records of at most 16 KiB. */
#include "transport/tls_state.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    RECORD = SSL3_RT_MAX_PLAIN_LENGTH,
    SENT_MOST = 1 << 20, /* in a call, by when others have their turn */
    RECORDS_MOST = 512,  /* read in a call, however small they are */
    MESSAGES_MOST = 32   /* of TLS's own that are worked on in a call */
};

/* Reads what there is room for. *total counts the bytes, the result tells why they ended. */
static enum transport_result read_all(
    struct tls *tls, unsigned char *bytes, size_t size, size_t *total)
{
    int messages = 0;

    for (int records = 0; *total < size && records < RECORDS_MOST; records++) {
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
        result = tls_outcome(tls, returned);
        /* Not for want of bytes: a message of TLS's own was worked on, and more may be behind. */
        if (result == TRANSPORT_AGAIN && !tls->wire.blocked && ++messages < MESSAGES_MOST)
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
    size_t total = 0;
    bool waits;

    transport->read_events = POLLIN;
    transport->holds = false;
    if (tls->receiving_failed)
        return tls_failed(tls);
    /* Whether it goes is found out by those who send. */
    (void)tls_wire_flush(&tls->wire);
    result = read_all(tls, bytes, size, &total);
    tls->receiving_failed = result == TRANSPORT_FAILED;
    waits = result == TRANSPORT_AGAIN && tls->wire.blocked;
    if (total == 0) {
        transport->holds = result == TRANSPORT_AGAIN && !waits;
        return result;
    }
    /* Whatever else there was to say is said next time, so that there has to be one. */
    transport->holds = result == TRANSPORT_DONE ? SSL_has_pending(tls->ssl) != 0 : !waits;
    *moved = total;
    return TRANSPORT_DONE;
}

/* Of the bytes that were held, how many a call that offers them again can count. */
static size_t take_offered(struct tls *tls, bool by_file)
{
    size_t count = tls->offered_by_file == by_file ? tls->offered : 0;

    tls->offered = 0;
    return count;
}

/*
 * Sends bytes as a record. AGAIN where there is no room for all of it: these are then held, but not
 * counted before they are gone, so that there is a wake-up for them.
 */
static enum transport_result write_record(
    struct transport *transport, const void *bytes, size_t length, size_t *written)
{
    struct tls *tls = tls_of(transport);
    enum transport_result result = TRANSPORT_DONE;
    int returned;

    tls_begin(tls);
    returned = SSL_write_ex(tls->ssl, bytes, length, written);
    if (returned <= 0)
        result = tls_outcome(tls, returned);
    if (result == TRANSPORT_END) {
        tls->failure = tls_failure_of_system(ECONNRESET);
        result = tls_failed(tls);
    }
    /* What it read on the way may be bytes that nobody knows of yet. */
    if (tls->wire.received)
        transport->holds = true;
    if (result == TRANSPORT_DONE && tls->wire.held_length > 0) {
        tls->offered = *written;
        *written = 0;
        result = TRANSPORT_AGAIN;
    }
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

/* The next record's bytes, which are copied only where they are in several pieces. */
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
static enum transport_result sent(
    struct transport *transport, enum transport_result result, size_t total, size_t *moved)
{
    transport->write_events = POLLOUT;
    if (total == 0 && result != TRANSPORT_DONE) {
        /* If not for want of room, it is in the middle of a message from the peer. */
        if (result == TRANSPORT_AGAIN && tls_of(transport)->wire.held_length == 0)
            transport->write_events = POLLIN;
        return result;
    }
    *moved = total;
    return TRANSPORT_DONE;
}

static size_t length_of(const struct iovec *pieces, int count)
{
    size_t length = 0;

    for (int i = 0; i < count; i++)
        length += pieces[i].iov_len;
    return length;
}

/* Those who offer fewer bytes than before do not offer the same. */
static enum transport_result refuse(struct tls *tls)
{
    tls->failure = tls_failure_of_system(EINVAL);
    return tls_failed(tls);
}

enum transport_result tls_send(
    struct transport *transport, const struct iovec *pieces, int count, size_t *moved)
{
    struct tls *tls = tls_of(transport);
    struct position next = {pieces, pieces + count, 0};
    enum transport_result result = tls_flush(tls);
    unsigned char copy[RECORD];
    size_t total = 0;

    if (result == TRANSPORT_DONE) {
        total = take_offered(tls, false);
        if (total > length_of(pieces, count))
            return refuse(tls);
        advance(&next, total);
    }
    while (result == TRANSPORT_DONE && next.piece < next.end && total < SENT_MOST) {
        size_t length, written = 0;
        const unsigned char *record = next_record(next, copy, &length);

        result = write_record(transport, record, length, &written);
        tls->offered_by_file = false;
        advance(&next, written);
        total += written;
    }
    return sent(transport, result, total, moved);
}

enum transport_result tls_send_file(
    struct transport *transport, int file, off_t *offset, size_t count, size_t *moved)
{
    struct tls *tls = tls_of(transport);
    enum transport_result result = tls_flush(tls);
    unsigned char record[RECORD];
    size_t total = 0;

    if (result == TRANSPORT_DONE) {
        total = take_offered(tls, true);
        if (total > count)
            return refuse(tls);
        *offset += (off_t)total;
    }
    while (result == TRANSPORT_DONE && total < count && total < SENT_MOST) {
        size_t length = count - total < RECORD ? count - total : RECORD;
        size_t written = 0;
        ssize_t got;

        do
            got = pread(file, record, length, *offset);
        while (got < 0 && errno == EINTR);
        if (got < 0) {
            tls->failure = tls_failure_of_system(errno);
            result = tls_failed(tls);
        } else if (got == 0) {
            result = TRANSPORT_END;
        } else {
            result = write_record(transport, record, (size_t)got, &written);
            tls->offered_by_file = true;
            *offset += (off_t)written;
            total += written;
        }
    }
    return sent(transport, result, total, moved);
}
