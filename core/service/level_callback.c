/* Calls back programs of older levels: with the reasons of the day, in its form. */
#include "connection/connection.h"
#include "connection/http_exchange.h"
#include "service/level.h"

#include <stddef.h>

typedef int(callback_without_context)(struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len);

/* No program is called for this one. */
enum { NOTHING = LWS_CALLBACK_POLL_DETACHED };

/*
 * Since when there is a reason, and what comes in its place before. Those of clients are left out:
 * they are as old as clients are.
 */
static const struct {
    int since;
    int instead;
} reasons[] = {
    [LWS_CALLBACK_CLIENT_CONNECTION_ERROR] = {20120420, LWS_CALLBACK_CLOSED},
    [LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH] = {20130209, NOTHING},
    [LWS_CALLBACK_CLOSED_HTTP] = {20130316, NOTHING},
    [LWS_CALLBACK_SERVER_WRITEABLE] = {20110307, LWS_CALLBACK_CLIENT_WRITEABLE},
    [LWS_CALLBACK_HTTP_FILE_COMPLETION] = {20130115, NOTHING},
    [LWS_CALLBACK_HTTP_WRITEABLE] = {20130316, LWS_CALLBACK_SERVER_WRITEABLE},
    [LWS_CALLBACK_FILTER_NETWORK_CONNECTION] = {20110219, NOTHING},
    [LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION] = {20110219, NOTHING},
    [LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS] = {20110219, NOTHING},
    [LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS] = {20110219, NOTHING},
    [LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION] = {20110219, NOTHING},
    [LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER] = {20110305, NOTHING},
    [LWS_CALLBACK_CONFIRM_EXTENSION_OKAY] = {20110305, NOTHING},
    [LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED] = {20110305, NOTHING},
    [LWS_CALLBACK_PROTOCOL_INIT] = {20130209, NOTHING},
    [LWS_CALLBACK_PROTOCOL_DESTROY] = {20130209, NOTHING},
    [LWS_CALLBACK_ADD_POLL_FD] = {20110219, NOTHING},
    [LWS_CALLBACK_DEL_POLL_FD] = {20110219, NOTHING},
    [LWS_CALLBACK_SET_MODE_POLL_FD] = {20110219, NOTHING},
    [LWS_CALLBACK_CLEAR_MODE_POLL_FD] = {20110219, NOTHING},
};

static int reason_of_the_day(int reason, int level)
{
    while (reason >= 0 && (size_t)reason < sizeof(reasons) / sizeof(reasons[0]) &&
           reasons[reason].since > level)
        reason = reasons[reason].instead;
    return reason;
}

/* What a return value means to the engine, which understands that of the newest level. */
static int result_of_the_day(enum libwebsocket_callback_reasons reason, int level, int result)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return level < 20130214 ? 0 : result;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        if (level >= 20130316)
            return result;
        /* It came as SERVER_WRITEABLE, where anything but 0 closes. */
        return level >= 20130214 && result ? -1 : 0;
    case LWS_CALLBACK_HTTP:
        return level < 20130115 ? 0 : result;
    default:
        return result;
    }
}

static int call_in_form(const struct protocol *protocol, struct libwebsocket_context *context,
    struct libwebsocket *wsi, int reason, void *user, void *in, size_t length)
{
    enum libwebsocket_callback_reasons known = (enum libwebsocket_callback_reasons)reason;
    void (*callback)(void) = (void (*)(void))protocol->callback;

    if (protocol->engine->level < 20110214)
        return ((callback_without_context *)callback)(wsi, known, user, in, length);
    return protocol->callback(context, wsi, known, user, in, length);
}

static int call_older(const struct protocol *protocol, struct libwebsocket_context *context,
    struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *user, void *in,
    size_t length)
{
    int level = protocol->engine->level;
    int known = reason_of_the_day((int)reason, level);

    if (known == NOTHING)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        if (level < 20130215) {
            user = in;
            in = NULL;
        }
        break;
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        if (level < 20130214) {
            in = wsi->http->file_path;
            length = (size_t)wsi->http->file_offset;
        }
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        if (known == LWS_CALLBACK_CLOSED) {
            /* Programs use their session memory in CLOSED without a thought. */
            in = NULL;
            length = 0;
            user = connection_session(wsi);
            if (!user && wsi->protocol->session_size) {
                lwsl_err(
                    "connection %d: out of memory to tell that it is over\n", wsi->transport.fd);
                return 0;
            }
        }
        break;
    default:
        break;
    }
    return result_of_the_day(
        reason, level, call_in_form(protocol, context, wsi, known, user, in, length));
}

older_callback *level_callback(int level)
{
    return level < LEVEL_NEWEST ? call_older : NULL;
}
