/* The contract checker: what the engine says to loops and programs. */
#include "contract_state.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What a program that writes received bytes straight back does to the bytes around them. */
static void use_padding(unsigned char *in, size_t len)
{
    memset(in - LWS_SEND_BUFFER_PRE_PADDING, 0xa5, LWS_SEND_BUFFER_PRE_PADDING);
    memset(in + len, 0x5a, LWS_SEND_BUFFER_POST_PADDING);
}

/*
 * The descriptor that was handed to the service call has to be marked as served before the first
 * callback, and is the host's to move from then on: it is overwritten to see that nobody touches
 * it again.
 */
static void check_pollfd(void)
{
    struct call *service = contract_nearest(CALL_SERVICE);

    if (service == NULL || service->pollfd == NULL || service->poisoned)
        return;
    if (service->ours && service->pollfd->revents != 0)
        contract_trouble("revents of descriptor %d was not 0 in a callback", service->expected.fd);
    if (!service->ours && service->pollfd->revents != service->expected.revents)
        contract_trouble("revents of foreign descriptor %d was changed", service->expected.fd);
    if (service->ours) {
        service->expected = (struct pollfd){.fd = -77, .events = 0x1234, .revents = 0x4321};
        *service->pollfd = service->expected;
        service->poisoned = true;
    }
}

static struct context_record *context_of(struct libwebsocket_context *context, const char *name)
{
    struct context_record *record = contract_find_context(context);

    if (context == NULL)
        contract_trouble("%s came without a context", name);
    if (record != NULL)
        return record;
    record = contract_creating();
    if (record == NULL || record->context != NULL)
        contract_trouble("%s came for a context that does not exist (any more)", name);
    record->context = context;
    return record;
}

static void check_add(struct context_record *record, struct descriptor *descriptor,
    struct watch *watch, int fd, int events, unsigned int flags)
{
    if (record->destroy_asked)
        contract_trouble("ADD of descriptor %d while the context is being destroyed", fd);
    if (watch->live)
        contract_trouble("ADD of descriptor %d, which is announced already", fd);
    if (fcntl(fd, F_GETFD) < 0)
        contract_trouble("ADD of descriptor %d, which is not open", fd);
    if ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0)
        contract_trouble("ADD of descriptor %d, which can be waited in", fd);
    if (descriptor->owner != NULL && descriptor->owner != record && descriptor->open)
        contract_trouble("ADD of descriptor %d, which is another context's", fd);
    if ((events & ~(POLLIN | POLLOUT)) != 0)
        contract_trouble("ADD of descriptor %d with events %#x", fd, (unsigned int)events);
    if ((flags & ~LWS_POLL_HELPER) != 0)
        contract_trouble("ADD of descriptor %d with flags %#x", fd, flags);
    memset(watch, 0, sizeof *watch);
    watch->live = true;
    watch->events = events;
    watch->flags = flags;
    descriptor->owner = record;
    descriptor->open = true;
}

static void check_mode(struct context_record *record, struct watch *watch, int fd, int events,
    bool set, const char *name)
{
    /* A service call inside a callback is a loop of its own, which needs the modes as they are. */
    const struct call *service = contract_nearest(CALL_SERVICE);
    uint64_t call = service == NULL ? record->outermost : service->number;

    if (!watch->live)
        contract_trouble("%s of descriptor %d, which is not announced", name, fd);
    if (record->destroy_asked)
        contract_trouble("%s of descriptor %d while the context is being destroyed", name, fd);
    if (events == 0 || (events & ~(POLLIN | POLLOUT)) != 0)
        contract_trouble("%s of descriptor %d with events %#x", name, fd, (unsigned int)events);
    if ((set ? events & watch->events : events & ~watch->events) != 0)
        contract_trouble("%s of descriptor %d changes nothing: %#x of %#x", name, fd,
            (unsigned int)events, (unsigned int)watch->events);
    if (watch->mode_call != call) {
        watch->mode_call = call;
        watch->set = 0;
        watch->cleared = 0;
    }
    if ((set ? watch->set : watch->cleared) != 0)
        contract_trouble("a second %s of descriptor %d in one call", name, fd);
    if ((set ? watch->cleared : watch->set) & events)
        contract_trouble("%s of descriptor %d takes back what one call did", name, fd);
    if (set) {
        watch->set = events;
        watch->events |= events;
    } else {
        watch->cleared = events;
        watch->events &= ~events;
    }
}

