/* The libuv adapter: one uv_poll_t for each descriptor. */
#include "lws_uv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "../slots.h"

/*
 * A descriptor and its handle. libuv keeps a closed handle until the loop's next turn, so that this
 * outlives DEL, and perhaps the attachment; nothing but the handle is used from then on.
 */
struct watched {
    uv_poll_t handle; /* first, so that a handle's address is its struct's; data: the attachment */
    int fd;
    short wanted;
    bool is_helper;
    struct watched *next; /* of those that the program has closed */
    bool is_in_loop;      /* it was found there just now */
};

struct attachment {
    struct libwebsocket_context *context;
    uv_loop_t *loop;
    struct watched **by_fd;
    size_t slot_count;
    size_t others; /* descriptors that are not helpers */
    int refusal;   /* errno of the last descriptor that could not be watched */
    struct watched *closed_by_program;
    uv_idle_t sweeper; /* does nothing but close; data: the attachment */
};

static void on_ready(uv_poll_t *handle, int status, int events);

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static struct watched *find_watched(const struct attachment *attachment, int fd)
{
    return fd >= 0 && (size_t)fd < attachment->slot_count ? attachment->by_fd[fd] : NULL;
}

static int apply_wanted(struct watched *watched)
{
    int events = 0;
    int result;

    if (uv_is_closing((uv_handle_t *)&watched->handle)) {
        lwsl_err("the handle of descriptor %d has been closed by the program\n", watched->fd);
        errno = EBADF;
        return -1;
    }
    if (watched->wanted & POLLIN)
        events |= UV_READABLE;
    if (watched->wanted & POLLOUT)
        events |= UV_WRITABLE;
    result =
        events ? uv_poll_start(&watched->handle, events, on_ready) : uv_poll_stop(&watched->handle);
    if (result < 0) {
        lwsl_err("libuv cannot watch descriptor %d: %s\n", watched->fd, uv_strerror(result));
        errno = -result;
        return -1;
    }
    return 0;
}

/*
 * The system's part of a loop that was attached to has an owner, whom it never has anything to
 * tell. In a child of fork() that is its parent, until uv_loop_fork() makes another one, without.
 */
static bool is_another_processes(const uv_loop_t *loop)
{
    int owner = fcntl(uv_backend_fd(loop), F_GETOWN);

    return owner > 0 && owner != getpid();
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct watched *watched = (struct watched *)handle;
    struct attachment *attachment = handle->data;
    struct pollfd pollfd = {.fd = watched->fd, .events = watched->wanted};

    if (status < 0) {
        /* POLLERR, which libuv translates to an error: the wanted I/O will find out which. */
        pollfd.revents = (short)(watched->wanted | POLLERR);
    } else {
        /* A hang-up arrives as the wanted events: libuv has no other name for it. */
        if (events & UV_READABLE)
            pollfd.revents |= POLLIN;
        if (events & UV_WRITABLE)
            pollfd.revents |= POLLOUT;
    }
    /* Only where it is refused, in a child, is the attachment sure to be there when it returns. */
    if (!attachment->context || libwebsocket_service_fd(attachment->context, &pollfd) < 0) {
        if (!is_another_processes(attachment->loop))
            (void)uv_poll_stop(handle);
        return;
    }

    /* libuv stops a handle of which it has reported an error. */
    if (status < 0 && !uv_is_closing((uv_handle_t *)handle) && !uv_is_active((uv_handle_t *)handle))
        apply_wanted(watched);
}

/* Helpers alone do not keep the loop going. But a connection does, also while it waits for nothing
 * of its own: it may be a helper that gets it going again. */
static void refer_to_helpers(const struct attachment *attachment, bool keep_going)
{
    for (size_t fd = 0; fd < attachment->slot_count; fd++) {
        struct watched *watched = attachment->by_fd[fd];

        if (!watched || !watched->is_helper)
            continue;
        if (keep_going)
            uv_ref((uv_handle_t *)&watched->handle);
        else
            uv_unref((uv_handle_t *)&watched->handle);
    }
}

static void begin_counting(struct attachment *attachment, struct watched *watched)
{
    if (!watched->is_helper && attachment->others++ == 0)
        refer_to_helpers(attachment, true);
    else if (watched->is_helper && attachment->others == 0)
        uv_unref((uv_handle_t *)&watched->handle);
}

static void end_counting(struct attachment *attachment, const struct watched *watched)
{
    if (!watched->is_helper && --attachment->others == 0)
        refer_to_helpers(attachment, false);
}

