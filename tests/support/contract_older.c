/* The contract checker: what programs of older levels are told. */
#include "contract_state.h"

void contract_older_arguments(const struct context_record *record, const struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons *reason, void **user, void **in)
{
    const struct connection_record *connection;

    switch ((int)*reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        if (record->level >= 20130215)
            return;
        if (*in != NULL)
            contract_trouble("%s came with `in` at %p", contract_reason_name(*reason), *in);
        *in = *user;
        *user = NULL;
        return;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        connection = contract_find_connection(wsi);
        if (record->level < 20110307 && connection != NULL && !connection->client)
            *reason = LWS_CALLBACK_SERVER_WRITEABLE;
        return;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (record->level < 20110307)
            contract_trouble("SERVER_WRITEABLE came at level %d", record->level);
        return;
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        if (record->level < 20130115)
            contract_trouble("HTTP_FILE_COMPLETION came at level %d", record->level);
        return;
    case LWS_CALLBACK_PROTOCOL_INIT:
    case LWS_CALLBACK_PROTOCOL_DESTROY:
        if (record->level < 20130209)
            contract_trouble("%s came at level %d", contract_reason_name(*reason), record->level);
        return;
    case LWS_CALLBACK_CLOSED_HTTP:
        if (record->level < 20130316)
            contract_trouble("CLOSED_HTTP came at level %d", record->level);
        return;
    default:
        return;
    }
}

bool contract_older_ignores(
    const struct context_record *record, enum libwebsocket_callback_reasons reason)
{
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        return record->level < 20130115;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return record->level < 20130214;
    default:
        return false;
    }
}