/* What holds for the four, whoever is told. */
static void check_poll_fd(struct context_record *record, enum channel channel,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags)
{
    const char *name = contract_reason_name(reason);
    struct descriptor *descriptor = contract_descriptor(fd);
    struct watch *watch = &descriptor->channel[channel];

    check_pollfd();
    if (contract_nearest(CALL_POLL_FD) != NULL && channel == CHANNEL_SINK)
        contract_trouble("%s inside another of the four", name);
    if (record->depth == 0)
        contract_trouble("%s outside of any call", name);

    switch ((int)reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
        check_add(record, descriptor, watch, fd, events, flags);
        return;
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        check_mode(record, watch, fd, events, true, name);
        break;
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        check_mode(record, watch, fd, events, false, name);
        break;
    case LWS_CALLBACK_DEL_POLL_FD:
        if (!watch->live)
            contract_trouble("DEL of descriptor %d, which is not announced", fd);
        if (events != 0)
            contract_trouble("DEL of descriptor %d with events", fd);
        if (fcntl(fd, F_GETFD) < 0)
            contract_trouble("DEL of descriptor %d came after it was closed", fd);
        watch->live = false;
        break;
    default:
        contract_trouble("a sink was told %s", name);
    }
    if (watch->flags != flags)
        contract_trouble("%s of descriptor %d with other flags than its ADD", name, fd);
}

static void check_detached(struct attachment *attachment, int fd)
{
    if (contract_is_copy(attachment->owner))
        contract_forget_watches(attachment->owner);
    else if (attachment->live != 0)
        contract_trouble("DETACHED came, but %u descriptors had no DEL", attachment->live);
    if (fd != -1)
        contract_trouble("DETACHED names descriptor %d", fd);
    attachment->detached = true;
    if (attachment->owner->attachment == attachment)
        attachment->owner->attachment = NULL;
}

/* The sink begins anew, unless it cannot. */
static void check_forked(struct attachment *attachment, int fd, int events)
{
    if (!contract_is_copy(attachment->owner))
        contract_trouble("POLL_FORKED came in the process that had been told of descriptors");
    if (fd != -1 || events != 0)
        contract_trouble("POLL_FORKED names descriptor %d with events %#x", fd, (unsigned)events);
}

int contract_sink(struct libwebsocket_context *context, void *user,
    enum libwebsocket_callback_reasons reason, int fd, int events, unsigned int flags)
{
    struct attachment *attachment = user;
    const char *name = contract_reason_name(reason);
    struct call *call;
    int result;

    contract_lock();
    contract_note("sink", name, NULL, fd, events);
    if (attachment->detached)
        contract_trouble("a sink was told %s after DETACHED", name);
    if (context_of(context, name) != attachment->owner)
        contract_trouble("%s came with another context than the sink's", name);
    if (reason == LWS_CALLBACK_POLL_DETACHED) {
        check_detached(attachment, fd);
    } else if (reason == LWS_CALLBACK_POLL_FORKED) {
        check_forked(attachment, fd, events);
    } else {
        check_poll_fd(attachment->owner, CHANNEL_SINK, reason, fd, events, flags);
        attachment->live += reason == LWS_CALLBACK_ADD_POLL_FD;
        attachment->live -= reason == LWS_CALLBACK_DEL_POLL_FD;
    }
    call = contract_enter(CALL_POLL_FD, name, attachment->owner);
    contract_unlock();