static int start_watching(struct attachment *attachment, int fd, int events, unsigned int flags)
{
    struct watched **by_fd;
    struct watched *watched;
    int result;

    by_fd = lws_slots_for(attachment->by_fd, &attachment->slot_count, sizeof(*by_fd), fd);
    if (!by_fd)
        goto out_of_memory;
    attachment->by_fd = by_fd;
    watched = malloc(sizeof(*watched));
    if (!watched)
        goto out_of_memory;
    watched->fd = fd;
    watched->wanted = (short)events;
    watched->is_helper = (flags & LWS_POLL_HELPER) != 0;
    watched->is_in_loop = false;

    result = uv_poll_init(attachment->loop, &watched->handle, fd);
    if (result < 0) {
        lwsl_err("libuv cannot watch descriptor %d: %s\n", fd, uv_strerror(result));
        free(watched);
        errno = -result;
        return -1;
    }
    watched->handle.data = attachment;
    if (apply_wanted(watched) < 0) {
        int error = errno;

        uv_close((uv_handle_t *)&watched->handle, on_closed);
        errno = error;
        return -1;
    }
    by_fd[fd] = watched;
    begin_counting(attachment, watched);
    return 0;

out_of_memory:
    lwsl_err("no memory to watch descriptor %d\n", fd);
    errno = ENOMEM;
    return -1;
}

static void stop_watching(struct attachment *attachment, struct watched *watched)
{
    attachment->by_fd[watched->fd] = NULL;
    end_counting(attachment, watched);
    if (uv_is_closing((uv_handle_t *)&watched->handle)) {
        watched->next = attachment->closed_by_program;
        attachment->closed_by_program = watched;
        return;
    }
    /* Takes effect on the descriptor at once. */
    uv_close((uv_handle_t *)&watched->handle, on_closed);
}

static void mark_in_loop(uv_handle_t *handle, void *attachment)
{
    if (handle->type == UV_POLL && handle->data == attachment)
        ((struct watched *)handle)->is_in_loop = true;
}

static void end_attachment(struct attachment *attachment);

static void on_swept(uv_handle_t *handle)
{
    end_attachment(handle->data);
}

/* What the program has closed is libuv's until it is not in the loop any more; the callback, if
 * there is one, is the program's. */
static void end_attachment(struct attachment *attachment)
{
    struct watched **end = &attachment->closed_by_program;

    if (*end)
        uv_walk(attachment->loop, mark_in_loop, attachment);
    while (*end) {
        struct watched *watched = *end;

        if (watched->is_in_loop) {
            watched->is_in_loop = false;
            end = &watched->next;
        } else {
            *end = watched->next;
            free(watched);
        }
    }
    if (attachment->closed_by_program) {
        (void)uv_idle_init(attachment->loop, &attachment->sweeper);
        attachment->sweeper.data = attachment;
        uv_close((uv_handle_t *)&attachment->sweeper, on_swept);
        return;
    }
    free(attachment->by_fd);
    free(attachment);
}

/* Where there is something left it is a child's copy that ends. Of the descriptors that it keeps
 * open the handles stay in the loop, which may be the parent's too, or not be there any more; and
 * they keep the attachment. */
static void detach(struct attachment *attachment)
{
    bool is_needed = false;

    for (size_t fd = 0; fd < attachment->slot_count; fd++) {
        struct watched *watched = attachment->by_fd[fd];

        if (watched && lws_is_open((int)fd))
            is_needed = true;
        else if (watched)
            stop_watching(attachment, watched);
    }
    attachment->context = NULL;
    if (!is_needed)
        end_attachment(attachment);
}

static int on_poll_fd(struct libwebsocket_context *context, void *user,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags)
{
    struct attachment *attachment = user;
    struct watched *watched;

    (void)context;
    if (reason == LWS_CALLBACK_ADD_POLL_FD) {
        if (start_watching(attachment, fd, events, flags) == 0)
            return 0;
        attachment->refusal = errno;
        return -1;
    }
    /* In a child of fork() the loop's own descriptor is still the parent's: nothing may be changed
     * in it. */
    if (reason == LWS_CALLBACK_POLL_FORKED)
        return -1;
    if (reason == LWS_CALLBACK_POLL_DETACHED) {
        detach(attachment);
        return 0;
    }

    watched = find_watched(attachment, fd);
    if (!watched)
        return -1;
    switch (reason) {
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        watched->wanted = (short)(watched->wanted | events);
        return apply_wanted(watched);
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        watched->wanted = (short)(watched->wanted & ~events);
        return apply_wanted(watched);
    case LWS_CALLBACK_DEL_POLL_FD:
        stop_watching(attachment, watched);
        return 0;
    default:
        return 0;
    }
}

int lws_uv_attach(struct libwebsocket_context *context, uv_loop_t *loop)
{
    struct attachment *attachment;

    if (!context || !loop) {
        lwsl_err("lws_uv_attach: context and loop must not be NULL\n");
        errno = EINVAL;
        return -1;
    }
    attachment = calloc(1, sizeof(*attachment));
    if (!attachment) {
        lwsl_err("lws_uv_attach: out of memory\n");
        return -1;
    }
    attachment->context = context;
    attachment->loop = loop;
    if (lws_set_poll_fd_callback(context, on_poll_fd, attachment) < 0) {
        int error = attachment->refusal ? attachment->refusal : errno;

        lwsl_err("lws_uv_attach: the loop could not be attached\n");
        free(attachment->by_fd);
        free(attachment);
        errno = error;
        return -1;
    }
    (void)fcntl(uv_backend_fd(loop), F_SETOWN, getpid());
    return 0;
}
