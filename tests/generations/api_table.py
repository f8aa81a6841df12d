"""What the API has on which day: each function with its forms, reasons and other constants, structs
with their members, macros and types. Data only: matrix.py compiles it, and docs/migrating.md has it
as a table.

A row holds from the day SINCE on and until the day before BEFORE; END is later than all days.
"""
from typing import NamedTuple

FIRST = 20101218  # the first level
LAST = 20131108  # the last one
DEFAULT = 20130316  # where a program does not say one
END = 99999999

# The days of the five documents.
DOCUMENTS = {1: 20101218, 2: 20110212, 3: 20110221, 4: 20130115, 5: 20130316}


class Function(NamedTuple):
    """One form of a function. `arguments` are words of TYPES."""

    name: str
    since: int
    before: int
    result: str
    arguments: str


class Constant(NamedTuple):
    """A member of an enum, or a macro that is a number. `kind` is the enum's name, or "macro"."""

    kind: str
    name: str
    since: int
    before: int


class Members(NamedTuple):
    """The members of a struct in their order."""

    struct: str
    since: int
    before: int
    members: str


class Name(NamedTuple):
    """A macro, a typedef or a variable."""

    name: str
    since: int
    before: int


class Value(NamedTuple):
    """What is true of numbers on these days."""

    expression: str
    since: int
    before: int


class Behaviour(NamedTuple):
    """What is different from this day on, though the names are the same."""

    since: int
    what: str


# The words of Function.arguments and Function.result, and their types in C.
TYPES = {
    "context": "struct libwebsocket_context *",
    "wsi": "struct libwebsocket *",
    "protocols": "struct libwebsocket_protocols *",
    "protocol": "const struct libwebsocket_protocols *",
    "extensions": "struct libwebsocket_extension *",
    "info": "struct lws_context_creation_info *",
    "extras": "const struct lws_context_extras *",
    "pollfd": "struct pollfd *",
    "negotiation": "struct lws_extension_negotiation *",
    "text": "const char *",
    "chars": "char *",
    "bytes": "unsigned char *",
    "constbytes": "const unsigned char *",
    "byte": "unsigned char",
    "pointer": "void *",
    "constpointer": "const void *",
    "pointers": "void **",
    "texts": "const char **",
    "sizes": "size_t *",
    "int": "int",
    "bits": "unsigned int",
    "size": "size_t",
    "void": "void",
    "write": "enum libwebsocket_write_protocol",
    "status": "enum lws_close_status",
    "timeout": "enum pending_timeout",
    "token": "enum lws_token_indexes",
    "reason": "enum libwebsocket_callback_reasons",
    "emit_line": "void (*)(const char *)",
    "emit": "void (*)(int, const char *)",
    "in_service": "void (*)(struct libwebsocket_context *, void *)",
    "sink": "lws_poll_fd_function *",
    "...": "...",
}

