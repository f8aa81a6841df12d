/* The contract checker: clients, and TLS. */
#include "contract_state.h"

#include <errno.h>
#include <string.h>

bool contract_is_client_reason(enum libwebsocket_callback_reasons reason)
{
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
    case LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED:
        return true;
    default:
        return false;
    }
}

bool contract_is_tls_reason(enum libwebsocket_callback_reasons reason)
{
    return reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS ||
           reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS ||
           reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION;
}

static void check_append(struct connection_record *connection, int protocol, const void *user,
    char *const *in, size_t len, const char *name)
{
    if (protocol != 0 || user != connection->given || in == NULL || *in == NULL || len == 0)
        contract_trouble("%s came with wrong arguments", name);
    if (connection->appended || connection->filtered || connection->failed)
        contract_trouble("%s came twice, or too late", name);
    connection->appended = true;
}

static void check_filter(struct context_record *record, struct connection_record *connection,
    int protocol, void *user, const char *name)
{
    if (connection->fd < 0)
        contract_trouble("%s came to a client without a descriptor", name);
    if (connection->filtered)
        contract_trouble("%s came twice", name);
    /* The server may have chosen another protocol than it was made for. */
    if (connection->made && user != connection->given)
        connection->given = NULL;
    contract_check_memory(record, connection, protocol, user, name);
    connection->filtered = true;
    connection->protocol = protocol;
    connection->user = user;
}

static void check_client_established(
    struct connection_record *connection, int protocol, const void *user, const char *name)
{
    if (connection->established || connection->failed)
        contract_trouble("%s came twice, or after an error", name);
    if (!connection->filtered)
        contract_trouble("%s came without CLIENT_FILTER_PRE_ESTABLISH", name);
    if (connection->protocol != protocol || connection->user != user)
        contract_trouble("%s came to another protocol, or with other session memory", name);
    connection->established = true;
}

static void check_error(struct connection_record *connection, const void *user, const char *in,
    size_t len, const char *name)
{
    if (connection->established || connection->failed)
        contract_trouble("%s came twice, or to a connection", name);
    /* The session memory that a filter had is to be seen once more before it is freed. */
    if (user != (connection->filtered ? connection->user : connection->given))
        contract_trouble("%s came with %p as session memory", name, user);
    if (in == NULL || len == 0 || in[len] != '\0' || strlen(in) != len)
        contract_trouble("%s came without a reason", name);
    if (connection->fd >= 0) {
        for (int i = 0; i < CHANNELS; i++) {
            if (contract_descriptors[connection->fd].channel[i].live)
                contract_trouble("%s came before DEL of descriptor %d", name, connection->fd);
        }
    }
    connection->failed = true;
}

void contract_check_client(struct context_record *record, struct connection_record *connection,
    int protocol, enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *name = contract_reason_name(reason);

    if (connection->failed)
        contract_trouble("%s came after CLIENT_CONNECTION_ERROR", name);
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        check_append(connection, protocol, user, in, len, name);
        break;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        check_filter(record, connection, protocol, user, name);
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        check_client_established(connection, protocol, user, name);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        check_error(connection, user, in, len, name);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        contract_check_established(connection, protocol, user, name);
        if (len > 125 || (len > 0 && in == NULL))
            contract_trouble("%s came with %zu bytes", name, len);
        break;
    default:
        break;
    }
}

void contract_check_tls(struct context_record *record, const struct libwebsocket *wsi, int protocol,
    enum libwebsocket_callback_reasons reason, const void *user, const void *in)
{
    bool verifies = reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION;
    const char *name = contract_reason_name(reason);
    const struct call *call = contract_innermost();

    if (protocol != 0 || wsi != NULL || user == NULL || (in == NULL) == verifies)
        contract_trouble("%s came with wrong arguments", name);
    if (record->destroy_asked)
        contract_trouble("%s came after the context was destroyed", name);
    if (call->kind != CALL_SERVICE && (verifies || call->kind == CALL_CLOSE))
        contract_trouble("%s came from inside %s", name, call->name);
}

