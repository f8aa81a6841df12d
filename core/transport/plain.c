#include "transport/transport.h"

#include "platform/send_file.h"
#include "platform/socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a negative count and errno mean. A socket that is short of memory is as good as full. */
static enum transport_result failure(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
        return TRANSPORT_AGAIN;
    return TRANSPORT_FAILED;
}

static enum transport_result plain_start(struct transport *transport)
{
    (void)transport;
    return TRANSPORT_DONE;
}

static enum transport_result plain_receive(
    struct transport *transport, void *bytes, size_t size, size_t *moved)
{
    ssize_t received;

    do
        received = recv(transport->fd, bytes, size, 0);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return failure();
    *moved = (size_t)received;
    return received == 0 ? TRANSPORT_END : TRANSPORT_DONE;
}

static enum transport_result plain_send(
    struct transport *transport, const struct iovec *pieces, int count, size_t *moved)
{
    struct msghdr message = {0};
    ssize_t sent;

    /* sendmsg(2) only reads through the pointer that it is given as non-const. */
    message.msg_iov = (struct iovec *)(size_t)pieces;
    message.msg_iovlen = (size_t)count;
    do
        sent = sendmsg(transport->fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return failure();
    *moved = (size_t)sent;
    return TRANSPORT_DONE;
}

static enum transport_result plain_send_file(
    struct transport *transport, int file, off_t *offset, size_t count, size_t *moved)
{
    ssize_t sent = send_file(transport->fd, file, offset, count);

    if (sent < 0)
        return failure();
    *moved = (size_t)sent;
    return sent == 0 ? TRANSPORT_END : TRANSPORT_DONE;
}

static enum transport_result plain_finish(struct transport *transport)
{
    /* It fails where the peer is gone already, and then says nothing new. */
    (void)shutdown(transport->fd, SHUT_WR);
    return TRANSPORT_DONE;
}

static size_t plain_untaken(const struct transport *transport)
{
    return socket_untaken(transport->fd);
}

static void plain_explain(const struct transport *transport, struct text *words)
{
    (void)transport;
    text_add_phrase(words, strerror(errno));
}

static void plain_close(struct transport *transport)
{
    close(transport->fd);
    transport->fd = -1;
}

static const struct transport_operations plain = {
    .start = plain_start,
    .receive = plain_receive,
    .send = plain_send,
    .send_file = plain_send_file,
    .finish = plain_finish,
    .untaken = plain_untaken,
    .explain = plain_explain,
    .close = plain_close,
};

void transport_plain(struct transport *transport, int fd)
{
    transport->operations = &plain;
    transport->fd = fd;
    transport->read_events = POLLIN;
    transport->write_events = POLLOUT;
    transport->holds = false;
}
