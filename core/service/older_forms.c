/* Functions in the forms of older levels, and functions that the newest is without. */
#include "codec/close_payload.h"
#include "connection/connection.h"
#include "connection/handshake.h"
#include "connection/lifecycle.h"
#include "connection/payload_output.h"
#include "service/context.h"
#include "service/level.h"

#define OLDER(type, name, date, arguments)                                                         \
    LWS_VISIBLE type name##_##date arguments LWS_LINK_LEVEL(name, date);                           \
    type name##_##date arguments

#define GONE(type, name, arguments)                                                                \
    LWS_VISIBLE type name arguments LWS_LINK(name);                                                \
    type name arguments

OLDER(int, libwebsocket_write, 20101218,
    (struct libwebsocket * wsi, unsigned char *buf, size_t len,
        enum libwebsocket_write_protocol protocol))
{
    return libwebsocket_write(wsi, buf, len, protocol) < 0 ? -1 : 0;
}

OLDER(int, libwebsocket_callback_on_writable, 20110119, (struct libwebsocket * wsi))
{
    return libwebsocket_callback_on_writable(NULL, wsi);
}

OLDER(int, libwebsockets_serve_http_file, 20101218,
    (struct libwebsocket * wsi, const char *file, const char *content_type))
{
    return libwebsockets_serve_http_file(NULL, wsi, file, content_type);
}

OLDER(void, libwebsockets_get_peer_addresses, 20110219,
    (int fd, char *name, int name_len, char *rip, int rip_len))
{
    libwebsockets_get_peer_addresses(NULL, NULL, fd, name, name_len, rip, rip_len);
}

OLDER(struct libwebsocket *, libwebsocket_client_connect, 20110122,
    (struct libwebsocket_context * context, const char *address, int port, const char *path,
        const char *host, const char *origin, const char *protocol))
{
    return libwebsocket_client_connect(context, address, port, 0, path, host, origin, protocol, -1);
}

OLDER(struct libwebsocket *, libwebsocket_client_connect, 20110130,
    (struct libwebsocket_context * context, const char *address, int port, int ssl_connection,
        const char *path, const char *host, const char *origin, const char *protocol))
{
    return libwebsocket_client_connect(
        context, address, port, ssl_connection, path, host, origin, protocol, -1);
}

/* Those that take a protocol depend on where its members are. */
#define BY_LAYOUT(date)                                                                            \
    OLDER(int, libwebsocket_callback_on_writable_all_protocol, date, (const void *protocol))       \
    {                                                                                              \
        return writable_all_ask(level_protocol(protocol, date));                                   \
    }                                                                                              \
                                                                                                   \
    OLDER(int, libwebsockets_broadcast, date,                                                      \
        (const void *protocol, unsigned char *buf, size_t len))                                    \
    {                                                                                              \
        return broadcast_to(level_protocol(protocol, date), buf, len);                             \
    }

BY_LAYOUT(20101218)
BY_LAYOUT(20130131)
BY_LAYOUT(20131017)

OLDER(void, libwebsocket_rx_flow_allow_all_protocol, 20131017, (const void *protocol))
{
    rx_flow_allow_all(level_protocol(protocol, 20131017));
}

static void end_now(struct libwebsocket *wsi, unsigned int code)
{
    struct libwebsocket_context *context = context_of(wsi);

    if (connection_is_internal(wsi) || payload_output_is_busy(wsi)) {
        lwsl_warn(
            "descriptor %d: not a connection that can be ended from here\n", wsi->transport.fd);
        return;
    }
    if (!context_enter(context, CALL_ENDING))
        return;
    /* When files were still sent by the call that names them, this was how to end behind one. */
    if (connection_is_http(wsi) && http_exchange_sends_file(wsi))
        connection_close_gracefully(wsi);
    else if (wsi->state != CONNECTION_DEAD)
        connection_close_at_once(wsi, code, "given up by the program");
    (void)context_leave(context, CALL_ENDING);
}

GONE(void, libwebsockets_hangup_on_client, (struct libwebsocket_context * context, int fd))
{
    struct libwebsocket *wsi = context ? context_find(context, fd) : NULL;

    if (wsi)
        end_now(wsi, CLOSE_NORMAL);
    else
        lwsl_warn("descriptor %d: not a connection of this context\n", fd);
}

OLDER(void, libwebsocket_close_and_free_session, 20110214,
    (struct libwebsocket_context * context, struct libwebsocket *wsi))
{
    (void)context;
    if (wsi)
        end_now(wsi, CLOSE_NORMAL);
}

OLDER(void, libwebsocket_close_and_free_session, 20110226,
    (struct libwebsocket_context * context, struct libwebsocket *wsi, enum lws_close_status reason))
{
    unsigned int code = (unsigned int)reason;

    (void)context;
    if (code == LWS_CLOSE_STATUS_NOSTATUS)
        code = CLOSE_NO_STATUS;
    else if (!close_code_is_valid(code))
        code = CLOSE_NORMAL;
    if (wsi)
        end_now(wsi, code);
}

GONE(void, libwebsocket_client_close, (struct libwebsocket * wsi))
{
    if (wsi)
        (void)lws_close(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
}

/* At the level of the engine's own headers, which declare it. */
void *libwebsocket_ensure_user_space(struct libwebsocket *wsi)
{
    void *session;

    if (!wsi || connection_is_internal(wsi))
        return NULL;
    return handshake_session(wsi, &session) ? session : connection_session(wsi);
}