    result = attachment->function(context, attachment->user, reason, fd, events, flags);

    contract_lock();
    contract_leave(call);
    if (reason == LWS_CALLBACK_POLL_FORKED && result == 0) {
        contract_forget_watches(attachment->owner);
        attachment->owner->process = getpid();
    }
    if (reason == LWS_CALLBACK_ADD_POLL_FD && result != 0) {
        contract_note("sink", "refused", NULL, fd, result);
        contract_descriptors[fd].channel[CHANNEL_SINK].live = false;
        attachment->live--;
    }
    contract_unlock();
    return result;
}

static int real_fd(struct libwebsocket *wsi)
{
    return ((int (*)(struct libwebsocket *))contract_next("lwsloop_libwebsocket_get_socket_fd"))(
        wsi);
}

static const struct libwebsocket_protocols *real_protocol(struct libwebsocket *wsi)
{
    return ((const struct libwebsocket_protocols *(*)(struct libwebsocket *))contract_next(
        "lwsloop_libwebsockets_get_protocol"))(wsi);
}

static void check_protocol_poll_fd(struct context_record *record, struct libwebsocket *wsi,
    int protocol, enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *name = contract_reason_name(reason);
    int fd = (int)(intptr_t)in;
    const struct connection_record *connection;
    unsigned int flags;

    if (protocol != 0)
        contract_trouble("%s came to protocol %d", name, protocol);
    if (wsi == NULL)
        contract_trouble("%s came without a wsi", name);
    if (real_fd(wsi) != fd)
        contract_trouble("%s of descriptor %d, but the wsi's is %d", name, fd, real_fd(wsi));
    connection = contract_find_connection(wsi);
    /* Before 2013-02-15 there was no room for it. */
    if (connection != NULL && record->level >= 20130215 &&
        ((connection->established && !connection->closed && user != connection->user) ||
            (connection->client && connection->given != NULL && user != connection->given)))
        contract_trouble(
            "%s of descriptor %d with user %p, not %p", name, fd, user, connection->user);
    flags = contract_descriptor(fd)->channel[CHANNEL_PROTOCOL].flags;
    check_poll_fd(record, CHANNEL_PROTOCOL, reason, fd, (int)len, flags);
}

void contract_check_established(
    const struct connection_record *connection, int protocol, const void *user, const char *name)
{
    if (!connection->established)
        contract_trouble("%s came before ESTABLISHED", name);
    if (connection->closed)
        contract_trouble("%s came after CLOSED", name);
    if (connection->protocol != protocol)
        contract_trouble(
            "%s came to protocol %d, ESTABLISHED to %d", name, protocol, connection->protocol);
    if (connection->user != user)
        contract_trouble("%s came with other session memory than ESTABLISHED", name);
}

void contract_check_memory(const struct context_record *record,
    const struct connection_record *connection, int protocol, const unsigned char *user,
    const char *name)
{
    size_t size = record->session_size[protocol];

    if (connection->given != NULL) {
        if (user != connection->given)
            contract_trouble(
                "%s came with %p, and %p was given", name, (const void *)user, connection->given);
        return;
    }
    if ((user == NULL) != (size == 0))
        contract_trouble(
            "%s with %zu bytes of session memory at %p", name, size, (const void *)user);
    for (size_t i = 0; i < size; i++) {
        if (user[i] != 0)
            contract_trouble("the session memory of a new connection is not zero");
    }
}

static void check_new(struct context_record *record, struct connection_record *connection,
    int protocol, const unsigned char *user)
{
    if (connection->established)
        contract_trouble("ESTABLISHED came twice");
    contract_check_memory(record, connection, protocol, user, "ESTABLISHED");
    connection->established = true;
    connection->protocol = protocol;
    connection->user = (void *)(uintptr_t)user;
    if (connection->http && !connection->http_closed)
        contract_trouble("ESTABLISHED came before CLOSED_HTTP");
}

