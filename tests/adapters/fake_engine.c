#include "fake_engine.h"

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#define MOST 1024

struct libwebsocket_context {
    lws_poll_fd_function *sink;
    void *user;
    struct fake_descriptor descriptors[MOST];
    int forwarded;
    int detached;
    int refuses;
};

static struct libwebsocket_context the_context;
struct libwebsocket_context *const fake_context = &the_context;

static int tell(enum libwebsocket_callback_reasons reason, int fd, int events)
{
    if (!the_context.sink)
        return 0;
    return the_context.sink(&the_context, the_context.user, reason, fd, events,
        fd < 0 ? 0 : the_context.descriptors[fd].flags);
}

static void tell_delete_below(int end)
{
    int fd;

    for (fd = 0; fd < end; fd++) {
        if (the_context.descriptors[fd].live)
            tell(LWS_CALLBACK_DEL_POLL_FD, fd, 0);
    }
}

int lws_set_poll_fd_callback(
    struct libwebsocket_context *context, lws_poll_fd_function *function, void *user)
{
    int fd;

    ck_assert_ptr_eq(context, fake_context);
    if (context->sink) {
        tell_delete_below(MOST);
        tell(LWS_CALLBACK_POLL_DETACHED, -1, 0);
        context->detached++;
    }
    context->sink = function;
    context->user = user;
    for (fd = 0; function && fd < MOST; fd++) {
        const struct fake_descriptor *descriptor = &context->descriptors[fd];

        if (descriptor->live && tell(LWS_CALLBACK_ADD_POLL_FD, fd, descriptor->wanted) != 0) {
            tell_delete_below(fd);
            context->sink = NULL;
            context->user = NULL;
            return -1;
        }
    }
    return 0;
}

lws_poll_fd_function *lws_get_poll_fd_callback(struct libwebsocket_context *context, void **user)
{
    if (user)
        *user = context->user;
    return context->sink;
}

int lws_adopt(struct libwebsocket_context *context)
{
    ck_assert_ptr_eq(context, fake_context);
    return 0;
}

void lws_poll_fd_to_protocol(struct libwebsocket_context *context,
    enum libwebsocket_callback_reasons reason, int fd, int events)
{
    (void)reason, (void)fd, (void)events;
    context->forwarded++;
}

void _lws_log(int filter, const char *format, ...)
{
    va_list arguments;

    (void)filter;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

int libwebsocket_service_fd(struct libwebsocket_context *context, struct pollfd *pollfd)
{
    struct fake_descriptor *descriptor;
    int fd, revents;

    ck_assert_ptr_eq(context, fake_context);
    /* Of no descriptor in particular: there are no deadlines here, and nothing waits to be sent. */
    if (!pollfd)
        return 0;
    fd = pollfd->fd;
    revents = pollfd->revents;
    descriptor = fake_descriptor(fd);
    ck_assert_msg(descriptor->live, "descriptor %d was served after DEL", fd);
    ck_assert_msg(revents != 0, "descriptor %d was served for nothing", fd);
    pollfd->revents = 0;
    descriptor->hits++;
    descriptor->revents = revents;
    if (the_context.refuses)
        return -1;
    if (descriptor->served)
        descriptor->served(fd, revents);
    return 0;
}

struct fake_descriptor *fake_descriptor(int fd)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_lt(fd, MOST);
    return &the_context.descriptors[fd];
}

int fake_add(int fd, int events, unsigned int flags, fake_served_function *served)
{
    struct fake_descriptor *descriptor = fake_descriptor(fd);
    int result;

    ck_assert_int_eq(descriptor->live, 0);
    *descriptor =
        (struct fake_descriptor){.live = 1, .wanted = events, .flags = flags, .served = served};
    result = tell(LWS_CALLBACK_ADD_POLL_FD, fd, events);
    descriptor->live = result == 0;
    return result;
}

int fake_try_set(int fd, int events)
{
    ck_assert_int_eq(fake_descriptor(fd)->wanted & events, 0);
    fake_descriptor(fd)->wanted |= events;
    return tell(LWS_CALLBACK_SET_MODE_POLL_FD, fd, events);
}

void fake_set(int fd, int events)
{
    ck_assert_int_eq(fake_try_set(fd, events), 0);
}

void fake_clear(int fd, int events)
{
    ck_assert_int_eq(fake_descriptor(fd)->wanted & events, events);
    fake_descriptor(fd)->wanted &= ~events;
    ck_assert_int_eq(tell(LWS_CALLBACK_CLEAR_MODE_POLL_FD, fd, events), 0);
}

void fake_delete(int fd)
{
    ck_assert_int_eq(fake_descriptor(fd)->live, 1);
    fake_descriptor(fd)->live = 0;
    ck_assert_int_eq(tell(LWS_CALLBACK_DEL_POLL_FD, fd, 0), 0);
}

int fake_adopt(void)
{
    int result = tell(LWS_CALLBACK_POLL_FORKED, -1, 0);

    for (int fd = 0; result == 0 && fd < MOST; fd++) {
        if (the_context.descriptors[fd].live)
            result = tell(LWS_CALLBACK_ADD_POLL_FD, fd, the_context.descriptors[fd].wanted);
    }
    return result;
}

void fake_let_go(void)
{
    tell(LWS_CALLBACK_POLL_DETACHED, -1, 0);
    the_context.sink = NULL;
}

void fake_give_up(void)
{
    for (int fd = 0; fd < MOST; fd++) {
        if (the_context.descriptors[fd].live)
            ck_assert_int_eq(close(fd), 0);
    }
    fake_let_go();
}

void fake_refuse(void)
{
    the_context.refuses = 1;
}

int fake_forwarded(void)
{
    return the_context.forwarded;
}

int fake_detached(void)
{
    return the_context.detached;
}
