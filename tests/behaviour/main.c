#include "suites.h"

#include <stdlib.h>

#include "../support/certificates.h"
#include "harness.h"

int main(void)
{
    SRunner *runner = srunner_create(handshake_suite());
    int failed;

    certificates_make();
    srunner_add_suite(runner, messages_suite());
    srunner_add_suite(runner, fragments_suite());
    srunner_add_suite(runner, close_suite());
    srunner_add_suite(runner, write_suite());
    srunner_add_suite(runner, flow_suite());
    srunner_add_suite(runner, lifetime_suite());
    srunner_add_suite(runner, attach_suite());
    srunner_add_suite(runner, service_suite());
    srunner_add_suite(runner, broadcast_suite());
    srunner_add_suite(runner, idle_suite());
    srunner_add_suite(runner, limits_suite());
    srunner_add_suite(runner, http_requests_suite());
    srunner_add_suite(runner, http_files_suite());
    srunner_add_suite(runner, http_transfers_suite());
    srunner_add_suite(runner, http_bodies_suite());
    srunner_add_suite(runner, http_answers_suite());
    srunner_add_suite(runner, wrong_input_suite());
    srunner_add_suite(runner, utility_suite());
    srunner_add_suite(runner, client_connect_suite());
    srunner_add_suite(runner, client_names_suite());
    srunner_add_suite(runner, client_handshake_suite());
    srunner_add_suite(runner, client_answers_suite());
    srunner_add_suite(runner, client_messages_suite());
    srunner_add_suite(runner, client_close_suite());
    srunner_add_suite(runner, client_limits_suite());
    srunner_add_suite(runner, client_lifetime_suite());
    srunner_add_suite(runner, client_proxy_suite());
    srunner_add_suite(runner, client_corners_suite());
    /* These choose for themselves who speaks TLS. */
    if (!harness_tls()) {
        srunner_add_suite(runner, client_blocking_suite());
        srunner_add_suite(runner, client_tls_suite());
        srunner_add_suite(runner, client_tls_traffic_suite());
        srunner_add_suite(runner, tls_server_suite());
        srunner_add_suite(runner, tls_reload_suite());
    }

    /* These choose for themselves who compresses. */
    if (!harness_deflate() && libwebsocket_get_internal_extensions() != NULL) {
        srunner_add_suite(runner, extension_negotiation_suite());
        srunner_add_suite(runner, extension_payload_suite());
        srunner_add_suite(runner, extension_expansion_suite());
        srunner_add_suite(runner, extension_stream_suite());
        srunner_add_suite(runner, extension_hooks_suite());
        srunner_add_suite(runner, extension_events_suite());
        srunner_add_suite(runner, extension_lifetime_suite());
        srunner_add_suite(runner, extension_nesting_suite());
        srunner_add_suite(runner, deflate_negotiation_suite());
        srunner_add_suite(runner, deflate_messages_suite());
        srunner_add_suite(runner, deflate_receive_suite());
        srunner_add_suite(runner, deflate_wrong_suite());
        srunner_add_suite(runner, deflate_bombs_suite());
        srunner_add_suite(runner, deflate_lifetime_suite());
    }

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    certificates_remove();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
