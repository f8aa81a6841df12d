/* The poll adapter: libwebsocket_service(), for programs without a loop of their own. */
#include "lws_poll.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../slots.h"
#include "serve_until.h"
#include "wait.h"

/* In a slot of wanted_by_fd, beside POLLIN and POLLOUT. */
#define WATCHED 0x80
_Static_assert((POLLIN | POLLOUT) < WATCHED, "the events of a descriptor fit in a byte");

/*
 * What is ready, as one libwebsocket_service() found it; on that call's stack. The sink keeps it
 * true while callbacks remove descriptors, or the attachment itself.
 */
struct round {
    struct round *outer; /* of the service call inside one of whose callbacks this one is */
    bool detached;
    int count;
    struct pollfd ready[LWS_POLL_WAIT_MOST];
};

struct attachment {
    struct lws_poll_wait *wait;
    struct round *innermost;
    unsigned char *wanted_by_fd;
    size_t slot_count;
    int end_fd;  /* readable when lws_poll_serve_until is to return; -1 for none */
    bool ended;  /* it was */
    bool *gone;  /* set where the attachment ends before that */
    int refusal; /* errno of the last descriptor that could not be watched */
};

static void forget_ready(const struct attachment *attachment, int fd)
{
    struct round *round;
    int i;

    for (round = attachment->innermost; round; round = round->outer) {
        for (i = 0; i < round->count; i++) {
            if (round->ready[i].fd == fd)
                round->ready[i].fd = -1;
        }
    }
}

static void free_attachment(struct attachment *attachment)
{
    lws_poll_wait_destroy(attachment->wait);
    free(attachment->wanted_by_fd);
    free(attachment);
}

/* A child of fork() has an array of its own, where the program keeps one, and so protocols[0] is
 * told there what is not told here. */
static void forward_deletions(
    struct libwebsocket_context *context, const struct attachment *attachment)
{
    size_t fd;

    for (fd = 0; fd < attachment->slot_count; fd++)
        if (attachment->wanted_by_fd[fd] & WATCHED)
            lws_poll_fd_to_protocol(context, LWS_CALLBACK_DEL_POLL_FD, (int)fd, 0);
}

/* In a child of fork(): the other process goes on with the one that there was. */
static int begin_anew(struct libwebsocket_context *context, struct attachment *attachment)
{
    struct lws_poll_wait *wait = lws_poll_wait_create();
    struct round *round;

    if (!wait) {
        lwsl_err("waiting cannot be set up: %s\n", strerror(errno));
        return -1;
    }
    lws_poll_wait_destroy(attachment->wait);
    attachment->wait = wait;
    forward_deletions(context, attachment);
    memset(attachment->wanted_by_fd, 0, attachment->slot_count);
    /* What is still ready is reported again. */
    for (round = attachment->innermost; round; round = round->outer)
        round->count = 0;
    return 0;
}

static void detach(struct libwebsocket_context *context, struct attachment *attachment)
{
    struct round *round;

    if (attachment->gone)
        *attachment->gone = true;

    forward_deletions(context, attachment);
    for (round = attachment->innermost; round; round = round->outer)
        round->detached = true;
    free_attachment(attachment);
}

static int start_watching(struct attachment *attachment, int fd, int events)
{
    unsigned char *wanted_by_fd;

    wanted_by_fd = lws_slots_for(attachment->wanted_by_fd, &attachment->slot_count, 1, fd);
    if (!wanted_by_fd) {
        lwsl_err("no memory to watch descriptor %d\n", fd);
        errno = ENOMEM;
        return -1;
    }
    attachment->wanted_by_fd = wanted_by_fd;
    if (lws_poll_wait_add(attachment->wait, fd, events) < 0) {
        int error = errno;

        lwsl_err("descriptor %d cannot be watched: %s\n", fd, strerror(error));
        errno = error;
        return -1;
    }
    wanted_by_fd[fd] = (unsigned char)(WATCHED | events);
    return 0;
}

static int change_watched(
    struct attachment *attachment, enum libwebsocket_callback_reasons reason, int fd, int events)
{
    unsigned char *slot = &attachment->wanted_by_fd[fd];
    int result = 0;

    switch (reason) {
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        *slot = (unsigned char)(*slot | events);
        result = lws_poll_wait_change(attachment->wait, fd, *slot & ~WATCHED);
        break;
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        *slot = (unsigned char)(*slot & ~events);
        result = lws_poll_wait_change(attachment->wait, fd, *slot & ~WATCHED);
        break;
    case LWS_CALLBACK_DEL_POLL_FD:
        *slot = 0;
        forget_ready(attachment, fd);
        result = lws_poll_wait_remove(attachment->wait, fd);
        break;
    default:
        break;
    }
    if (result < 0)
        lwsl_err("the watch on descriptor %d cannot be changed: %s\n", fd, strerror(errno));
    return result;
}

