/* The contract checker: what programs and loops say to the engine. */
#include "contract_state.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

static atomic_ulong service_calls;

unsigned long contract_service_calls(void)
{
    return atomic_load(&service_calls);
}

/* The library's function, looked up once. The type is that of the function it stands in for. */
#define NEXT(function, link_name)                                                                  \
    static __typeof__(&function) next;                                                             \
    if (next == NULL)                                                                              \
    next = (__typeof__(&function))contract_next("lwsloop_" link_name)

static struct call *enter(enum call_kind kind, const char *name, struct context_record *record)
{
    struct call *call;

    contract_lock();
    call = contract_enter(kind, name, record);
    contract_unlock();
    return call;
}

static struct call *enter_context(
    enum call_kind kind, const char *name, struct libwebsocket_context *context)
{
    struct context_record *record;

    contract_lock();
    record = contract_find_context(context);
    if (record != NULL && kind == CALL_SERVICE)
        record->thread = pthread_self();
    contract_unlock();
    return enter(kind, name, record);
}

static struct call *enter_connection(
    enum call_kind kind, const char *name, const struct libwebsocket *wsi)
{
    const struct connection_record *connection;
    struct context_record *record;

    contract_lock();
    connection = contract_find_connection(wsi);
    record = connection == NULL ? NULL : connection->owner;
    contract_note("call", name, wsi, connection == NULL ? -1 : connection->fd, 0);
    contract_unlock();
    return enter(kind, name, record);
}

static void leave(struct call *call)
{
    int saved = errno;

    contract_lock();
    contract_leave(call);
    contract_unlock();
    errno = saved;
}

/* Puts the checker in the place of the program's callbacks while the library reads them. */
static void replace_callbacks(
    struct context_record *record, struct libwebsocket_protocols *protocols)
{
    int count = 0;

    record->protocols = protocols;
    record->level = LWS_API_LEVEL;
    while (protocols[count].callback != NULL) {
        struct libwebsocket_protocols *protocol = &protocols[count];

        record->elements[count] = protocol;
        record->callbacks[count] = protocol->callback;
        record->session_size[count] = protocol->per_session_data_size;
        record->receive_size[count] =
            protocol->rx_buffer_size == 0 ? 4096 : protocol->rx_buffer_size;
        protocol->callback = contract_trampoline(count);
        count++;
    }
    record->protocol_count = count;
}

static void restore_callbacks(struct context_record *record)
{
    for (int i = 0; i < record->protocol_count; i++)
        record->protocols[i].callback = record->callbacks[i];
}

static struct context_record *begin_creation(
    const struct lws_context_creation_info *info, struct call **call)
{
    struct context_record *record;

    contract_lock();
    record = contract_new_context();
    if (info != NULL && info->protocols != NULL)
        replace_callbacks(record, info->protocols);
    *call = contract_enter(CALL_CREATE, "lws_create_context", record);
    contract_unlock();
    return record;
}

static void end_creation(
    struct context_record *record, struct call *call, struct libwebsocket_context *context)
{
    int saved = errno;

    contract_lock();
    restore_callbacks(record);
    if (context == NULL)
        record->destroy_asked = true;
    else if (record->destroy_asked)
        contract_trouble("create returned a context that was destroyed meanwhile");
    else if (record->context != NULL && record->context != context)
        contract_trouble("create returned another context than its callbacks had");
    if (context != NULL)
        record->context = context;
    contract_leave(call);
    contract_unlock();
    errno = saved;
}

/* Listening sockets are still the caller's where creation failed. */
static void give_back(const struct lws_context_extras *extras)
{
    if (extras->struct_size < sizeof *extras || extras->listen_fds == NULL ||
        extras->listen_fd_count > CONTRACT_LISTENERS)
        return;
    for (size_t i = 0; i < extras->listen_fd_count; i++) {
        if (extras->listen_fds[i] >= 0 && extras->listen_fds[i] < CONTRACT_DESCRIPTORS)
            contract_descriptors[extras->listen_fds[i]].open = false;
    }
}

