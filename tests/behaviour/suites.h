/* The behaviour tests' suites; tests/behaviour/main.c runs each of them. */
#ifndef LWSLOOP_TESTS_BEHAVIOUR_SUITES_H
#define LWSLOOP_TESTS_BEHAVIOUR_SUITES_H

#include <check.h>

Suite *handshake_suite(void);
Suite *messages_suite(void);
Suite *fragments_suite(void);
Suite *close_suite(void);
Suite *write_suite(void);
Suite *flow_suite(void);
Suite *lifetime_suite(void);
Suite *nesting_suite(void);
Suite *attach_suite(void);
Suite *service_suite(void);
Suite *broadcast_suite(void);
Suite *idle_suite(void);
Suite *limits_suite(void);
Suite *http_requests_suite(void);
Suite *http_files_suite(void);
Suite *http_transfers_suite(void);
Suite *http_bodies_suite(void);
Suite *http_answers_suite(void);
Suite *slow_peers_suite(void);
Suite *wrong_input_suite(void);
Suite *utility_suite(void);
Suite *client_connect_suite(void);
Suite *client_corners_suite(void);
Suite *client_names_suite(void);
Suite *client_handshake_suite(void);
Suite *client_answers_suite(void);
Suite *client_messages_suite(void);
Suite *client_close_suite(void);
Suite *client_limits_suite(void);
Suite *client_lifetime_suite(void);
Suite *client_proxy_suite(void);
Suite *client_blocking_suite(void);
Suite *client_tls_suite(void);
Suite *client_tls_traffic_suite(void);
Suite *tls_server_suite(void);
Suite *tls_reload_suite(void);
Suite *extension_negotiation_suite(void);
Suite *extension_payload_suite(void);
Suite *extension_expansion_suite(void);
Suite *extension_stream_suite(void);
Suite *extension_hooks_suite(void);
Suite *extension_events_suite(void);
Suite *extension_lifetime_suite(void);
Suite *extension_nesting_suite(void);
Suite *deflate_negotiation_suite(void);
Suite *deflate_messages_suite(void);
Suite *deflate_receive_suite(void);
Suite *deflate_wrong_suite(void);
Suite *deflate_bombs_suite(void);
Suite *deflate_lifetime_suite(void);

#endif