static void check_receive(struct context_record *record, const struct connection_record *connection,
    const unsigned char *in, size_t len)
{
    if (connection->receive_stopped)
        contract_trouble("RECEIVE came after libwebsocket_rx_flow_control(wsi, 0)");
    if (in == NULL || in[len] != '\0')
        contract_trouble("RECEIVE came without a NUL behind the bytes");
    if (len > record->receive_size[connection->protocol])
        contract_trouble("RECEIVE brought %zu bytes, more than rx_buffer_size", len);
}

static void check_writeable(
    struct context_record *record, struct connection_record *connection, const char *name)
{
    const struct call *service = contract_nearest(CALL_SERVICE);

    if (!connection->writeable_asked && !record->all_protocol_asked)
        contract_trouble("%s came, but nobody asked for it", name);
    if (service == NULL)
        contract_trouble("%s came outside of a service call", name);
    if (connection->writeable_call == service->number)
        contract_trouble("%s came twice in one service call", name);
    connection->writeable_asked = false;
    connection->writeable_call = service->number;
}

/* Looks which descriptor the wsi has. Only a client that is being connected gets another one. */
static void follow_descriptor(struct connection_record *connection, const char *name)
{
    int fd = real_fd(connection->wsi);
    bool connecting = connection->client && !connection->established;

    if (fd < 0 && !connecting)
        contract_trouble("%s: the wsi has no descriptor", name);
    if (connection->fd == fd)
        return;
    if (connection->fd >= 0 && !connecting)
        contract_trouble("%s: the wsi's descriptor is %d, it was %d", name, fd, connection->fd);
    contract_set_descriptor(connection, fd);
}

static void check_closed(const struct connection_record *connection, const char *name)
{
    if (connection->fd < 0 || fcntl(connection->fd, F_GETFD) < 0)
        contract_trouble("%s came after close(%d)", name, connection->fd);
    for (int i = 0; i < CHANNELS; i++) {
        if (contract_descriptors[connection->fd].channel[i].live)
            contract_trouble("%s came before DEL of descriptor %d", name, connection->fd);
    }
}

static void check_http(const char *in, size_t len)
{
    if (in == NULL || in[0] != '/' || in[len] != '\0' || strlen(in) != len)
        contract_trouble("HTTP came without a good path");
}

/* The last callbacks about a connection, which come whatever has been asked for. */
static bool ends(enum libwebsocket_callback_reasons reason)
{
    return reason == LWS_CALLBACK_CLOSED || reason == LWS_CALLBACK_CLOSED_HTTP ||
           reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR;
}

