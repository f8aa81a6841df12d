/*
 * Messages from many senders, processes and threads, to the one process that serves.
 *
 * A pair of connected sockets without a name, made before the others are forked and inherited by
 * them. Each message is one packet: it arrives whole or not at all, whatever happens to its sender,
 * and those of one sender arrive in their order. What a packet has no room for comes with it as
 * sealed memory. All that is in flight together is bounded by the socket's buffer, which about four
 * packets fill that have no room for more; a sender waits until there is room.
 *
 * Having the descriptor is the permission to send. It is not inherited over exec, and a socket
 * cannot be opened through /proc; so nobody has it who was not forked off the creator, or could not
 * debug one that was. A process forked off may since have become less trusted than the one that
 * serves: what it sends is not believed, but checked.
 */
#ifndef LWSLOOP_PLATFORM_BROADCAST_CHANNEL_H
#define LWSLOOP_PLATFORM_BROADCAST_CHANNEL_H

#include "platform/process_lock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BROADCAST_MAX = 16 << 20,       /* bytes of a message */
    BROADCAST_IN_PACKET_MAX = 65536 /* of those, the most that are in the packet itself */
};

/* In memory that all the processes see. */
struct broadcast_progress;

struct broadcast_channel {
    int sender;   /* -1 where closed, as is the receiver */
    int receiver; /* readable when a message waits */
    size_t in_packet;
    struct broadcast_progress *progress;
};

#define BROADCAST_CHANNEL_NONE ((struct broadcast_channel){-1, -1, 0, NULL})

/* False with errno. */
bool broadcast_channel_open(struct broadcast_channel *channel);

/*
 * Sends a message, and waits while there is no room; never to be called by the one that receives.
 * From any thread.
 *
 *   lock          tells whether the process that serves is alive
 *   topic         goes with it
 *   patience_ms   how long to wait while no message at all is taken
 *
 * False with errno: EMSGSIZE, more than BROADCAST_MAX; EPIPE, the process that served is gone;
 * ETIMEDOUT, it takes nothing; EFBIG, beyond the limit on the size of files; or what the system
 * says where memory or descriptors are short. Nothing of the message arrives then.
 */
bool broadcast_channel_send(const struct broadcast_channel *channel,
    const struct process_lock *lock, uint32_t topic, const void *bytes, size_t length,
    unsigned int patience_ms);

enum broadcast_result {
    BROADCAST_TAKEN,
    BROADCAST_NONE,    /* none waits */
    BROADCAST_DROPPED, /* one was there, but could not be used: errno tells */
    BROADCAST_OVER     /* none will ever come any more */
};

struct broadcast {
    uint32_t topic;
    unsigned char *bytes; /* may be changed, with the room before and behind them */
    size_t length;
    void *memory; /* to be freed; NULL where the bytes are in the buffer */
};

/*
 * Takes the next message, without waiting.
 *
 *   buffer          has room for BROADCAST_IN_PACKET_MAX bytes
 *   before, behind  how much room there is in front of it and after them, and there shall be where
 *                   other memory has to be taken
 */
enum broadcast_result broadcast_channel_take(const struct broadcast_channel *channel,
    unsigned char *buffer, size_t before, size_t behind, struct broadcast *broadcast);

/* For a process that will only send: the receiving end is the others' alone. */
void broadcast_channel_close_receiver(struct broadcast_channel *channel);

void broadcast_channel_close(struct broadcast_channel *channel);

#endif
