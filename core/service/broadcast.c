#include "service/broadcast.h"

#include "platform/broadcast_channel.h"
#include "service/adopt.h"
#include "service/level.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGES_PER_CALL = 16,
    LOSS_LINES_APART_MS = 10000,
    PAUSE_MS = 100,     /* where memory is short */
    PATIENCE_MS = 30000 /* of a sender, with a service that takes nothing at all */
};

_Static_assert((int)BROADCAST_IN_PACKET_MAX <= (int)RECEIVE_SIZE, "a packet fits the buffer");

/* Connections may come and go in the callbacks: one that goes moves the cursor on. */
static void call_all(struct protocol *protocol, unsigned char *bytes, size_t length)
{
    struct list_cursor cursor;
    struct list_node *node;

    list_cursor_begin(&cursor, &protocol->connections, &protocol->cursors);
    while (!protocol->engine->ending && (node = list_cursor_next(&cursor))) {
        struct libwebsocket *wsi = list_entry(node, struct libwebsocket, protocol_node);

        if (!wsi->is_client && wsi->state == CONNECTION_OPEN && !wsi->broken)
            (void)connection_callback(wsi, LWS_CALLBACK_BROADCAST, bytes, length);
    }
    list_cursor_end(&cursor, &protocol->cursors);
}

/* Outside of callbacks the program's memory need not have room around it. */
static int broadcast_a_copy(struct protocol *protocol, const unsigned char *bytes, size_t length)
{
    unsigned char *memory =
        malloc(LWS_SEND_BUFFER_PRE_PADDING + length + LWS_SEND_BUFFER_POST_PADDING);

    if (!memory) {
        errno = ENOMEM;
        return -1;
    }
    if (length > 0)
        memcpy(memory + LWS_SEND_BUFFER_PRE_PADDING, bytes, length);
    call_all(protocol, memory + LWS_SEND_BUFFER_PRE_PADDING, length);
    free(memory);
    return 0;
}

static int broadcast_here(struct protocol *protocol, unsigned char *bytes, size_t length)
{
    struct libwebsocket_context *context = protocol->engine->context;
    bool in_callback = context->depth > 0;
    int result = 0;
    int saved;

    if (context->engine.ending || context->announcing) {
        errno = context->announcing ? EINVAL : ECANCELED;
        return -1;
    }
    if (list_empty(&protocol->connections))
        return 0;
    if (!context_enter(context, CALL_ENDING))
        return -1;
    if (in_callback && bytes)
        call_all(protocol, bytes, length);
    else
        result = broadcast_a_copy(protocol, bytes, length);
    saved = errno;
    (void)context_leave(context, CALL_ENDING);
    errno = saved;
    return result;
}

/* Said without a look at anything that another thread could be about to change. */
static bool is_unserved(struct libwebsocket_context *context)
{
    return context_is_owner(context) &&
           atomic_load_explicit(&context->serving_thread, memory_order_acquire) == NULL;
}

int broadcast_to(struct protocol *protocol, unsigned char *bytes, size_t length)
{
    struct libwebsocket_context *context = protocol ? protocol->engine->context : NULL;

    if (!context || (!bytes && length > 0) || length > BROADCAST_MAX) {
        errno = length > BROADCAST_MAX ? EMSGSIZE : EINVAL;
        return -1;
    }
    if (context_serves_here(context))
        return broadcast_here(protocol, bytes, length);
    /* Nobody has served it yet, or it never listened: there are no connections of this kind. */
    if (context->channel_error == 0 && (context->channel.sender < 0 || is_unserved(context)))
        return 0;
    if (context->channel_error) {
        errno = context->channel_error;
        return -1;
    }
    return broadcast_channel_send(&context->channel, &context->lock,
               (uint32_t)(protocol - context->engine.protocols), bytes, length, PATIENCE_MS)
               ? 0
               : -1;
}

int libwebsockets_broadcast(
    const struct libwebsocket_protocols *protocol, unsigned char *buf, size_t len)
{
    return broadcast_to(level_protocol(protocol, LEVEL_NEWEST), buf, len);
}

/* A process that was forked off may send anything: it shall not fill the log. */
static void tell_of_loss(struct libwebsocket_context *context, const char *why)
{
    context->broadcasts_lost++;
    if (context->loss_told && context->engine.now - context->loss_told_at < LOSS_LINES_APART_MS)
        return;
    lwsl_err("broadcasts were lost, %u in all; the latest: %s\n", context->broadcasts_lost, why);
    context->loss_told = true;
    context->loss_told_at = context->engine.now;
}

static void deliver(struct libwebsocket_context *context, const struct broadcast *broadcast)
{
    if (broadcast->topic < context->engine.protocol_count)
        call_all(&context->engine.protocols[broadcast->topic], broadcast->bytes, broadcast->length);
    else
        tell_of_loss(context, "there is no such protocol");
}

/* False where no more is to be taken now. */
static bool serve_one(
    struct libwebsocket_context *context, struct libwebsocket *channel, unsigned char *buffer)
{
    struct broadcast broadcast;

    switch (broadcast_channel_take(&context->channel, buffer, LWS_SEND_BUFFER_PRE_PADDING,
        LWS_SEND_BUFFER_POST_PADDING, &broadcast)) {
    case BROADCAST_TAKEN:
        deliver(context, &broadcast);
        free(broadcast.memory);
        /* A large one is a call's worth of work. */
        return !broadcast.memory;
    case BROADCAST_DROPPED:
        tell_of_loss(context, strerror(errno));
        return true;
    case BROADCAST_OVER:
        lwsl_err("no more broadcasts can come\n");
        channel->broken = true;
        return false;
    case BROADCAST_NONE:
        break;
    }
    return false;
}

void broadcast_resume(struct libwebsocket *channel)
{
    channel->flow_stopped = channel->broken;
    connection_attend(channel);
}

void broadcast_serve(struct libwebsocket_context *context, struct libwebsocket *channel)
{
    unsigned char *buffer;

    if (channel->flow_stopped)
        return;
    buffer = engine_take_buffer(&context->engine);
    if (!buffer) {
        lwsl_err("no broadcasts for now: out of memory\n");
        channel->flow_stopped = true;
        connection_set_due(channel, PAUSE_MS);
        connection_attend(channel);
        return;
    }
    /* A service call inside a callback must not overtake: the next message comes when all
     * connections have had this one. */
    channel->flow_stopped = true;
    connection_attend(channel);
    for (int i = 0; i < MESSAGES_PER_CALL && !context->engine.ending; i++)
        if (!serve_one(context, channel, buffer + LWS_SEND_BUFFER_PRE_PADDING))
            break;
    channel->flow_stopped = channel->broken;
    channel->hung_up = channel->broken;
    connection_attend(channel);
    engine_return_buffer(&context->engine, buffer);
}