/* The reasons that are about a connection. */
static void check_connection(struct context_record *record, struct libwebsocket *wsi, int protocol,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *name = contract_reason_name(reason);
    struct connection_record *connection;

    if (wsi == NULL)
        contract_trouble("%s came without a wsi", name);
    if (contract_is_client_reason(reason) && contract_find_connection(wsi) == NULL)
        contract_trouble("%s came for a wsi that no call has returned", name);
    connection = contract_connection(record, wsi);
    follow_descriptor(connection, name);

    if (connection->closing && !ends(reason))
        contract_trouble("%s came after the end had been asked for", name);
    if (contract_is_client_reason(reason) != connection->client && reason != LWS_CALLBACK_CLOSED)
        contract_trouble("%s came to a %s", name, connection->client ? "client" : "server");
    if (connection->client)
        contract_check_client(record, connection, protocol, reason, user, in, len);
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        break;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        if (protocol != 0 || user != NULL || fcntl((int)(intptr_t)in, F_GETFD) < 0)
            contract_trouble("%s came with wrong arguments", name);
        break;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        if (connection->established || user == NULL)
            contract_trouble("%s came with wrong arguments", name);
        break;
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
    case LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED:
        if (connection->established || protocol != 0 || in == NULL || len != 0)
            contract_trouble("%s came with wrong arguments", name);
        if (connection->client && user != connection->given)
            contract_trouble("%s came with %p as session memory", name, user);
        break;
    case LWS_CALLBACK_ESTABLISHED:
        check_new(record, connection, protocol, user);
        break;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
        contract_check_established(connection, protocol, user, name);
        check_receive(record, connection, in, len);
        break;
    case LWS_CALLBACK_BROADCAST:
        contract_check_established(connection, protocol, user, name);
        if (connection->client)
            contract_trouble("%s came to a client", name);
        if (in == NULL)
            contract_trouble("%s came without bytes", name);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        contract_check_established(connection, protocol, user, name);
        check_writeable(record, connection, name);
        break;
    case LWS_CALLBACK_CLOSED:
        contract_check_established(connection, protocol, user, name);
        check_closed(connection, name);
        connection->closed = true;
        break;
    case LWS_CALLBACK_HTTP:
        check_http(in, len);
        connection->http = record->level >= 20130316;
        break;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        check_writeable(record, connection, name);
        break;
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        break;
    case LWS_CALLBACK_CLOSED_HTTP:
        if (!connection->http || connection->http_closed)
            contract_trouble("CLOSED_HTTP came twice, or without HTTP");
        connection->http_closed = true;
        break;
    default:
        contract_trouble("%s (%d) came", name, (int)reason);
    }
    if (reason >= LWS_CALLBACK_HTTP && reason <= LWS_CALLBACK_HTTP_WRITEABLE &&
        (protocol != 0 || connection->established))
        contract_trouble("%s came to protocol %d or on a WebSocket", name, protocol);
    if (connection->established && real_protocol(wsi) != record->elements[protocol])
        contract_trouble("%s: libwebsockets_get_protocol() says something else", name);
}

/* Whether a callback that is not one of the four may come now. */
static void check_place(struct context_record *record, const char *name)
{
    const struct call *call = contract_innermost();

    if (call == NULL || call->kind > CALL_CLOSE)
        contract_trouble("%s came from inside %s, which does not call back", name,
            call == NULL ? "nowhere" : call->name);
    if (call->record != record)
        contract_trouble("%s came from a call into another context", name);
    if (call->kind == CALL_CLOSE && record->depth > 1)
        contract_trouble("%s came from %s inside another call", name, call->name);
}

static void check_before(struct context_record *record, struct libwebsocket *wsi, int protocol,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *name = contract_reason_name(reason);
    bool *initialised = &record->initialised[protocol];

    if (record->finished[protocol])
        contract_trouble("%s came to protocol %d after PROTOCOL_DESTROY", name, protocol);
    if (reason >= LWS_CALLBACK_ADD_POLL_FD && reason <= LWS_CALLBACK_CLEAR_MODE_POLL_FD) {
        check_protocol_poll_fd(record, wsi, protocol, reason, user, in, len);
        return;
    }
    check_pollfd();
    check_place(record, name);
    if (contract_is_tls_reason(reason)) {
        contract_check_tls(record, wsi, protocol, reason, user, in);
        return;
    }
    if (contract_innermost()->kind == CALL_RELOAD)
        contract_trouble("%s came from inside lws_tls_reload", name);
    if (reason == LWS_CALLBACK_PROTOCOL_INIT || reason == LWS_CALLBACK_PROTOCOL_DESTROY) {
        bool init = reason == LWS_CALLBACK_PROTOCOL_INIT;

        if (wsi != NULL || user != NULL)
            contract_trouble("%s came with a wsi or session memory", name);
        if (*initialised == init)
            contract_trouble("%s came twice, or too early", name);
        *initialised = true;
        record->finished[protocol] = !init;
        return;
    }
    if (!*initialised && record->level >= 20130209)
        contract_trouble("%s came before PROTOCOL_INIT", name);
    if (record->destroy_asked && !ends(reason))
        contract_trouble("%s came after the context was destroyed", name);
    check_connection(record, wsi, protocol, reason, user, in, len);
}