static int on_poll_fd(struct libwebsocket_context *context, void *user,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags)
{
    struct attachment *attachment = user;
    int result;

    (void)flags;
    if (reason == LWS_CALLBACK_POLL_DETACHED) {
        detach(context, attachment);
        return 0;
    }
    if (reason == LWS_CALLBACK_POLL_FORKED)
        return begin_anew(context, attachment);
    if (reason == LWS_CALLBACK_ADD_POLL_FD) {
        result = start_watching(attachment, fd, events);
        if (result < 0) {
            attachment->refusal = errno;
            return -1;
        }
    } else {
        if (fd < 0 || (size_t)fd >= attachment->slot_count ||
            !(attachment->wanted_by_fd[fd] & WATCHED))
            return -1;
        result = change_watched(attachment, reason, fd, events);
    }
    lws_poll_fd_to_protocol(context, reason, fd, events);
    return result;
}

int lws_poll_attach(struct libwebsocket_context *context)
{
    struct attachment *attachment;

    if (!context) {
        lwsl_err("lws_poll_attach: context must not be NULL\n");
        errno = EINVAL;
        return -1;
    }
    attachment = calloc(1, sizeof(*attachment));
    if (!attachment) {
        lwsl_err("lws_poll_attach: out of memory\n");
        return -1;
    }
    attachment->end_fd = -1;
    attachment->wait = lws_poll_wait_create();
    if (!attachment->wait) {
        int error = errno;

        lwsl_err("lws_poll_attach: waiting cannot be set up: %s\n", strerror(error));
        free(attachment);
        errno = error;
        return -1;
    }
    if (lws_set_poll_fd_callback(context, on_poll_fd, attachment) < 0) {
        int error = attachment->refusal ? attachment->refusal : errno;

        lwsl_err("lws_poll_attach: the context could not be attached\n");
        free_attachment(attachment);
        errno = error;
        return -1;
    }
    return 0;
}

/* Returns NULL, with a log line, where another adapter is attached, or this one cannot be. */
static struct attachment *find_or_attach(struct libwebsocket_context *context)
{
    void *user = NULL;
    lws_poll_fd_function *function = lws_get_poll_fd_callback(context, &user);

    if (function && function != on_poll_fd) {
        lwsl_err("libwebsocket_service: the context is attached to another loop\n");
        errno = EBUSY;
        return NULL;
    }
    if (!function) {
        if (lws_poll_attach(context) < 0)
            return NULL;
        lws_get_poll_fd_callback(context, &user);
    }
    return user;
}

/*
 * Inside a callback, what has been written since it began leaves with the next service call: before
 * the wait, because nothing may become ready until it has left. False where the attachment is gone.
 */
static bool send_before_waiting(struct libwebsocket_context *context, struct attachment *attachment)
{
    struct round *outer = attachment->innermost;

    if (!outer)
        return true;
    libwebsocket_service_fd(context, NULL);
    return !outer->detached;
}

int libwebsocket_service(struct libwebsocket_context *context, int timeout_ms)
{
    struct attachment *attachment;
    struct round round;
    int result = 0;
    int i;

    if (!context) {
        errno = EINVAL;
        return -1;
    }
    if (lws_adopt(context) < 0)
        return -1;
    attachment = find_or_attach(context);
    if (!attachment)
        return -1;
    if (!send_before_waiting(context, attachment))
        return 0;

    round.count = lws_poll_wait_for(attachment->wait, round.ready, timeout_ms);
    if (round.count < 0) {
        if (errno == EINTR)
            return 0;
        lwsl_err("libwebsocket_service: waiting failed: %s\n", strerror(errno));
        return -1;
    }
    round.detached = false;
    round.outer = attachment->innermost;
    attachment->innermost = &round;
    for (i = 0; i < round.count && !round.detached; i++) {
        struct pollfd *pollfd = &round.ready[i];

        if (pollfd->fd < 0)
            continue;
        if (pollfd->fd == attachment->end_fd) {
            attachment->ended = true;
            continue;
        }
        pollfd->events = attachment->wanted_by_fd[pollfd->fd] & ~WATCHED;
        if (libwebsocket_service_fd(context, pollfd) < 0)
            result = -1;
    }
    if (!round.detached)
        attachment->innermost = round.outer;
    return result;
}

bool lws_poll_can_serve(struct libwebsocket_context *context)
{
    const struct attachment *attachment = lws_adopt(context) < 0 ? NULL : find_or_attach(context);

    if (!attachment)
        return false;
    if (attachment->innermost) {
        lwsl_err("a service loop cannot be begun inside a callback\n");
        errno = EINVAL;
        return false;
    }
    return true;
}

enum lws_poll_end lws_poll_serve_until(struct libwebsocket_context *context, int fd)
{
    struct attachment *attachment = lws_adopt(context) < 0 ? NULL : find_or_attach(context);
    bool gone = false;
    int result = 0;

    if (!attachment)
        return LWS_POLL_FAILED;
    if (lws_poll_wait_add(attachment->wait, fd, POLLIN) < 0) {
        lwsl_err("descriptor %d cannot be watched: %s\n", fd, strerror(errno));
        return LWS_POLL_FAILED;
    }
    attachment->end_fd = fd;
    attachment->gone = &gone;
    while (result == 0 && !gone && !attachment->ended)
        result = libwebsocket_service(context, -1);
    if (gone)
        return LWS_POLL_DESTROYED;
    attachment->gone = NULL;
    return result < 0 ? LWS_POLL_FAILED : LWS_POLL_ENDED;
}
