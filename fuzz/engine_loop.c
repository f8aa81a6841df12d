#include "engine_loop.h"

#include "fuzz.h"

#include <errno.h>
#include <poll.h>

enum { DESCRIPTORS_MAX = 64, ROUNDS_MAX = 5000 };

static struct pollfd polled[DESCRIPTORS_MAX];
static unsigned int polled_flags[DESCRIPTORS_MAX];
static nfds_t polled_count;

static nfds_t find(int fd)
{
    nfds_t i = 0;

    while (i < polled_count && polled[i].fd != fd)
        i++;
    return i;
}

int engine_loop_sink(struct libwebsocket_context *context, void *user,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags)
{
    nfds_t at = find(fd);

    (void)context;
    (void)user;
    if (reason == LWS_CALLBACK_POLL_DETACHED) {
        REQUIRE(polled_count == 0);
        return 0;
    }
    REQUIRE(fd >= 0);
    REQUIRE((events & ~(POLLIN | POLLOUT)) == 0);
    if (reason == LWS_CALLBACK_ADD_POLL_FD) {
        REQUIRE(at == polled_count && polled_count < DESCRIPTORS_MAX);
        polled[at] = (struct pollfd){.fd = fd, .events = (short)events};
        polled_flags[at] = flags;
        polled_count++;
        return 0;
    }
    REQUIRE(at < polled_count && polled_flags[at] == flags);
    switch (reason) {
    case LWS_CALLBACK_DEL_POLL_FD:
        polled[at] = polled[--polled_count];
        polled_flags[at] = polled_flags[polled_count];
        break;
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        REQUIRE((events & ~polled[at].events) != 0);
        polled[at].events = (short)(polled[at].events | events);
        break;
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        REQUIRE((events & polled[at].events) != 0);
        polled[at].events = (short)(polled[at].events & ~events);
        break;
    default:
        fuzz_fail("the reason is one of a sink's", __FILE__, __LINE__);
    }
    return 0;
}

void engine_loop_settle(struct libwebsocket_context *context)
{
    for (int round = 0;; round++) {
        struct pollfd ready[DESCRIPTORS_MAX];
        nfds_t count = polled_count;
        int events = poll(polled, polled_count, 0);

        if (events == 0)
            return;
        if (events < 0 && errno == EINTR)
            continue; /* the fuzzer's clock */
        REQUIRE(events > 0);
        REQUIRE(round < ROUNDS_MAX);
        memcpy(ready, polled, count * sizeof(ready[0]));
        for (nfds_t i = 0; i < count; i++) {
            if (!ready[i].revents)
                continue;
            REQUIRE((ready[i].revents & POLLNVAL) == 0);
            REQUIRE(libwebsocket_service_fd(context, &ready[i]) == 0);
        }
    }
}

unsigned int engine_loop_connections(void)
{
    unsigned int connections = 0;

    for (nfds_t i = 0; i < polled_count; i++) {
        if (!(polled_flags[i] & LWS_POLL_HELPER))
            connections++;
    }
    return connections;
}
