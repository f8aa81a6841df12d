/*
 * The contract checker (tests/support/contract.h) for programs of the levels 20110219 and 20130115:
 * the functions of the day that it stands in for.
 */
#include "../support/contract_state.h"

#include <stdlib.h>

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

/* Without members for the size of pieces, or for writes. Until 2013-01-30. */
struct seven_members {
    const char *name;
    callback_function *callback;
    size_t per_session_data_size;
    struct libwebsocket_context *owning_server;
    int broadcast_socket_port;
    int broadcast_socket_user_fd;
    int protocol_index;
};

#define STANDS_IN(name, level) __asm__("lwsloop_" #name "_" #level)

/* The library's function, looked up once. The type is that of the function it stands in for. */
#define NEXT(function, link_name)                                                                  \
    static __typeof__(&function) next;                                                             \
    if (next == NULL)                                                                              \
    next = (__typeof__(&function))contract_next("lwsloop_" link_name)

static struct context_record *begin_creation(
    int level, struct seven_members *protocols, struct call **call)
{
    struct context_record *record;
    int count;

    contract_lock();
    record = contract_new_context();
    record->level = level;
    for (count = 0; protocols[count].callback != NULL; count++) {
        record->elements[count] = &protocols[count];
        record->callbacks[count] = protocols[count].callback;
        record->session_size[count] = protocols[count].per_session_data_size;
        record->receive_size[count] = 4096;
        protocols[count].callback = contract_trampoline(count);
    }
    record->protocol_count = count;
    *call = contract_enter(CALL_CREATE, "libwebsocket_create_context", record);
    contract_unlock();
    return record;
}

static struct libwebsocket_context *end_creation(struct context_record *record, struct call *call,
    struct seven_members *protocols, struct libwebsocket_context *context)
{
    contract_lock();
    for (int i = 0; i < record->protocol_count; i++)
        protocols[i].callback = record->callbacks[i];
    if (context == NULL)
        record->destroy_asked = true;
    else if (record->context != NULL && record->context != context)
        contract_trouble("create returned another context than its callbacks had");
    else
        record->context = context;
    contract_leave(call);
    contract_unlock();
    return context;
}

struct libwebsocket_context *create_20110219(int port, const char *interface,
    struct seven_members *protocols, const char *certificate, const char *key, int gid, int uid,
    unsigned int options) STANDS_IN(libwebsocket_create_context, 20110219);

struct libwebsocket_context *create_20110219(int port, const char *interface,
    struct seven_members *protocols, const char *certificate, const char *key, int gid, int uid,
    unsigned int options)
{
    struct context_record *record;
    struct call *call;

    NEXT(create_20110219, "libwebsocket_create_context_20110219");
    record = begin_creation(20110219, protocols, &call);
    return end_creation(record, call, protocols,
        next(port, interface, protocols, certificate, key, gid, uid, options));
}

struct libwebsocket_context *create_20130115(int port, const char *interface,
    struct seven_members *protocols, struct libwebsocket_extension *extensions,
    const char *certificate, const char *key, const char *authorities, int gid, int uid,
    unsigned int options, void *user) STANDS_IN(libwebsocket_create_context, 20130115);

struct libwebsocket_context *create_20130115(int port, const char *interface,
    struct seven_members *protocols, struct libwebsocket_extension *extensions,
    const char *certificate, const char *key, const char *authorities, int gid, int uid,
    unsigned int options, void *user)
{
    struct context_record *record;
    struct call *call;

    NEXT(create_20130115, "libwebsocket_create_context_20130115");
    record = begin_creation(20130115, protocols, &call);
    return end_creation(record, call, protocols,
        next(port, interface, protocols, extensions, certificate, key, authorities, gid, uid,
            options, user));
}

static struct call *enter(
    enum call_kind kind, const char *name, struct libwebsocket_context *context)
{
    struct call *call;

    contract_lock();
    call = contract_enter(kind, name, contract_find_context(context));
    contract_unlock();
    return call;
}

static void leave(struct call *call)
{
    contract_lock();
    contract_leave(call);
    contract_unlock();
}

int writable_all_20101218(const struct seven_members *protocol)
    STANDS_IN(libwebsocket_callback_on_writable_all_protocol, 20101218);

int writable_all_20101218(const struct seven_members *protocol)
{
    struct context_record *record;
    struct call *call;
    int result;

    NEXT(writable_all_20101218, "libwebsocket_callback_on_writable_all_protocol_20101218");
    contract_lock();
    record = contract_find_context(protocol->owning_server);
    if (record == NULL)
        contract_trouble("owning_server is not the protocol's context");
    record->all_protocol_asked = true;
    contract_unlock();
    call = enter(
        CALL_OTHER, "libwebsocket_callback_on_writable_all_protocol", protocol->owning_server);
    result = next(protocol);
    leave(call);
    return result;
}

int broadcast_20101218(const struct seven_members *protocol, unsigned char *buf, size_t len)
    STANDS_IN(libwebsockets_broadcast, 20101218);

int broadcast_20101218(const struct seven_members *protocol, unsigned char *buf, size_t len)
{
    struct call *call;
    int result;

    NEXT(broadcast_20101218, "libwebsockets_broadcast_20101218");
    call = enter(CALL_BROADCAST, "libwebsockets_broadcast", protocol->owning_server);
    result = next(protocol, buf, len);
    leave(call);
    return result;
}

void hangup(struct libwebsocket_context *context, int fd) __asm__(
    "lwsloop_libwebsockets_hangup_on_client");

void hangup(struct libwebsocket_context *context, int fd)
{
    struct call *call;

    NEXT(hangup, "libwebsockets_hangup_on_client");
    call = enter(CALL_CLOSE, "libwebsockets_hangup_on_client", context);
    next(context, fd);
    leave(call);
}

void close_20110214(struct libwebsocket_context *context, struct libwebsocket *wsi)
    STANDS_IN(libwebsocket_close_and_free_session, 20110214);

void close_20110214(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    struct connection_record *connection;
    struct call *call;

    NEXT(close_20110214, "libwebsocket_close_and_free_session_20110214");
    call = enter(CALL_CLOSE, "libwebsocket_close_and_free_session", context);
    next(context, wsi);
    leave(call);
    contract_lock();
    connection = contract_find_connection(wsi);
    if (connection != NULL)
        connection->closing = true;
    contract_unlock();
}

/* The programs know nothing of the checker. */
__attribute__((destructor)) static void finish(void)
{
    contract_finish();
}
