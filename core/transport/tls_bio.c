#include "transport/tls_bio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HELD_MOST = 65536 }; /* more than a record, or what a handshake says at once */

/* A socket that is short of memory is as good as full. */
static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

static int wire_read(BIO *bio, char *bytes, int size)
{
    struct tls_wire *wire = BIO_get_data(bio);
    ssize_t received;

    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    do
        received = recv(wire->fd, bytes, (size_t)size, 0);
    while (received < 0 && errno == EINTR);
    wire->drained = received < size;
    wire->ended = received == 0;
    if (received >= 0) {
        wire->received = true;
        return (int)received;
    }
    if (is_passing(errno)) {
        wire->blocked = true;
        BIO_set_retry_read(bio);
    } else {
        wire->error = errno;
    }
    return -1;
}

static ssize_t send_bytes(const struct tls_wire *wire, const void *bytes, size_t length)
{
    /* sendmsg(2) only reads through the pointer that it is given as non-const. */
    struct iovec piece = {(void *)(size_t)bytes, length};
    const struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    ssize_t sent;

    do
        sent = sendmsg(wire->fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

bool tls_wire_flush(struct tls_wire *wire)
{
    size_t total = 0;
    int saved = errno;
    bool all;

    while (total < wire->held_length) {
        ssize_t sent = send_bytes(wire, wire->held + total, wire->held_length - total);

        if (sent < 0)
            break;
        total += (size_t)sent;
    }
    if (total < wire->held_length)
        saved = is_passing(errno) ? EAGAIN : errno;
    wire->held_length -= total;
    all = wire->held_length == 0;
    if (all)
        tls_wire_free(wire);
    else
        memmove(wire->held, wire->held + total, wire->held_length);
    errno = saved;
    return all;
}

void tls_wire_free(struct tls_wire *wire)
{
    free(wire->held);
    wire->held = NULL;
    wire->held_length = 0;
}

static bool hold(struct tls_wire *wire, const char *bytes, size_t length)
{
    unsigned char *held;

    /* Only a peer that makes OpenSSL answer, and does not listen, gets here. */
    if (length > HELD_MOST - wire->held_length) {
        errno = ENOBUFS;
        return false;
    }
    held = realloc(wire->held, wire->held_length + length);
    if (!held)
        return false;
    memcpy(held + wire->held_length, bytes, length);
    wire->held = held;
    wire->held_length += length;
    return true;
}

static int wire_write(BIO *bio, const char *bytes, int length)
{
    struct tls_wire *wire = BIO_get_data(bio);
    size_t size = (size_t)length;
    size_t total = 0;
    bool good = true;

    BIO_clear_retry_flags(bio);
    if (length <= 0)
        return 0;
    /* Until the system takes no more: at a connection's end there is no later try. */
    while (good && wire->held_length == 0 && total < size) {
        ssize_t sent = send_bytes(wire, bytes + total, size - total);

        if (sent >= 0)
            total += (size_t)sent;
        else if (is_passing(errno))
            break;
        else
            good = false;
    }
    if (!good || (total < size && !hold(wire, bytes + total, size - total))) {
        wire->error = errno;
        return -1;
    }
    return length;
}

static long wire_control(BIO *bio, int command, long number, void *pointer)
{
    const struct tls_wire *wire = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return wire->ended;
    default:
        return 0;
    }
}

BIO_METHOD *tls_bio_method(void)
{
    /* No index of its own: OpenSSL has few of them, and nobody looks for this kind. */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket without signals");

    if (method && BIO_meth_set_read(method, wire_read) == 1 &&
        BIO_meth_set_write(method, wire_write) == 1 && BIO_meth_set_ctrl(method, wire_control) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO *tls_bio_new(const BIO_METHOD *method, struct tls_wire *wire)
{
    BIO *bio = BIO_new(method);

    if (bio) {
        BIO_set_data(bio, wire);
        BIO_set_init(bio, 1);
    }
    return bio;
}