struct libwebsocket_context *lws_create_context(
    struct lws_context_creation_info *info, const struct lws_context_extras *extras)
{
    struct libwebsocket_context *context;
    struct context_record *record;
    struct call *call;

    NEXT(lws_create_context, "lws_create_context_20130316");
    if (contract_inside_engine())
        return next(info, extras);
    record = begin_creation(info, &call);
    context = next(info, extras);
    if (context == NULL && extras != NULL)
        give_back(extras);
    end_creation(record, call, context);
    return context;
}

struct libwebsocket_context *libwebsocket_create_context(struct lws_context_creation_info *info)
{
    struct libwebsocket_context *context;
    struct context_record *record;
    struct call *call;

    NEXT(libwebsocket_create_context, "libwebsocket_create_context_20130316");
    record = begin_creation(info, &call);
    context = next(info);
    end_creation(record, call, context);
    return context;
}

void libwebsocket_context_destroy(struct libwebsocket_context *context)
{
    struct context_record *record;
    struct call *call;

    NEXT(libwebsocket_context_destroy, "libwebsocket_context_destroy");
    contract_lock();
    record = contract_find_context(context);
    if (record == NULL && context != NULL)
        contract_trouble("a context was destroyed that does not exist");
    if (record != NULL)
        record->destroy_asked = true;
    contract_note("call", "libwebsocket_context_destroy", NULL, -1, 0);
    call = contract_enter(CALL_DESTROY, "libwebsocket_context_destroy", record);
    contract_unlock();
    next(context);
    leave(call);
}

static void check_service(struct call *call, int result)
{
    contract_lock();
    if (result != 0)
        contract_trouble("libwebsocket_service_fd returned %d", result);
    if (memcmp(call->pollfd, &call->expected, sizeof call->expected) != 0)
        contract_trouble(call->poisoned ? "the pollfd was touched after the first callback (%d)"
                                        : "the pollfd is not as it should be (%d)",
            call->expected.fd);
    contract_unlock();
}

int libwebsocket_service_fd(struct libwebsocket_context *context, struct pollfd *pollfd)
{
    struct pollfd *copy;
    struct call *call;
    long begin;
    int result;

    NEXT(libwebsocket_service_fd, "libwebsocket_service_fd");
    atomic_fetch_add(&service_calls, 1);
    call = enter_context(CALL_SERVICE, "libwebsocket_service_fd", context);
    if (pollfd == NULL || call->record == NULL) {
        result = next(context, pollfd);
        leave(call);
        return result;
    }

    /* On the heap, so that a write to it after the return is found. */
    copy = malloc(sizeof *copy);
    if (copy == NULL)
        abort();
    *copy = *pollfd;
    call->pollfd = copy;
    call->expected = *pollfd;
    contract_lock();
    if (pollfd->fd >= 0) {
        struct descriptor *descriptor = contract_descriptor(pollfd->fd);

        contract_note("service", "", NULL, pollfd->fd, pollfd->revents);
        if (descriptor->owner == call->record) {
            for (int i = 0; i < CHANNELS; i++)
                call->ours = call->ours || descriptor->channel[i].live;
        }
        /* Not announced at present, but not foreign either: both ways are right. */
        if (!call->ours && descriptor->owner == call->record && descriptor->open)
            copy->revents = call->expected.revents = 0;
    }
    contract_unlock();
    if (call->ours) {
        call->expected.revents = 0;
        pollfd->revents = 0;
    }
    begin = contract_time_used_us();
    result = next(context, copy);
    contract_remember_service(contract_time_used_us() - begin);
    check_service(call, result);
    free(copy);
    leave(call);
    return result;
}

int libwebsocket_write(struct libwebsocket *wsi, unsigned char *buf, size_t len,
    enum libwebsocket_write_protocol protocol)
{
    struct connection_record *connection;
    struct call *call;
    int result;

    NEXT(libwebsocket_write, "libwebsocket_write");
    call = enter_connection(CALL_OTHER, "libwebsocket_write", wsi);
    result = next(wsi, buf, len, protocol);
    leave(call);

