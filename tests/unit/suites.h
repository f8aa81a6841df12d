/* The unit tests' suites; tests/unit/main.c runs each of them. */
#ifndef LWSLOOP_TESTS_SUITES_H
#define LWSLOOP_TESTS_SUITES_H

#include <check.h>

Suite *http_head_suite(void);
Suite *http_response_head_suite(void);
Suite *proxy_address_suite(void);
Suite *token_list_suite(void);
Suite *extension_list_suite(void);
Suite *deflate_parameters_suite(void);
Suite *deflate_negotiation_suite(void);
Suite *request_target_suite(void);
Suite *http_date_suite(void);
Suite *http_range_suite(void);
Suite *http_body_suite(void);

Suite *frame_suite(void);
Suite *mask_suite(void);
Suite *utf8_suite(void);
Suite *close_payload_suite(void);
Suite *websocket_key_suite(void);
Suite *base64_suite(void);
Suite *deflate_stream_suite(void);
Suite *inflate_stream_suite(void);
Suite *deadline_wheel_suite(void);

Suite *tls_ending_suite(void);
Suite *tls_handshake_suite(void);
Suite *tls_sessions_suite(void);
Suite *tls_settings_suite(void);
Suite *tls_stream_suite(void);

Suite *socket_address_suite(void);
Suite *connect_socket_suite(void);
Suite *resolver_suite(void);

Suite *fork_guard_suite(void);
Suite *process_lock_suite(void);
Suite *broadcast_channel_suite(void);
Suite *broadcast_senders_suite(void);
Suite *privileges_suite(void);
Suite *daemonize_suite(void);

Suite *level_suite(void);
Suite *level_callback_suite(void);

#endif