/* What stands in for a function of the same name has to be seen by the libraries. */
#pragma GCC visibility push(default)

/* The library's function, looked up once. */
#define NEXT(function, link_name)                                                                  \
    static __typeof__(&function) next;                                                             \
    if (next == NULL)                                                                              \
    next = (__typeof__(&function))contract_next("lwsloop_" link_name)

static struct call *enter(
    enum call_kind kind, const char *name, struct libwebsocket_context *context)
{
    struct call *call;

    contract_lock();
    contract_note("call", name, NULL, -1, 0);
    call = contract_enter(kind, name, contract_find_context(context));
    contract_unlock();
    return call;
}

static void leave(struct call *call)
{
    int saved = errno;

    contract_lock();
    contract_leave(call);
    contract_unlock();
    errno = saved;
}

/* Before the call is left: leaving may be the end of the context. */
static void remember_client(const struct call *call, struct libwebsocket *wsi, void *given)
{
    struct connection_record *connection;

    contract_lock();
    contract_note("client", call->name, wsi, -1, 0);
    if (wsi != NULL) {
        if (call->record == NULL)
            contract_trouble("a client of an unknown context was made");
        if (contract_find_connection(wsi) != NULL)
            contract_trouble("%s returned a wsi that there is already", call->name);
        connection = contract_connection(call->record, wsi);
        connection->client = true;
        connection->given = given;
    }
    contract_unlock();
}

struct libwebsocket *libwebsocket_client_connect(struct libwebsocket_context *context,
    const char *address, int port, int ssl_connection, const char *path, const char *host,
    const char *origin, const char *protocol, int ietf_version_or_minus_one)
{
    struct libwebsocket *wsi;
    struct call *call;

    NEXT(libwebsocket_client_connect, "libwebsocket_client_connect_20110212");
    if (contract_inside_engine())
        return next(context, address, port, ssl_connection, path, host, origin, protocol,
            ietf_version_or_minus_one);
    call = enter(CALL_OTHER, "libwebsocket_client_connect", context);
    wsi = next(context, address, port, ssl_connection, path, host, origin, protocol,
        ietf_version_or_minus_one);
    remember_client(call, wsi, NULL);
    leave(call);
    return wsi;
}

struct libwebsocket *libwebsocket_client_connect_extended(struct libwebsocket_context *context,
    const char *address, int port, int ssl_connection, const char *path, const char *host,
    const char *origin, const char *protocol, int ietf_version_or_minus_one, void *userdata)
{
    struct libwebsocket *wsi;
    struct call *call;

    NEXT(libwebsocket_client_connect_extended, "libwebsocket_client_connect_extended");
    if (contract_inside_engine())
        return next(context, address, port, ssl_connection, path, host, origin, protocol,
            ietf_version_or_minus_one, userdata);
    call = enter(CALL_OTHER, "libwebsocket_client_connect_extended", context);
    wsi = next(context, address, port, ssl_connection, path, host, origin, protocol,
        ietf_version_or_minus_one, userdata);
    remember_client(call, wsi, userdata);
    leave(call);
    return wsi;
}

int libwebsocket_set_proxy(struct libwebsocket_context *context, const char *proxy)
{
    struct call *call;
    int result;

    NEXT(libwebsocket_set_proxy, "libwebsocket_set_proxy");
    if (contract_inside_engine())
        return next(context, proxy);
    call = enter(CALL_OTHER, "libwebsocket_set_proxy", context);
    result = next(context, proxy);
    leave(call);
    if (result != 0 && result != -1)
        contract_trouble("libwebsocket_set_proxy returned %d", result);
    return result;
}

int lws_tls_reload(struct libwebsocket_context *context, char *error, size_t error_len)
{
    struct call *call;
    int result;

    NEXT(lws_tls_reload, "lws_tls_reload");
    call = enter(CALL_RELOAD, "lws_tls_reload", context);
    result = next(context, error, error_len);
    leave(call);
    if (result != 0 && result != -1)
        contract_trouble("lws_tls_reload returned %d", result);
    return result;
}