    contract_lock();
    connection = contract_find_connection(wsi);
    if (result != -1 && (size_t)result != len)
        contract_trouble("libwebsocket_write of %zu bytes returned %d", len, result);
    if (connection != NULL && (result >= 0 ? (protocol & 0x1f) == LWS_WRITE_CLOSE
                                           : errno != EAGAIN && errno != EBUSY && errno != EINVAL))
        connection->closing = true;
    contract_unlock();
    return result;
}

int libwebsocket_callback_on_writable(
    struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    struct connection_record *connection;
    struct call *call;
    int result;

    NEXT(libwebsocket_callback_on_writable, "libwebsocket_callback_on_writable");
    call = enter_connection(CALL_OTHER, "libwebsocket_callback_on_writable", wsi);
    result = next(context, wsi);
    leave(call);

    contract_lock();
    connection = contract_find_connection(wsi);
    if (result != 1 && result != -1)
        contract_trouble("libwebsocket_callback_on_writable returned %d", result);
    if (result == 1 && connection == NULL)
        contract_trouble("libwebsocket_callback_on_writable took an unknown wsi");
    if (result == 1)
        connection->writeable_asked = true;
    contract_unlock();
    return result;
}

int libwebsocket_callback_on_writable_all_protocol(const struct libwebsocket_protocols *protocol)
{
    struct context_record *record = NULL;
    struct call *call;
    int result;

    NEXT(libwebsocket_callback_on_writable_all_protocol,
        "libwebsocket_callback_on_writable_all_protocol_20130206");
    contract_lock();
    if (protocol != NULL)
        record = contract_find_context(protocol->owning_server);
    if (record != NULL)
        record->all_protocol_asked = true;
    contract_unlock();

    /* It may come from a thread that the context does not belong to. */
    call = enter(CALL_OTHER, "libwebsocket_callback_on_writable_all_protocol", NULL);
    result = next(protocol);
    leave(call);
    return result;
}

int libwebsockets_broadcast(
    const struct libwebsocket_protocols *protocol, unsigned char *buf, size_t len)
{
    struct context_record *record = NULL;
    struct call *call;
    int result;

    NEXT(libwebsockets_broadcast, "libwebsockets_broadcast_20130206");
    contract_lock();
    if (protocol != NULL)
        record = contract_find_context(protocol->owning_server);
    /* From elsewhere it calls nobody, and takes no part in what the context does. */
    if (record != NULL &&
        (contract_is_copy(record) || !pthread_equal(record->thread, pthread_self())))
        record = NULL;
    contract_unlock();
    call = enter(record == NULL ? CALL_OTHER : CALL_BROADCAST, "libwebsockets_broadcast", record);
    result = next(protocol, buf, len);
    leave(call);
    if (result != 0 && result != -1)
        contract_trouble("libwebsockets_broadcast returned %d", result);
    return result;
}

static void set_receiving(struct connection_record *connection, int stopped)
{
    connection->receive_stopped = stopped != 0;
}

int libwebsocket_rx_flow_control(struct libwebsocket *wsi, int enable)
{
    struct connection_record *connection;
    struct call *call;
    int result;

    NEXT(libwebsocket_rx_flow_control, "libwebsocket_rx_flow_control");
    call = enter_connection(CALL_OTHER, "libwebsocket_rx_flow_control", wsi);
    result = next(wsi, enable);
    leave(call);

    contract_lock();
    connection = contract_find_connection(wsi);
    if (result != 0 && result != -1)
        contract_trouble("libwebsocket_rx_flow_control returned %d", result);
    if (result == 0 && connection != NULL)
        set_receiving(connection, enable == 0);
    contract_unlock();
    return result;
}

void libwebsocket_rx_flow_allow_all_protocol(const struct libwebsocket_protocols *protocol)
{
    struct context_record *record = NULL;
    struct call *call;

    NEXT(libwebsocket_rx_flow_allow_all_protocol,
        "libwebsocket_rx_flow_allow_all_protocol_20130206");
    contract_lock();
    if (protocol != NULL)
        record = contract_find_context(protocol->owning_server);
    contract_unlock();
    call = enter(CALL_OTHER, "libwebsocket_rx_flow_allow_all_protocol", record);
    next(protocol);
    leave(call);
    contract_lock();
    if (record != NULL)
        contract_each_connection(record, set_receiving, 0);
    contract_unlock();
}

