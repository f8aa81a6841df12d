#include "suites.h"

#include <stdio.h>
#include <stdlib.h>

#include "../support/certificates.h"
#include "harness.h"

typedef Suite *suite_maker(void);

static suite_maker *const suites[] = {
    handshake_suite,
    messages_suite,
    fragments_suite,
    close_suite,
    write_suite,
    flow_suite,
    lifetime_suite,
    attach_suite,
    service_suite,
    nesting_suite,
    broadcast_suite,
    idle_suite,
    limits_suite,
    http_requests_suite,
    http_files_suite,
    http_transfers_suite,
    http_bodies_suite,
    http_answers_suite,
    slow_peers_suite,
    wrong_input_suite,
    utility_suite,
    client_connect_suite,
    client_names_suite,
    client_handshake_suite,
    client_answers_suite,
    client_messages_suite,
    client_close_suite,
    client_limits_suite,
    client_lifetime_suite,
    client_proxy_suite,
    client_corners_suite,
};

/* These choose for themselves who speaks TLS. */
static suite_maker *const tls_suites[] = {
    client_blocking_suite,
    client_tls_suite,
    client_tls_traffic_suite,
    tls_server_suite,
    tls_program_suite,
    tls_reload_suite,
};

/* These choose for themselves who compresses. */
static suite_maker *const extension_suites[] = {
    extension_negotiation_suite,
    extension_payload_suite,
    extension_expansion_suite,
    extension_stream_suite,
    extension_hooks_suite,
    extension_events_suite,
    extension_lifetime_suite,
    extension_nesting_suite,
    deflate_negotiation_suite,
    deflate_messages_suite,
    deflate_receive_suite,
    deflate_wrong_suite,
    deflate_bombs_suite,
    deflate_lifetime_suite,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every so manyth suite, all lists being one. */
struct part {
    SRunner *runner;
    size_t own, of, next;
};

static void add(struct part *part, suite_maker *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (part->next++ % part->of == part->own)
            srunner_add_suite(part->runner, list[i]());
}

/* Arguments "PART OF" run a part of them: several can be run side by side. */
int main(int argc, char **argv)
{
    struct part part = {
        .own = argc == 3 ? strtoul(argv[1], NULL, 10) : 0,
        .of = argc == 3 ? strtoul(argv[2], NULL, 10) : 1,
    };
    int failed;

    if ((argc != 1 && argc != 3) || part.own >= part.of) {
        fprintf(stderr, "usage: behaviour_tests [PART OF]\n");
        return EXIT_FAILURE;
    }
    part.runner = srunner_create(NULL);
    certificates_make();
    add(&part, suites, COUNT(suites));
    if (!harness_tls())
        add(&part, tls_suites, COUNT(tls_suites));
    if (!harness_deflate() && libwebsocket_get_internal_extensions() != NULL)
        add(&part, extension_suites, COUNT(extension_suites));

    srunner_run_all(part.runner, CK_ENV);
    failed = srunner_ntests_failed(part.runner);
    srunner_free(part.runner);
    certificates_remove();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