FUNCTIONS = [
    Function(*row)
    for row in [
        # making a context, and its life
        ("libwebsocket_create_server", 20101218, 20110119, "int",
         "int protocols text text int int"),
        ("libwebsocket_create_server", 20110119, 20110122, "context",
         "int protocols text text int int"),
        ("libwebsocket_create_context", 20110122, 20110130, "context",
         "int protocols text text int int"),
        ("libwebsocket_create_context", 20110130, 20110219, "context",
         "int protocols text text int int bits"),
        ("libwebsocket_create_context", 20110219, 20110305, "context",
         "int text protocols text text int int bits"),
        ("libwebsocket_create_context", 20110305, 20121019, "context",
         "int text protocols extensions text text int int bits"),
        ("libwebsocket_create_context", 20121019, 20130109, "context",
         "int text protocols extensions text text int int bits pointer"),
        ("libwebsocket_create_context", 20130109, 20130209, "context",
         "int text protocols extensions text text text int int bits pointer"),
        ("libwebsocket_create_context", 20130209, END, "context", "info"),
        ("libwebsocket_context_destroy", 20110119, END, "void", "context"),
        ("libwebsocket_context_user", 20121019, END, "pointer", "context"),
        ("libwebsocket_service", 20110119, END, "int", "context int"),
        ("libwebsocket_service_fd", 20110219, END, "int", "context pollfd"),
        ("libwebsockets_fork_service_loop", 20110119, 20130131, "int", "context"),
        ("libwebsockets_broadcast", 20101218, END, "int", "protocol bytes size"),
        ("libwebsocket_canonical_hostname", 20110119, END, "text", "context"),
        ("libwebsocket_set_proxy", 20130316, END, "int", "context text"),
        # writing and reading
        ("libwebsocket_callback_on_writable", 20110119, 20110214, "int", "wsi"),
        ("libwebsocket_callback_on_writable", 20110214, END, "int", "context wsi"),
        ("libwebsocket_callback_on_writable_all_protocol", 20110119, END, "int", "protocol"),
        ("libwebsocket_rx_flow_control", 20110119, END, "int", "wsi int"),
        ("libwebsocket_rx_flow_allow_all_protocol", 20130316, END, "void", "protocol"),
        ("libwebsocket_write", 20101218, END, "int", "wsi bytes size write"),
        ("libwebsocket_read", 20130117, END, "int", "context wsi bytes size"),
        ("libwebsockets_serve_http_file", 20101218, 20130115, "int", "wsi text text"),
        ("libwebsockets_serve_http_file", 20130115, END, "int", "context wsi text text"),
        ("libwebsockets_serve_http_file_fragment", 20130115, END, "int", "context wsi"),
        ("lws_send_pipe_choked", 20110305, END, "int", "wsi"),
        # asking about a connection
        ("libwebsockets_get_protocol", 20101218, END, "protocol", "wsi"),
        ("libwebsocket_get_socket_fd", 20110119, END, "int", "wsi"),
        ("libwebsockets_remaining_packet_payload", 20110119, END, "size", "wsi"),
        ("libwebsocket_is_final_fragment", 20110305, END, "int", "wsi"),
        ("libwebsocket_get_reserved_bits", 20130109, END, "byte", "wsi"),
        ("lws_frame_is_binary", 20130117, END, "int", "wsi"),
        ("libwebsockets_get_peer_addresses", 20110219, 20130130, "void",
         "int chars int chars int"),
        ("libwebsockets_get_peer_addresses", 20130130, END, "void",
         "context wsi int chars int chars int"),
        ("lws_hdr_total_length", 20130209, END, "int", "wsi token"),
        ("lws_hdr_copy", 20130209, END, "int", "wsi chars int token"),
        ("libwebsocket_ensure_user_space", 20110305, 20131026, "pointer", "wsi"),
        # clients
        ("libwebsocket_client_connect", 20110122, 20110130, "wsi",
         "context text int text text text text"),
        ("libwebsocket_client_connect", 20110130, 20110212, "wsi",
         "context text int int text text text text"),
        ("libwebsocket_client_connect", 20110212, END, "wsi",
         "context text int int text text text text int"),
        ("libwebsocket_client_connect_extended", 20110305, END, "wsi",
         "context text int int text text text text int pointer"),
        ("libwebsocket_client_close", 20110122, 20110221, "void", "wsi"),
        # ending a connection
        ("libwebsockets_hangup_on_client", 20110219, 20130214, "void", "context int"),
        ("libwebsocket_close_and_free_session", 20110214, 20110226, "void", "context wsi"),
        ("libwebsocket_close_and_free_session", 20110226, 20130212, "void",
         "context wsi status"),
        ("libwebsocket_set_timeout", 20110219, END, "void", "wsi timeout int"),
        # helpers
        ("libwebsockets_get_random", 20110305, END, "int", "context pointer int"),
        ("libwebsockets_SHA1", 20110305, END, "bytes", "constbytes size bytes"),
        ("lws_b64_encode_string", 20110305, END, "int", "text int chars int"),
        ("lws_b64_decode_string", 20110305, END, "int", "text chars int"),
        ("lws_get_library_version", 20130209, END, "text", ""),
        ("lws_daemonize", 20130117, END, "int", "text"),
        ("libwebsocket_get_internal_extensions", 20130213, END, "extensions", ""),
        # the log
        ("lws_set_log_level", 20130110, 20130112, "void", "int"),
        ("lws_set_log_level", 20130112, 20130119, "void", "int emit_line"),
        ("lws_set_log_level", 20130119, END, "void", "int emit"),
        ("_lws_log", 20130119, END, "void", "int text ..."),
        ("lwsl_hexdump", 20130119, END, "void", "pointer size"),
        ("lwsl_emit_syslog", 20130119, END, "void", "int text"),
    ]
]