void libwebsocket_set_timeout(struct libwebsocket *wsi, enum pending_timeout reason, int secs)
{
    struct call *call;

    NEXT(libwebsocket_set_timeout, "libwebsocket_set_timeout");
    call = enter_connection(CALL_OTHER, "libwebsocket_set_timeout", wsi);
    next(wsi, reason, secs);
    leave(call);
}

/* Where it is made before there is a WebSocket it is the program's to fill. */
static void remember_memory(const struct libwebsocket *wsi, void *memory)
{
    struct connection_record *connection;

    contract_lock();
    connection = contract_find_connection(wsi);
    if (connection != NULL && !connection->established && !connection->filtered &&
        connection->given == NULL) {
        connection->given = memory;
        connection->made = memory != NULL;
    }
    contract_unlock();
}

void *libwebsocket_ensure_user_space(struct libwebsocket *wsi)
{
    struct call *call = enter_connection(CALL_OTHER, "libwebsocket_ensure_user_space", wsi);
    void *result;

    NEXT(libwebsocket_ensure_user_space, "libwebsocket_ensure_user_space");
    result = next(wsi);
    remember_memory(wsi, result);
    leave(call);
    return result;
}

int lws_send_pipe_choked(struct libwebsocket *wsi)
{
    struct call *call;
    int result;

    NEXT(lws_send_pipe_choked, "lws_send_pipe_choked");
    call = enter_connection(CALL_OTHER, "lws_send_pipe_choked", wsi);
    result = next(wsi);
    leave(call);
    if (result != 0 && result != 1)
        contract_trouble("lws_send_pipe_choked returned %d", result);
    return result;
}

int lws_close_reason(struct libwebsocket *wsi, int status, const void *reason, size_t len)
{
    struct call *call;
    int result;

    NEXT(lws_close_reason, "lws_close_reason");
    call = enter_connection(CALL_OTHER, "lws_close_reason", wsi);
    result = next(wsi, status, reason, len);
    leave(call);
    return result;
}

int lws_close(struct libwebsocket *wsi, int status, const void *reason, size_t len)
{
    struct connection_record *connection;
    struct call *call;
    uint64_t number = 0;
    int result;

    NEXT(lws_close, "lws_close");
    contract_lock();
    connection = contract_find_connection(wsi);
    if (connection != NULL)
        number = connection->number;
    contract_unlock();
    call = enter_connection(CALL_CLOSE, "lws_close", wsi);
    result = next(wsi, status, reason, len);
    leave(call);

    contract_lock();
    connection = contract_find_connection(wsi);
    if (result == 0 && connection != NULL && connection->number == number)
        connection->closing = true;
    contract_unlock();
    return result;
}

int libwebsockets_serve_http_file(struct libwebsocket_context *context, struct libwebsocket *wsi,
    const char *file, const char *content_type)
{
    struct call *call;
    int result;

    NEXT(libwebsockets_serve_http_file, "libwebsockets_serve_http_file_20130115");
    call = enter_connection(CALL_OTHER, "libwebsockets_serve_http_file", wsi);
    result = next(context, wsi, file, content_type);
    leave(call);
    return result;
}

int lws_set_poll_fd_callback(
    struct libwebsocket_context *context, lws_poll_fd_function *function, void *user)
{
    struct attachment *attachment = NULL;
    struct attachment *before = NULL;
    struct call *call;
    int result;

    NEXT(lws_set_poll_fd_callback, "lws_set_poll_fd_callback");
    call = contract_innermost();
    if (call != NULL && call->kind == CALL_POLL_FD)
        return next(context, function, user);

