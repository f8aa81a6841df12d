#include "connection/deflate_pool.h"

struct deflate_stream *deflate_pool_take_sender(struct deflate_pool *pool, int window_bits)
{
    struct deflate_stream *sender = pool->senders[window_bits];

    pool->senders[window_bits] = NULL;
    if (!sender)
        return deflate_stream_create(
            pool->settings.level, pool->settings.memory_level, window_bits);
    deflate_stream_reset(sender);
    return sender;
}

struct inflate_stream *deflate_pool_take_receiver(struct deflate_pool *pool, int window_bits)
{
    struct inflate_stream *receiver = pool->receiver;

    pool->receiver = NULL;
    if (!receiver)
        return inflate_stream_create(window_bits);
    inflate_stream_reset(receiver, window_bits);
    return receiver;
}

void deflate_pool_return_sender(
    struct deflate_pool *pool, int window_bits, struct deflate_stream *sender)
{
    if (pool->senders[window_bits])
        deflate_stream_free(sender);
    else
        pool->senders[window_bits] = sender;
}

void deflate_pool_return_receiver(struct deflate_pool *pool, struct inflate_stream *receiver)
{
    if (pool->receiver)
        inflate_stream_free(receiver);
    else
        pool->receiver = receiver;
}

void deflate_pool_free(struct deflate_pool *pool)
{
    for (int bits = 0; bits <= DEFLATE_WINDOW_MAX; bits++)
        deflate_stream_free(pool->senders[bits]);
    inflate_stream_free(pool->receiver);
    *pool = (struct deflate_pool){.settings = pool->settings};
}
