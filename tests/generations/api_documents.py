"""Which of the five documents mention a name: functions that they declare or speak of, reasons and
other constants, structs with their members, macros and types. Data only.

"345" stands for the third, the fourth and the fifth.
"""

FUNCTIONS = {
    "libwebsocket_callback_on_writable": "2345",
    "libwebsocket_callback_on_writable_all_protocol": "2345",
    "libwebsocket_canonical_hostname": "2345",
    "libwebsocket_client_connect": "2345",
    "libwebsocket_client_connect_extended": "45",
    "libwebsocket_context_destroy": "2345",
    "libwebsocket_context_user": "45",
    "libwebsocket_create_context": "2345",
    "libwebsocket_create_server": "1",  # the others still speak of it
    "libwebsocket_get_socket_fd": "2345",
    "libwebsocket_rx_flow_allow_all_protocol": "5",
    "libwebsocket_rx_flow_control": "2345",
    "libwebsocket_service": "2345",
    "libwebsocket_service_fd": "345",
    "libwebsocket_set_timeout": "345",
    "libwebsocket_write": "12345",
    "libwebsockets_broadcast": "1234",
    "libwebsockets_fork_service_loop": "234",
    "libwebsockets_get_peer_addresses": "345",
    "libwebsockets_get_protocol": "12345",
    "libwebsockets_hangup_on_client": "34",
    "libwebsockets_remaining_packet_payload": "2345",
    "libwebsockets_serve_http_file": "12345",
    "lws_frame_is_binary": "5",
    "lws_get_library_version": "5",
    "lws_set_log_level": "45",
}

CONSTANTS = {
    "LWS_CALLBACK_ADD_POLL_FD": "345",
    "LWS_CALLBACK_BROADCAST": "1234",
    "LWS_CALLBACK_CLEAR_MODE_POLL_FD": "345",
    "LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER": "45",
    "LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED": "45",
    "LWS_CALLBACK_CLIENT_CONNECTION_ERROR": "45",
    "LWS_CALLBACK_CLIENT_ESTABLISHED": "2345",
    "LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH": "5",
    "LWS_CALLBACK_CLIENT_RECEIVE": "2345",
    "LWS_CALLBACK_CLIENT_RECEIVE_PONG": "2345",
    "LWS_CALLBACK_CLIENT_WRITEABLE": "2345",
    "LWS_CALLBACK_CLOSED": "12345",
    "LWS_CALLBACK_CONFIRM_EXTENSION_OKAY": "45",
    "LWS_CALLBACK_DEL_POLL_FD": "345",
    "LWS_CALLBACK_ESTABLISHED": "12345",
    "LWS_CALLBACK_FILTER_NETWORK_CONNECTION": "345",
    "LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION": "345",
    "LWS_CALLBACK_HTTP": "12345",
    "LWS_CALLBACK_HTTP_FILE_COMPLETION": "45",
    "LWS_CALLBACK_HTTP_WRITEABLE": "5",
    "LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS": "345",
    "LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS": "345",
    "LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION": "345",
    "LWS_CALLBACK_PROTOCOL_DESTROY": "5",
    "LWS_CALLBACK_PROTOCOL_INIT": "5",
    "LWS_CALLBACK_RECEIVE": "12345",
    "LWS_CALLBACK_SERVER_WRITEABLE": "45",
    "LWS_CALLBACK_SET_MODE_POLL_FD": "345",
    "LWS_EXT_CALLBACK_CLIENT_CONSTRUCT": "45",
    "LWS_EXT_CALLBACK_CONSTRUCT": "45",
    "LWS_EXT_CALLBACK_DESTROY": "45",
    "LWS_EXT_CALLBACK_PACKET_RX_PREPARSE": "45",
    "LWS_EXT_CALLBACK_PACKET_TX_PRESEND": "45",
    "LWS_SEND_BUFFER_POST_PADDING": "12345",
    "LWS_SEND_BUFFER_PRE_PADDING": "12345",
    "LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK": "2345",
    "LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT": "345",
    "LWS_WRITE_BINARY": "12345",
    "LWS_WRITE_HTTP": "12345",
    "LWS_WRITE_TEXT": "12345",
}

MACROS = {"LWS_EXTERN": "45"}

TYPES = {"callback_function": "45", "extension_callback_function": "45"}

# Structs and enums by their tags.
TAGS = {
    "libwebsocket": "12345",
    "libwebsocket_callback_reasons": "12345",
    "libwebsocket_context": "12345",
    "libwebsocket_extension": "45",
    "libwebsocket_extension_callback_reasons": "45",
    "libwebsocket_protocols": "12345",
    "libwebsocket_write_protocol": "12345",
    "lws_context_creation_info": "5",
    "lws_token_indexes": "345",
    "lws_tokens": "345",
    "pending_timeout": "345",
}

MEMBERS = {
    "libwebsocket_protocols": {
        "name": "12345",
        "callback": "12345",
        "per_session_data_size": "12345",
        "rx_buffer_size": "5",
        "owning_server": "12345",
        "broadcast_socket_port": "1234",
        "broadcast_socket_user_fd": "1234",
        "protocol_index": "12345",
    },
    "libwebsocket_extension": {
        "name": "45",
        "callback": "45",
        "per_session_data_size": "45",
        "per_context_private_data": "45",
    },
    "lws_context_creation_info": {
        "port": "5",
        "iface": "5",
        "protocols": "5",
        "extensions": "5",
        "ssl_cert_filepath": "5",
        "ssl_private_key_filepath": "5",
        "ssl_ca_filepath": "5",
        "ssl_cipher_list": "5",
        "gid": "5",
        "uid": "5",
        "options": "5",
        "user": "5",
        "ka_time": "5",
        "ka_probes": "5",
        "ka_interval": "5",
    },
    "lws_tokens": {"token": "45", "token_len": "45"},
}

# What the documents name besides, and is nothing of the API: the functions that they describe
# callbacks by, a limit of the originals (MAX_CLIENTS), and words of the system's.
OTHERS = {
    "callback": "12345",
    "extension_callback": "45",
    "MAX_CLIENTS": "45",
    "POLLIN": "345",
    "POLLOUT": "5",
    "pollfd": "345",
}