    call = enter_context(CALL_OTHER, "lws_set_poll_fd_callback", context);
    contract_lock();
    if (call->record != NULL) {
        before = call->record->attachment;
        if (function != NULL) {
            attachment = contract_new_attachment();
            attachment->owner = call->record;
            attachment->function = function;
            attachment->user = user;
        }
    }
    contract_unlock();
    result = next(context, attachment == NULL ? function : contract_sink,
        attachment == NULL ? user : attachment);
    contract_lock();
    if (call->record != NULL && before != NULL && !before->detached)
        contract_trouble("a sink was replaced and not told DETACHED");
    if (attachment != NULL && result != 0) {
        if (attachment->live != 0)
            contract_trouble("attaching failed, but %u descriptors had no DEL", attachment->live);
        if (attachment->detached)
            contract_trouble("attaching failed, but the sink was told DETACHED");
    }
    if (attachment != NULL && result == 0 && !attachment->detached)
        call->record->attachment = attachment;
    contract_unlock();
    leave(call);
    return result;
}

lws_poll_fd_function *lws_get_poll_fd_callback(struct libwebsocket_context *context, void **user)
{
    lws_poll_fd_function *function;
    void *found = NULL;

    NEXT(lws_get_poll_fd_callback, "lws_get_poll_fd_callback");
    function = next(context, &found);
    if (function == contract_sink) {
        const struct attachment *attachment = found;

        function = attachment->function;
        found = attachment->user;
    }
    if (user != NULL)
        *user = found;
    return function;
}

struct wrapped_function {
    void (*function)(struct libwebsocket_context *context, void *argument);
    void *argument;
};

static void call_wrapped(struct libwebsocket_context *context, void *argument)
{
    struct wrapped_function wrapped = *(struct wrapped_function *)argument;
    const struct call *outer;
    struct call *call;

    free(argument);
    contract_lock();
    outer = contract_innermost();
    if (outer == NULL || (outer->kind != CALL_SERVICE && outer->kind != CALL_DESTROY))
        contract_trouble("a function of lws_call_in_service() was called from inside %s",
            outer == NULL ? "nowhere" : outer->name);
    call = contract_enter(
        CALL_FUNCTION, "a function of lws_call_in_service()", contract_find_context(context));
    contract_unlock();
    wrapped.function(context, wrapped.argument);
    leave(call);
}

int lws_call_in_service(struct libwebsocket_context *context,
    void (*function)(struct libwebsocket_context *context, void *argument), void *argument)
{
    struct wrapped_function *wrapped;
    int result;

    NEXT(lws_call_in_service, "lws_call_in_service");
    if (context == NULL || function == NULL)
        return next(context, function, argument);
    wrapped = malloc(sizeof *wrapped);
    if (wrapped == NULL)
        abort();
    wrapped->function = function;
    wrapped->argument = argument;
    result = next(context, call_wrapped, wrapped);
    if (result != 0) {
        int saved = errno;

        free(wrapped);
        errno = saved;
    }
    return result;
}

/* A descriptor of the engine's that is closed while a loop still watches it. */
static void check_close(int fd)
{
    struct descriptor *descriptor = contract_descriptor(fd);
    struct connection_record *connection = descriptor->connection;

    if (!descriptor->open)
        return;
    contract_note("close", "", NULL, fd, 0);
    if (descriptor->owner != NULL && contract_is_copy(descriptor->owner)) {
        descriptor->open = false;
        return;
    }
    for (int i = 0; i < CHANNELS; i++) {
        if (descriptor->channel[i].live)
            contract_trouble("close(%d) came before its DEL", fd);
    }
    if (connection != NULL) {
        if (connection->established && !connection->closed)
            contract_trouble("close(%d) came before CLOSED", fd);
        if (connection->http && !connection->http_closed)
            contract_trouble("close(%d) came before CLOSED_HTTP", fd);
        if (connection->client && !connection->established && !connection->failed)
            contract_set_descriptor(connection, -1);
        else
            contract_forget_connection(connection);
    }
    descriptor->open = false;
    descriptor->connection = NULL;
}

int close(int fd)
{
    static int (*next)(int);

    if (next == NULL)
        next = (int (*)(int))contract_next("close");
    if (fd >= 0 && fd < CONTRACT_DESCRIPTORS) {
        contract_lock();
        check_close(fd);
        contract_unlock();
    }
    return next(fd);
}