# Of this library alone, for programs of all days.
ADDITIONS = [
    Function(*row)
    for row in [
        ("lws_create_context", 20130209, END, "context", "info extras"),
        ("libwebsocket_cancel_service", FIRST, END, "void", "context"),
        ("lws_adopt", FIRST, END, "int", "context"),
        ("lws_renounce", FIRST, END, "int", "context"),
        ("lws_call_in_service", FIRST, END, "int", "context in_service pointer"),
        ("lws_set_poll_fd_callback", FIRST, END, "int", "context sink pointer"),
        ("lws_get_poll_fd_callback", FIRST, END, "sink", "context pointers"),
        ("lws_poll_fd_to_protocol", FIRST, END, "void", "context reason int int"),
        ("lws_get_close", FIRST, END, "int", "wsi texts sizes"),
        ("lws_close_reason", FIRST, END, "int", "wsi int constpointer size"),
        ("lws_close", FIRST, END, "int", "wsi int constpointer size"),
        ("lws_tls_reload", FIRST, END, "int", "context chars size"),
        ("lws_extension_add_parameter", 20110305, END, "int", "negotiation text text"),
        ("lws_extension_is_active", 20110305, END, "int", "wsi text"),
    ]
]

CONSTANTS = [
    Constant(kind, name, since, END)
    for kind, days in {
        "libwebsocket_callback_reasons": {
            20101218: """LWS_CALLBACK_ESTABLISHED LWS_CALLBACK_CLOSED LWS_CALLBACK_RECEIVE
                LWS_CALLBACK_HTTP LWS_CALLBACK_BROADCAST""",
            20110119: """LWS_CALLBACK_CLIENT_ESTABLISHED LWS_CALLBACK_CLIENT_RECEIVE
                LWS_CALLBACK_CLIENT_RECEIVE_PONG LWS_CALLBACK_CLIENT_WRITEABLE""",
            20110219: """LWS_CALLBACK_FILTER_NETWORK_CONNECTION
                LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION
                LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS
                LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS
                LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION""",
            20110305: """LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER
                LWS_CALLBACK_CONFIRM_EXTENSION_OKAY
                LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED""",
            20110307: "LWS_CALLBACK_SERVER_WRITEABLE",
            20120420: "LWS_CALLBACK_CLIENT_CONNECTION_ERROR",
            20130115: "LWS_CALLBACK_HTTP_FILE_COMPLETION",
            20130209: """LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH LWS_CALLBACK_PROTOCOL_INIT
                LWS_CALLBACK_PROTOCOL_DESTROY""",
            20130316: "LWS_CALLBACK_HTTP_WRITEABLE LWS_CALLBACK_CLOSED_HTTP",
        },
        "libwebsocket_write_protocol": {
            20101218: "LWS_WRITE_TEXT LWS_WRITE_BINARY LWS_WRITE_HTTP",
            20110119: """LWS_WRITE_CLOSE LWS_WRITE_PING LWS_WRITE_PONG LWS_WRITE_NO_FIN
                LWS_WRITE_CLIENT_IGNORE_XOR_MASK""",
            20110305: "LWS_WRITE_CONTINUATION",
        },
        "libwebsocket_context_options": {
            20110130: "LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK",
            20110219: "LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT",
            20121019: "LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME",
        },
        "lws_token_indexes": {
            20110219: """WSI_TOKEN_GET_URI WSI_TOKEN_HOST WSI_TOKEN_CONNECTION WSI_TOKEN_KEY1
                WSI_TOKEN_KEY2 WSI_TOKEN_PROTOCOL WSI_TOKEN_UPGRADE WSI_TOKEN_ORIGIN
                WSI_TOKEN_DRAFT WSI_TOKEN_CHALLENGE WSI_TOKEN_KEY WSI_TOKEN_VERSION
                WSI_TOKEN_SWORIGIN WSI_TOKEN_EXTENSIONS WSI_TOKEN_ACCEPT WSI_TOKEN_NONCE
                WSI_TOKEN_HTTP WSI_TOKEN_COUNT WSI_TOKEN_NAME_PART WSI_TOKEN_SKIPPING
                WSI_TOKEN_SKIPPING_SAW_CR WSI_PARSING_COMPLETE""",
            20110305: "WSI_TOKEN_MUXURL WSI_INIT_TOKEN_MUXURL",
            20130209: """_WSI_TOKEN_CLIENT_SENT_PROTOCOLS _WSI_TOKEN_CLIENT_PEER_ADDRESS
                _WSI_TOKEN_CLIENT_URI _WSI_TOKEN_CLIENT_HOST _WSI_TOKEN_CLIENT_ORIGIN""",
        },
        "lws_close_status": {
            20110226: """LWS_CLOSE_STATUS_NOSTATUS LWS_CLOSE_STATUS_NORMAL
                LWS_CLOSE_STATUS_GOINGAWAY LWS_CLOSE_STATUS_PROTOCOL_ERR
                LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE""",
            20130109: """LWS_CLOSE_STATUS_RESERVED LWS_CLOSE_STATUS_NO_STATUS
                LWS_CLOSE_STATUS_ABNORMAL_CLOSE LWS_CLOSE_STATUS_INVALID_PAYLOAD
                LWS_CLOSE_STATUS_POLICY_VIOLATION LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE
                LWS_CLOSE_STATUS_EXTENSION_REQUIRED LWS_CLOSE_STATUS_UNEXPECTED_CONDITION
                LWS_CLOSE_STATUS_TLS_FAILURE""",
        },
        "pending_timeout": {
            20110219: """NO_PENDING_TIMEOUT PENDING_TIMEOUT_AWAITING_PROXY_RESPONSE
                PENDING_TIMEOUT_AWAITING_CONNECT_RESPONSE PENDING_TIMEOUT_ESTABLISH_WITH_SERVER
                PENDING_TIMEOUT_AWAITING_SERVER_RESPONSE PENDING_TIMEOUT_AWAITING_PING
                PENDING_TIMEOUT_CLOSE_ACK PENDING_TIMEOUT_AWAITING_EXTENSION_CONNECT_RESPONSE
                PENDING_TIMEOUT_SENT_CLIENT_HANDSHAKE PENDING_TIMEOUT_SSL_ACCEPT""",
        },
        "lws_log_levels": {
            20130110: """LLL_ERR LLL_WARN LLL_INFO LLL_DEBUG LLL_PARSER LLL_HEADER LLL_EXT
                LLL_CLIENT LLL_COUNT""",
            20130119: "LLL_NOTICE LLL_LATENCY",
        },
        "libwebsocket_extension_callback_reasons": {
            20110305: """LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT
                LWS_EXT_CALLBACK_CLIENT_CONTEXT_CONSTRUCT LWS_EXT_CALLBACK_SERVER_CONTEXT_DESTRUCT
                LWS_EXT_CALLBACK_CLIENT_CONTEXT_DESTRUCT LWS_EXT_CALLBACK_CONSTRUCT
                LWS_EXT_CALLBACK_CLIENT_CONSTRUCT LWS_EXT_CALLBACK_CHECK_OK_TO_REALLY_CLOSE
                LWS_EXT_CALLBACK_CHECK_OK_TO_PROPOSE_EXTENSION LWS_EXT_CALLBACK_DESTROY
                LWS_EXT_CALLBACK_DESTROY_ANY_WSI_CLOSING LWS_EXT_CALLBACK_ANY_WSI_ESTABLISHED
                LWS_EXT_CALLBACK_PACKET_RX_PREPARSE LWS_EXT_CALLBACK_PACKET_TX_PRESEND
                LWS_EXT_CALLBACK_PACKET_TX_DO_SEND LWS_EXT_CALLBACK_HANDSHAKE_REPLY_TX
                LWS_EXT_CALLBACK_FLUSH_PENDING_TX LWS_EXT_CALLBACK_1HZ
                LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE LWS_EXT_CALLBACK_IS_WRITEABLE""",
            20130109: "LWS_EXT_CALLBACK_PAYLOAD_TX LWS_EXT_CALLBACK_PAYLOAD_RX",
        },
        "macro": {
            20101218: """LWS_SEND_BUFFER_PRE_PADDING LWS_SEND_BUFFER_POST_PADDING
                CONTEXT_PORT_NO_LISTEN MAX_MUX_RECURSION""",
        },
    }.items()
    for since, names in days.items()
    for name in names.split()
] + [
    Constant("lws_close_status", "LWS_CLOSE_STATUS_PAYLOAD_TOO_LARGE", 20110226, 20130109),
    # Programs have them before anything comes for them: a sink is told of them at every level. What
    # protocols[0] hears of, and since when, is in BEHAVIOUR.
    *(
        Constant("libwebsocket_callback_reasons", f"LWS_CALLBACK_{name}_POLL_FD", FIRST, END)
        for name in ("ADD", "DEL", "SET_MODE", "CLEAR_MODE")
    ),
]

