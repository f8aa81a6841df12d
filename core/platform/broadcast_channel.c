#include "platform/broadcast_channel.h"

#include "platform/clock.h"
#include "platform/sealed_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    FORM = 0x6c77730a,        /* of the packets */
    BUFFER_SIZE = 128 * 1024, /* which the system doubles, for its own needs */
    PACKETS_AT_LEAST = 4,     /* of full size that the socket's buffer holds */
    PACKET_OVERHEAD = 1024,
    IN_PACKET_LEAST = 512,
    LOOK_MS = 100 /* how often a sender that waits asks whether the other side is alive */
};

struct broadcast_progress {
    atomic_uint taken; /* messages, by whoever serves */
};

struct packet_head {
    uint32_t form;
    uint32_t topic;
    uint64_t length; /* of the message: what does not fit in the packet comes as sealed memory */
};

/* With what it takes to send one descriptor; aligned as the system wants it. */
union packet_control {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(sizeof(int))];
};

/* The same for what is received, which says who has sent it, too: so that a packet with nothing in
 * it is not taken for the end of them. */
union received_control {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_LEN(sizeof(int))];
};

/* How much of a message a packet holds, so that several packets fit in the socket's buffer, and not
 * many more: whatever the system gives to sockets that say nothing. */
static bool measure(struct broadcast_channel *channel)
{
    int size = BUFFER_SIZE;
    socklen_t size_length = sizeof(size);
    size_t share;

    if (setsockopt(channel->sender, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0 ||
        getsockopt(channel->sender, SOL_SOCKET, SO_SNDBUF, &size, &size_length) < 0)
        return false;
    share = size > 0 ? (size_t)size / PACKETS_AT_LEAST : 0;
    if (share < sizeof(struct packet_head) + PACKET_OVERHEAD + IN_PACKET_LEAST) {
        errno = ENOBUFS;
        return false;
    }
    share -= sizeof(struct packet_head) + PACKET_OVERHEAD;
    channel->in_packet = share < BROADCAST_IN_PACKET_MAX ? share : BROADCAST_IN_PACKET_MAX;
    return true;
}

bool broadcast_channel_open(struct broadcast_channel *channel)
{
    const struct timeval look = {.tv_usec = LOOK_MS * 1000};
    const int on = 1;
    void *memory;
    int ends[2];
    int saved;

    *channel = BROADCAST_CHANNEL_NONE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    channel->sender = ends[0];
    channel->receiver = ends[1];
    memory = mmap(NULL, sizeof(struct broadcast_progress), PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        goto failed;
    channel->progress = memory;
    atomic_init(&channel->progress->taken, 0);
    /* The sending end waits. */
    if (fcntl(channel->receiver, F_SETFL, O_NONBLOCK) == 0 &&
        setsockopt(channel->receiver, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
        setsockopt(channel->sender, SOL_SOCKET, SO_SNDTIMEO, &look, sizeof(look)) == 0 &&
        measure(channel))
        return true;

failed:
    saved = errno;
    broadcast_channel_close(channel);
    errno = saved;
    return false;
}

/* Has the message carry a descriptor; only for as long as the message is used. */
static void attach(struct msghdr *message, union packet_control *control, int fd)
{
    struct cmsghdr *header;

    memset(control, 0, sizeof(*control));
    message->msg_control = control;
    message->msg_controllen = sizeof(control->bytes);
    header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

/* Sending is to wait; another process that shares the socket may have it otherwise. */
static void have_it_wait(const struct broadcast_channel *channel)
{
    int flags = fcntl(channel->sender, F_GETFL);

    if (flags >= 0 && (flags & O_NONBLOCK))
        (void)fcntl(channel->sender, F_SETFL, flags & ~O_NONBLOCK);
}

/* Waits in sendmsg(2), a short time at once. */
static bool offer(const struct broadcast_channel *channel, const struct process_lock *lock,
    const struct msghdr *message, unsigned int patience_ms)
{
    unsigned int taken = atomic_load(&channel->progress->taken);
    uint64_t since = clock_now();

    for (;;) {
        unsigned int taken_now;

        if (!process_lock_is_alive(lock)) {
            errno = EPIPE;
            return false;
        }
        if (sendmsg(channel->sender, message, MSG_NOSIGNAL) >= 0)
            return true;
        if (errno == ECONNRESET)
            errno = EPIPE;
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return false;
        have_it_wait(channel);
        taken_now = atomic_load(&channel->progress->taken);
        if (taken_now != taken) {
            taken = taken_now;
            since = clock_now();
        } else if (clock_now() - since >= patience_ms) {
            errno = ETIMEDOUT;
            return false;
        }
    }
}

bool broadcast_channel_send(const struct broadcast_channel *channel,
    const struct process_lock *lock, uint32_t topic, const void *bytes, size_t length,
    unsigned int patience_ms)
{
    struct packet_head head = {FORM, topic, length};
    size_t in_packet = length < channel->in_packet ? length : channel->in_packet;
    /* Only read through the pointers that the system's structs have as non-const. */
    struct iovec pieces[] = {{&head, sizeof(head)}, {(void *)(size_t)bytes, in_packet}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    union packet_control control;
    int rest = -1;
    int saved;
    bool sent;

    if (length > BROADCAST_MAX) {
        errno = EMSGSIZE;
        return false;
    }
    if (length > in_packet) {
        rest = sealed_memory_make((const unsigned char *)bytes + in_packet, length - in_packet);
        if (rest < 0)
            return false;
        attach(&message, &control, rest);
    }
    sent = offer(channel, lock, &message, patience_ms);
    saved = errno;
    if (rest >= 0)
        close(rest);
    errno = saved;
    return sent;
}

/*
 * The descriptor that came; -1 for none. The system gives no more than there was room for: one, and
 * that without what aligns another behind it, on which CMSG_NXTHDR insists.
 */
static int take_descriptor(const struct msghdr *message)
{
    const unsigned char *control = message->msg_control;
    int fd = -1;
    size_t at = 0;

    while (message->msg_controllen - at >= sizeof(struct cmsghdr)) {
        struct cmsghdr header;

        memcpy(&header, control + at, sizeof(header));
        if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > message->msg_controllen - at)
            break;
        if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS &&
            header.cmsg_len == CMSG_LEN(sizeof(fd)))
            memcpy(&fd, control + at + CMSG_LEN(0), sizeof(fd));
        at += CMSG_SPACE(header.cmsg_len - CMSG_LEN(0));
        if (at > message->msg_controllen)
            break;
    }
    return fd;
}

/* Puts a message together that is partly in the buffer and partly in sealed memory. */
static bool join(const unsigned char *buffer, size_t in_packet, int rest, size_t before,
    size_t behind, struct broadcast *broadcast)
{
    unsigned char *memory = malloc(before + broadcast->length + behind);

    if (!memory) {
        errno = ENOMEM;
        return false;
    }
    memcpy(memory + before, buffer, in_packet);
    if (!sealed_memory_read(rest, memory + before + in_packet, broadcast->length - in_packet)) {
        int saved = errno;

        free(memory);
        errno = saved;
        return false;
    }
    broadcast->memory = memory;
    broadcast->bytes = memory + before;
    return true;
}

/* Whether a packet of this size, with or without a descriptor, is what its head says. */
static bool is_well_formed(const struct broadcast_channel *channel, const struct packet_head *head,
    size_t received, int flags, bool has_rest)
{
    size_t in_packet;

    if (received < sizeof(*head) || (flags & MSG_TRUNC) || head->form != FORM ||
        head->length > BROADCAST_MAX)
        return false;
    in_packet = head->length < channel->in_packet ? (size_t)head->length : channel->in_packet;
    return received == sizeof(*head) + in_packet && has_rest == (head->length > in_packet);
}

enum broadcast_result broadcast_channel_take(const struct broadcast_channel *channel,
    unsigned char *buffer, size_t before, size_t behind, struct broadcast *broadcast)
{
    struct packet_head head = {0};
    struct iovec pieces[] = {{&head, sizeof(head)}, {buffer, BROADCAST_IN_PACKET_MAX}};
    union received_control control;
    struct msghdr message = {.msg_iov = pieces,
        .msg_iovlen = 2,
        .msg_control = &control,
        .msg_controllen = sizeof(control.bytes)};
    bool good;
    int rest, saved;
    ssize_t received;

    do
        received = recvmsg(channel->receiver, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return BROADCAST_NONE;
    if (received < 0 || (received == 0 && message.msg_controllen == 0))
        return BROADCAST_OVER;
    rest = take_descriptor(&message);
    atomic_fetch_add(&channel->progress->taken, 1);
    *broadcast = (struct broadcast){head.topic, buffer, (size_t)head.length, NULL};
    good = is_well_formed(channel, &head, (size_t)received, message.msg_flags, rest >= 0);
    if (!good)
        /* Where a descriptor did not arrive, there was no room for it in this process. */
        errno = message.msg_flags & MSG_CTRUNC ? EMFILE : EBADMSG;
    else if (rest >= 0)
        good = join(buffer, channel->in_packet, rest, before, behind, broadcast);
    saved = errno;
    if (rest >= 0)
        close(rest);
    errno = saved;
    return good ? BROADCAST_TAKEN : BROADCAST_DROPPED;
}

void broadcast_channel_close_receiver(struct broadcast_channel *channel)
{
    if (channel->receiver >= 0)
        close(channel->receiver);
    channel->receiver = -1;
}

void broadcast_channel_close(struct broadcast_channel *channel)
{
    broadcast_channel_close_receiver(channel);
    if (channel->sender >= 0)
        close(channel->sender);
    if (channel->progress)
        (void)munmap(channel->progress, sizeof(*channel->progress));
    *channel = BROADCAST_CHANNEL_NONE;
}
