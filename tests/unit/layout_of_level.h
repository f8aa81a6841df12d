/*
 * Where a program has the members of the structs it shares with the library, as its level's header
 * says. Included once by a source for each level, which defines LWS_API_LEVEL and LAYOUT_NAME.
 */
#include "layouts.h"

#include <libwebsockets.h>

const struct program_layout LAYOUT_NAME = {
    .level = LWS_API_LEVEL,
    .size = sizeof(struct libwebsocket_protocols),
    .name = offsetof(struct libwebsocket_protocols, name),
    .callback = offsetof(struct libwebsocket_protocols, callback),
    .per_session_data_size = offsetof(struct libwebsocket_protocols, per_session_data_size),
#if LWS_SINCE(20130206)
    .rx_buffer_size = offsetof(struct libwebsocket_protocols, rx_buffer_size),
#endif
    .owning_server = offsetof(struct libwebsocket_protocols, owning_server),
    .protocol_index = offsetof(struct libwebsocket_protocols, protocol_index),
};