ADDED_CONSTANTS = [
    Constant("libwebsocket_callback_reasons", "LWS_CALLBACK_POLL_DETACHED", FIRST, END),
    Constant("libwebsocket_callback_reasons", "LWS_CALLBACK_POLL_FORKED", FIRST, END),
    Constant("libwebsocket_write_protocol", "LWS_WRITE_UNCOMPRESSED", FIRST, END),
    Constant("libwebsocket_context_options", "LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT",
             20110130, END),
    Constant("libwebsocket_extension_callback_reasons", "LWS_EXT_CALLBACK_OFFER", 20130209, END),
    Constant("lws_deflate_takeover", "LWS_DEFLATE_TAKEOVER_SEND", 20130209, END),
    Constant("lws_deflate_takeover", "LWS_DEFLATE_TAKEOVER_RECEIVE", 20130209, END),
    Constant("macro", "LWS_POLL_HELPER", FIRST, END),
]

VALUES = [
    Value("WSI_TOKEN_COUNT == 17", 20110219, 20110305),
    Value("WSI_TOKEN_COUNT == 18", 20110305, 20130209),
    Value("WSI_TOKEN_COUNT == 23", 20130209, END),
    Value("LLL_INFO == 4 && LLL_CLIENT == 128 && LLL_COUNT == 8", 20130110, 20130119),
    Value("LLL_INFO == 8 && LLL_CLIENT == 256 && LLL_COUNT == 10", 20130119, END),
    Value("LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE == 1003", 20110226, END),
    Value("CONTEXT_PORT_NO_LISTEN == 0", FIRST, END),
    Value("LWS_SEND_BUFFER_PRE_PADDING >= 14 && LWS_SEND_BUFFER_POST_PADDING >= 1", FIRST, END),
]

