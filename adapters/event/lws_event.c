/* The libevent adapter: one struct event for each descriptor, and nothing else per descriptor. */
#include "lws_event.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../slots.h"

struct attachment {
    struct libwebsocket_context *context;
    struct event_base *base;
    struct event **by_fd;
    size_t slot_count;
    int refusal; /* errno of the last descriptor that could not be watched */
};

static short events_of_poll(int events)
{
    short result = EV_PERSIST;

    if (events & POLLIN)
        result |= EV_READ;
    if (events & POLLOUT)
        result |= EV_WRITE;
    return result;
}

static short events_to_poll(short events)
{
    short result = 0;

    if (events & EV_READ)
        result |= POLLIN;
    if (events & EV_WRITE)
        result |= POLLOUT;
    return result;
}

static void on_ready(evutil_socket_t fd, short what, void *argument)
{
    struct attachment *attachment = argument;
    /* A hang-up or an error arrives as the wanted events, which is all the engine needs. */
    struct pollfd pollfd = {.fd = fd, .revents = events_to_poll(what)};

    if (!attachment->context)
        return;
    pollfd.events = pollfd.revents;
    /*
     * The event and the attachment may be gone when it returns. Where it is refused, in a child of
     * fork(), the event stays: libevent does not tell whether the base has been initialised again,
     * and before that it would be taken from the parent too.
     */
    (void)libwebsocket_service_fd(attachment->context, &pollfd);
}

static struct event *find_event(const struct attachment *attachment, int fd)
{
    return fd >= 0 && (size_t)fd < attachment->slot_count ? attachment->by_fd[fd] : NULL;
}

/* An event for nothing is not pending: libevent would report neither hang-up nor error for it. */
static int add_if_wanted(struct event *event)
{
    if (!(event_get_events(event) & (EV_READ | EV_WRITE)))
        return 0;
    errno = 0;
    if (event_add(event, NULL) == 0)
        return 0;
    if (errno == 0)
        errno = EIO;
    lwsl_err("libevent cannot watch descriptor %d\n", (int)event_get_fd(event));
    return -1;
}

static int change_wanted(struct attachment *attachment, struct event *event, int wanted)
{
    evutil_socket_t fd = event_get_fd(event);

    if (event_del(event) < 0 || event_assign(event, attachment->base, fd, events_of_poll(wanted),
                                    on_ready, attachment) < 0) {
        lwsl_err("libevent cannot change what is watched of descriptor %d\n", (int)fd);
        return -1;
    }
    return add_if_wanted(event);
}

static int start_watching(struct attachment *attachment, int fd, int events)
{
    struct event **by_fd;
    struct event *event;

    by_fd = lws_slots_for(attachment->by_fd, &attachment->slot_count, sizeof(struct event *), fd);
    if (!by_fd)
        goto out_of_memory;
    attachment->by_fd = by_fd;
    event = event_new(attachment->base, fd, events_of_poll(events), on_ready, attachment);
    if (!event)
        goto out_of_memory;
    if (add_if_wanted(event) < 0) {
        int error = errno;

        event_free(event);
        errno = error;
        return -1;
    }
    by_fd[fd] = event;
    return 0;

out_of_memory:
    lwsl_err("no memory to watch descriptor %d\n", fd);
    errno = ENOMEM;
    return -1;
}

static void stop_watching(struct attachment *attachment, int fd)
{
    struct event *event = attachment->by_fd[fd];

    attachment->by_fd[fd] = NULL;
    /* Takes it out of the base first, also where it is the one being handled. */
    event_free(event);
}

/* Where there is something left it is a child's copy that ends. Of the descriptors that it keeps
 * open the events stay in the base, which may be the parent's too; and they keep the attachment. */
static void detach(struct attachment *attachment)
{
    bool is_needed = false;

    for (size_t fd = 0; fd < attachment->slot_count; fd++) {
        if (attachment->by_fd[fd] && lws_is_open((int)fd))
            is_needed = true;
        else if (attachment->by_fd[fd])
            stop_watching(attachment, (int)fd);
    }
    attachment->context = NULL;
    if (is_needed)
        return;
    free(attachment->by_fd);
    free(attachment);
}

static int on_poll_fd(struct libwebsocket_context *context, void *user,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags)
{
    struct attachment *attachment = user;
    struct event *event;
    int wanted;

    (void)context;
    (void)flags;
    if (reason == LWS_CALLBACK_ADD_POLL_FD) {
        if (start_watching(attachment, fd, events) == 0)
            return 0;
        attachment->refusal = errno;
        return -1;
    }
    /* In a child of fork() the base's own descriptor is still the parent's: nothing may be changed
     * in it. */
    if (reason == LWS_CALLBACK_POLL_FORKED)
        return -1;
    if (reason == LWS_CALLBACK_POLL_DETACHED) {
        detach(attachment);
        return 0;
    }

    event = find_event(attachment, fd);
    if (!event)
        return -1;
    wanted = events_to_poll(event_get_events(event));
    switch (reason) {
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        return change_wanted(attachment, event, wanted | events);
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        return change_wanted(attachment, event, wanted & ~events);
    case LWS_CALLBACK_DEL_POLL_FD:
        stop_watching(attachment, fd);
        return 0;
    default:
        return 0;
    }
}

int lws_event_attach(struct libwebsocket_context *context, struct event_base *base)
{
    struct attachment *attachment;

    if (!context || !base) {
        lwsl_err("lws_event_attach: context and base must not be NULL\n");
        errno = EINVAL;
        return -1;
    }
    attachment = calloc(1, sizeof(*attachment));
    if (!attachment) {
        lwsl_err("lws_event_attach: out of memory\n");
        return -1;
    }
    attachment->context = context;
    attachment->base = base;
    if (lws_set_poll_fd_callback(context, on_poll_fd, attachment) < 0) {
        int error = attachment->refusal ? attachment->refusal : errno;

        lwsl_err("lws_event_attach: the base could not be attached\n");
        free(attachment->by_fd);
        free(attachment);
        errno = error;
        return -1;
    }
    return 0;
}