/* Whether a callback's return value asks for the end of the connection. */
static bool closes(enum libwebsocket_callback_reasons reason, int result)
{
    switch ((int)reason) {
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return result < 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return result != 0;
    default:
        return false;
    }
}

/* OpenSSL does not know whose certificate it verifies. */
static struct context_record *context_in_service(void)
{
    const struct call *service = contract_nearest(CALL_SERVICE);

    if (service == NULL || service->record == NULL)
        contract_trouble("a certificate is verified outside of a service call");
    return service->record;
}

static int callback(int protocol, struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    bool poll_fd = reason >= LWS_CALLBACK_ADD_POLL_FD && reason <= LWS_CALLBACK_CLEAR_MODE_POLL_FD;
    enum libwebsocket_callback_reasons told = reason;
    struct connection_record *connection;
    struct context_record *record;
    void *told_user = user;
    void *told_in = in;
    uint64_t number = 0;
    struct call *call;
    int result;

    contract_lock();
    contract_note(
        "callback", contract_reason_name(reason), wsi, poll_fd ? (int)(intptr_t)in : -1, (long)len);
    record = reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION && context == NULL
                 ? context_in_service()
                 : context_of(context, contract_reason_name(reason));
    contract_older_arguments(record, wsi, &reason, &user, &in);
    check_before(record, wsi, protocol, reason, user, in, len);
    connection = wsi == NULL ? NULL : contract_find_connection(wsi);
    if (connection != NULL)
        number = connection->number;
    /* A verification may call as little as one of the four. */
    call = contract_enter(poll_fd || context == NULL ? CALL_POLL_FD : CALL_CALLBACK,
        contract_reason_name(reason), record);
    contract_unlock();

    if (contract_the_observer != NULL)
        contract_the_observer(context, wsi, protocol, reason, user, in, len);
    result = record->callbacks[protocol](context, wsi, told, told_user, told_in, len);
    if (reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_CLIENT_RECEIVE ||
        reason == LWS_CALLBACK_BROADCAST)
        use_padding(in, len);

    contract_lock();
    contract_leave(call);
    connection = wsi == NULL ? NULL : contract_find_connection(wsi);
    if (connection != NULL && connection->number == number && closes(reason, result) &&
        !contract_older_ignores(record, reason)) {
        contract_note("closed by", contract_reason_name(reason), wsi, connection->fd, result);
        connection->closing = true;
    }
    /* One with a descriptor is remembered until that is closed. */
    if (connection != NULL && connection->number == number && connection->failed &&
        connection->fd < 0)
        contract_forget_connection(connection);
    contract_unlock();
    return result;
}

/* A callback has no argument that tells which protocol it is for. */
#define TRAMPOLINE(index)                                                                          \
    static int trampoline_##index(struct libwebsocket_context *context, struct libwebsocket *wsi,  \
        enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)               \
    {                                                                                              \
        return callback(index, context, wsi, reason, user, in, len);                               \
    }

TRAMPOLINE(0)
TRAMPOLINE(1)
TRAMPOLINE(2)
TRAMPOLINE(3)
TRAMPOLINE(4)
TRAMPOLINE(5)
TRAMPOLINE(6)
TRAMPOLINE(7)
TRAMPOLINE(8)
TRAMPOLINE(9)

callback_function *contract_trampoline(int index)
{
    static callback_function *const trampolines[] = {trampoline_0, trampoline_1, trampoline_2,
        trampoline_3, trampoline_4, trampoline_5, trampoline_6, trampoline_7, trampoline_8,
        trampoline_9};

    if (index >= CONTRACT_PROTOCOLS)
        contract_trouble("the checker knows at most %d protocols", CONTRACT_PROTOCOLS);
    return trampolines[index];
}