MACROS = [
    Name("LWS_EXTERN", 20110305, END),
    *(Name(f"lwsl_{level}", 20130119, END) for level in
      "err warn notice info debug parser header ext client latency".split()),
    Name("LWS_VISIBLE", FIRST, END),
]

# Macros of the system's headers, which the header of the day includes: <poll.h>, <unistd.h> and
# <assert.h>.
SYSTEM_MACROS = [
    Name("POLLIN", 20110212, END),
    Name("STDIN_FILENO", 20130117, END),
    Name("assert", 20130214, END),
]

TYPEDEFS = [
    Name("callback_function", 20110305, END),
    Name("extension_callback_function", 20110305, END),
]
VARIABLES = [Name("libwebsocket_internal_extensions", 20110305, 20130213)]

# "callback:wsi" is a function whose first argument is the wsi, "callback:context" one whose first
# argument is the context.
STRUCTS = [
    Members(*row)
    for row in [
        ("libwebsocket_protocols", 20101218, 20110214,
         """name callback:wsi per_session_data_size owning_server broadcast_socket_port
         broadcast_socket_user_fd protocol_index"""),
        ("libwebsocket_protocols", 20110214, 20130131,
         """name callback:context per_session_data_size owning_server broadcast_socket_port
         broadcast_socket_user_fd protocol_index"""),
        ("libwebsocket_protocols", 20130131, 20130206,
         "name callback:context per_session_data_size owning_server protocol_index"),
        ("libwebsocket_protocols", 20130206, 20131017,
         """name callback:context per_session_data_size rx_buffer_size owning_server
         protocol_index"""),
        ("libwebsocket_protocols", 20131017, END,
         """name callback:context per_session_data_size rx_buffer_size no_buffer_all_partial_tx
         owning_server protocol_index"""),
        ("lws_context_creation_info", 20130209, 20130211,
         """port interface protocols extensions ssl_cert_filepath ssl_private_key_filepath
         ssl_ca_filepath gid uid options user ka_time ka_probes ka_interval"""),
        ("lws_context_creation_info", 20130211, 20130222,
         """port iface protocols extensions ssl_cert_filepath ssl_private_key_filepath
         ssl_ca_filepath gid uid options user ka_time ka_probes ka_interval"""),
        ("lws_context_creation_info", 20130222, END,
         """port iface protocols extensions ssl_cert_filepath ssl_private_key_filepath
         ssl_ca_filepath ssl_cipher_list gid uid options user ka_time ka_probes ka_interval"""),
        ("lws_tokens", 20110219, END, "token token_len"),
        ("libwebsocket_extension", 20110305, END,
         "name callback per_session_data_size per_context_private_data"),
    ]
]

