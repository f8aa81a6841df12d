#include "service/poll_fd.h"

#include "service/adopt.h"

#include <errno.h>
#include <stdint.h>

static void tell_protocol(
    struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, int events)
{
    struct libwebsocket_context *context = context_of(wsi);

    (void)protocol_call(&context->engine.protocols[0], context, wsi, reason, wsi->session,
        (void *)(intptr_t)wsi->transport.fd, (size_t)events);
}

static int tell(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, int events)
{
    struct libwebsocket_context *context = context_of(wsi);
    unsigned int flags =
        wsi->state >= CONNECTION_WAKE && wsi->state <= CONNECTION_BROADCASTS ? LWS_POLL_HELPER : 0;
    int result = 0;

    context->announcing = true;
    if (context->sink)
        result =
            context->sink(context, context->sink_user, reason, wsi->transport.fd, events, flags);
    else
        tell_protocol(wsi, reason, events);
    context->announcing = false;
    return result;
}

static bool add(struct libwebsocket *wsi)
{
    unsigned char wanted = connection_wanted_events(wsi);

    /* Where nothing is wanted of a descriptor that hung up, a loop would only spin on it. */
    if (wanted == 0 && wsi->hung_up)
        return true;
    wsi->hung_up = false;
    if (tell(wsi, LWS_CALLBACK_ADD_POLL_FD, wanted)) {
        lwsl_err("descriptor %d: the loop cannot watch it\n", wsi->transport.fd);
        return false;
    }
    wsi->registered = true;
    wsi->announced = wanted;
    return true;
}

bool poll_fd_announce(struct libwebsocket *wsi)
{
    unsigned char wanted = connection_wanted_events(wsi);
    unsigned char more = (unsigned char)(wanted & ~wsi->announced);
    unsigned char less = (unsigned char)(wsi->announced & ~wanted);

    if (!wsi->registered)
        return add(wsi);
    if (wanted)
        wsi->hung_up = false;
    if (wsi->hung_up) {
        poll_fd_forget(wsi);
        return true;
    }
    wsi->announced = wanted;
    if (more && tell(wsi, LWS_CALLBACK_SET_MODE_POLL_FD, more)) {
        lwsl_err("descriptor %d: the loop cannot wait for what is wanted\n", wsi->transport.fd);
        return false;
    }
    if (less)
        (void)tell(wsi, LWS_CALLBACK_CLEAR_MODE_POLL_FD, less);
    return true;
}

void poll_fd_forget(struct libwebsocket *wsi)
{
    if (!wsi->registered)
        return;
    wsi->registered = false;
    wsi->announced = 0;
    (void)tell(wsi, LWS_CALLBACK_DEL_POLL_FD, 0);
}

void poll_fd_disregard(struct libwebsocket *wsi)
{
    wsi->registered = false;
    wsi->announced = 0;
}

void poll_fd_detach(struct libwebsocket_context *context)
{
    lws_poll_fd_function *sink = context->sink;
    void *user = context->sink_user;

    context->sink = NULL;
    context->sink_user = NULL;
    if (!sink)
        return;
    context->announcing = true;
    (void)sink(context, user, LWS_CALLBACK_POLL_DETACHED, -1, 0, 0);
    context->announcing = false;
}

void poll_fd_forget_all(struct libwebsocket_context *context)
{
    for (size_t fd = 0; fd < context->by_fd_size; fd++)
        if (context->by_fd[fd])
            poll_fd_forget(context->by_fd[fd]);
}

void poll_fd_disregard_all(struct libwebsocket_context *context)
{
    for (size_t fd = 0; fd < context->by_fd_size; fd++)
        if (context->by_fd[fd])
            poll_fd_disregard(context->by_fd[fd]);
}

static bool add_all(struct libwebsocket_context *context)
{
    for (size_t fd = 0; fd < context->by_fd_size; fd++) {
        struct libwebsocket *wsi = context->by_fd[fd];

        if (wsi && wsi->state != CONNECTION_DEAD && !wsi->registered && !add(wsi))
            return false;
    }
    return true;
}

int lws_set_poll_fd_callback(
    struct libwebsocket_context *context, lws_poll_fd_function *function, void *user)
{
    bool good;

    if (!context || context->announcing || context->engine.ending) {
        lwsl_warn("lws_set_poll_fd_callback: no context, or not from here\n");
        errno = EINVAL;
        return -1;
    }
    /* A loop of another process's is left as it is: nothing but DETACHED, and no DEL. Where there
     * is none, protocols[0] is told as the context is adopted. */
    if (context->sink && !context_is_local(context) && !context->renounced) {
        poll_fd_disregard_all(context);
        poll_fd_detach(context);
    }
    if (!context_enter(context, CALL_PLAIN))
        return -1;
    poll_fd_forget_all(context);
    poll_fd_detach(context);
    context->sink = function;
    context->sink_user = user;
    good = add_all(context);
    if (!good) {
        poll_fd_forget_all(context);
        context->sink = NULL;
        context->sink_user = NULL;
        (void)add_all(context);
    }
    (void)context_leave(context, CALL_PLAIN);
    return good ? 0 : -1;
}

lws_poll_fd_function *lws_get_poll_fd_callback(struct libwebsocket_context *context, void **user)
{
    if (user)
        *user = context ? context->sink_user : NULL;
    return context ? context->sink : NULL;
}

/* A copy that ends without having been used: nobody but extensions is called. */
static bool is_given_up(struct libwebsocket_context *context)
{
    return context->renounced || (context->engine.ending && !context_is_local(context));
}

void lws_poll_fd_to_protocol(struct libwebsocket_context *context,
    enum libwebsocket_callback_reasons reason, int fd, int events)
{
    struct libwebsocket *wsi = context ? context_find(context, fd) : NULL;

    if (wsi && context->announcing && reason != LWS_CALLBACK_POLL_DETACHED && !is_given_up(context))
        tell_protocol(wsi, reason, events);
}
