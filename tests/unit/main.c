#include "../support/sanitized.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>

static Suite *(*const suites[])(void) = {
    http_head_suite,
    http_response_head_suite,
    proxy_address_suite,
    token_list_suite,
    extension_list_suite,
    deflate_parameters_suite,
    deflate_negotiation_suite,
    request_target_suite,
    http_date_suite,
    http_range_suite,
    http_body_suite,
    frame_suite,
    mask_suite,
    utf8_suite,
    close_payload_suite,
    websocket_key_suite,
    base64_suite,
    deflate_stream_suite,
    inflate_stream_suite,
    deadline_wheel_suite,
    tls_handshake_suite,
    tls_stream_suite,
    tls_ending_suite,
    tls_settings_suite,
    tls_sessions_suite,
    socket_address_suite,
    connect_socket_suite,
    resolver_suite,
    fork_guard_suite,
    process_lock_suite,
    broadcast_channel_suite,
    broadcast_senders_suite,
    privileges_suite,
    daemonize_suite,
    level_suite,
    level_callback_suite,
};

/* Arguments "PART OF" run every so manyth suite: several parts can be run side by side. */
int main(int argc, char **argv)
{
    size_t part = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    size_t of = argc == 3 ? strtoul(argv[2], NULL, 10) : 1;
    SRunner *runner = srunner_create(NULL);
    int failed;

    if ((argc != 1 && argc != 3) || part >= of) {
        fprintf(stderr, "usage: unit_tests [PART OF]\n");
        return EXIT_FAILURE;
    }
    /* A process for each test takes longer than the test. */
    if (IS_SANITIZED && getenv("CK_FORK") == NULL)
        srunner_set_fork_status(runner, CK_NOFORK);
    for (size_t i = part; i < sizeof(suites) / sizeof(suites[0]); i += of)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
