#include "transport/tls_bio.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

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

/* False with errno where not all of it went. */
static bool send_held(struct tls_wire *wire)
{
    while (wire->held_length > 0) {
        ssize_t sent = send_bytes(wire, wire->held, wire->held_length);

        if (sent < 0)
            return false;
        wire->held_length = (unsigned char)(wire->held_length - sent);
        memmove(wire->held, wire->held + sent, wire->held_length);
    }
    return true;
}

static bool hold(struct tls_wire *wire, const char *bytes, size_t length)
{
    if (!wire->ssl || !SSL_in_init(wire->ssl) || wire->held_length + length > TLS_HELD_MOST)
        return false;
    memcpy(wire->held + wire->held_length, bytes, length);
    wire->held_length = (unsigned char)(wire->held_length + length);
    return true;
}

static int wire_write(BIO *bio, const char *bytes, int length)
{
    struct tls_wire *wire = BIO_get_data(bio);
    ssize_t sent = -1;

    BIO_clear_retry_flags(bio);
    if (length <= 0)
        return 0;
    if (send_held(wire))
        sent = send_bytes(wire, bytes, (size_t)length);
    if (sent >= 0)
        return (int)sent;
    if (!is_passing(errno))
        wire->error = errno;
    else if (hold(wire, bytes, (size_t)length))
        return length;
    else
        BIO_set_retry_write(bio);
    return -1;
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