BEHAVIOUR = [
    Behaviour(20110219, "protocols[0] is told ADD, DEL, SET_MODE and CLEAR_MODE_POLL_FD, the "
              "descriptor in `user`"),
    Behaviour(20110307, "servers get SERVER_WRITEABLE, and not CLIENT_WRITEABLE"),
    Behaviour(20120420, "a failed connect is CLIENT_CONNECTION_ERROR, and not CLOSED"),
    Behaviour(20130115, "a nonzero return from HTTP closes"),
    Behaviour(20130131, "a client that asks for no protocol gets the first one"),
    Behaviour(20130214, "a negative return from RECEIVE closes, and a nonzero one from "
              "CLIENT_RECEIVE and WRITEABLE; HTTP_FILE_COMPLETION comes without the path"),
    Behaviour(20130215, "the descriptor is in `in`: the four POLL_FD and "
              "FILTER_NETWORK_CONNECTION"),
    Behaviour(20130223, "libwebsocket_write returns the number of bytes, and not 0"),
    Behaviour(20130316, "HTTP connections get HTTP_WRITEABLE, and not SERVER_WRITEABLE"),
]


def holds(row, day):
    """Whether a row of one of the tables holds on a day."""
    return row.since <= day < row.before


def prototype(row):
    """A function's form as a line of C, without names for the arguments."""
    arguments = ", ".join(TYPES[word] for word in row.arguments.split()) or "void"
    result = TYPES[row.result]
    return f"{result}{'' if result.endswith('*') else ' '}{row.name}({arguments})"
