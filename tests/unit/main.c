#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(http_head_suite());
    int failed;

    srunner_add_suite(runner, http_response_head_suite());
    srunner_add_suite(runner, proxy_address_suite());
    srunner_add_suite(runner, token_list_suite());
    srunner_add_suite(runner, extension_list_suite());
    srunner_add_suite(runner, deflate_parameters_suite());
    srunner_add_suite(runner, deflate_negotiation_suite());
    srunner_add_suite(runner, request_target_suite());
    srunner_add_suite(runner, http_date_suite());
    srunner_add_suite(runner, http_range_suite());
    srunner_add_suite(runner, http_body_suite());
    srunner_add_suite(runner, frame_suite());
    srunner_add_suite(runner, mask_suite());
    srunner_add_suite(runner, utf8_suite());
    srunner_add_suite(runner, close_payload_suite());
    srunner_add_suite(runner, websocket_key_suite());
    srunner_add_suite(runner, base64_suite());
    srunner_add_suite(runner, deflate_stream_suite());
    srunner_add_suite(runner, inflate_stream_suite());
    srunner_add_suite(runner, deadline_wheel_suite());
    srunner_add_suite(runner, tls_handshake_suite());
    srunner_add_suite(runner, tls_stream_suite());
    srunner_add_suite(runner, tls_ending_suite());
    srunner_add_suite(runner, tls_settings_suite());
    srunner_add_suite(runner, tls_sessions_suite());
    srunner_add_suite(runner, socket_address_suite());
    srunner_add_suite(runner, connect_socket_suite());
    srunner_add_suite(runner, resolver_suite());

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
