/* What is offered, answered and refused of permessage-deflate (RFC 7692 section 7.1). */
#include <stdio.h>
#include <stdlib.h>

#include "deflate_ground.h"
#include "suites.h"

#define PMD "permessage-deflate"
#define SERVER_NO "; server_no_context_takeover"
#define CLIENT_NO "; client_no_context_takeover"
#define BOTH_NO SERVER_NO CLIENT_NO
#define SERVER_BITS "; server_max_window_bits="
#define CLIENT_BITS "; client_max_window_bits="
#define CLIENT_ANY "; client_max_window_bits"
#define KEEP (LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE)

/* A server's settings, a client's offer, and the answer that is due, in any order; NULL: none. */
static const struct {
    unsigned int takeover;
    int send_bits;
    int receive_bits;
    const char *offer;
    const char *answer;
} offers[] = {
    /* Nothing to negotiate: what the settings say. */
    {0, 0, 0, PMD, PMD BOTH_NO},
    {LWS_DEFLATE_TAKEOVER_SEND, 0, 0, PMD, PMD CLIENT_NO},
    {LWS_DEFLATE_TAKEOVER_RECEIVE, 0, 0, PMD, PMD SERVER_NO},
    {KEEP, 0, 0, PMD, PMD},
    {KEEP, 10, 0, PMD, PMD SERVER_BITS "10"},
    {KEEP, 15, 15, PMD, PMD},
    {0, 8, 0, PMD, PMD BOTH_NO SERVER_BITS "8"},

    /* 7.1.1.1: what the client asks of the server is done. */
    {KEEP, 0, 0, PMD SERVER_NO, PMD SERVER_NO},
    {KEEP, 0, 0, PMD CLIENT_NO, PMD CLIENT_NO},
    {KEEP, 0, 0, PMD BOTH_NO, PMD BOTH_NO},
    {KEEP, 0, 0, PMD CLIENT_NO SERVER_NO, PMD BOTH_NO},
    {KEEP, 0, 0, PMD ";server_no_context_takeover;client_max_window_bits", PMD SERVER_NO},

    /* 7.1.2.1 */
    {KEEP, 0, 0, PMD SERVER_BITS "8", PMD SERVER_BITS "8"},
    {KEEP, 0, 0, PMD SERVER_BITS "9", PMD SERVER_BITS "9"},
    {KEEP, 0, 0, PMD SERVER_BITS "10", PMD SERVER_BITS "10"},
    {KEEP, 0, 0, PMD SERVER_BITS "14", PMD SERVER_BITS "14"},
    {KEEP, 0, 0, PMD SERVER_BITS "15", PMD SERVER_BITS "15"},
    {KEEP, 11, 0, PMD SERVER_BITS "13", PMD SERVER_BITS "11"},
    {KEEP, 13, 0, PMD SERVER_BITS "11", PMD SERVER_BITS "11"},
    {KEEP, 0, 0, PMD "; server_max_window_bits=\"12\"", PMD SERVER_BITS "12"},

    /* 7.1.2.2: the client is told only where it can be. */
    {KEEP, 0, 0, PMD CLIENT_ANY, PMD},
    {KEEP, 0, 10, PMD CLIENT_ANY, PMD CLIENT_BITS "10"},
    {KEEP, 0, 8, PMD CLIENT_ANY, PMD CLIENT_BITS "8"},
    {KEEP, 0, 0, PMD CLIENT_BITS "9", PMD CLIENT_BITS "9"},
    {KEEP, 0, 12, PMD CLIENT_BITS "15", PMD CLIENT_BITS "12"},
    {KEEP, 0, 12, PMD CLIENT_BITS "10", PMD CLIENT_BITS "10"},
    {KEEP, 0, 12, PMD, NULL},
    {KEEP, 0, 12, PMD SERVER_BITS "12", NULL},
    {0, 9, 10, PMD CLIENT_ANY SERVER_BITS "12", PMD BOTH_NO SERVER_BITS "9" CLIENT_BITS "10"},

    /* Alternatives: the first that can be had. */
    {KEEP, 0, 0, PMD SERVER_BITS "9, " PMD, PMD SERVER_BITS "9"},
    {KEEP, 0, 0, PMD "; later, " PMD SERVER_BITS "9", PMD SERVER_BITS "9"},
    {KEEP, 0, 12, PMD ", " PMD CLIENT_ANY, PMD CLIENT_BITS "12"},
    {KEEP, 0, 0, "x-webkit-deflate-frame, " PMD SERVER_NO, PMD SERVER_NO},
    {KEEP, 0, 0, "x-a; b=\"c\", " PMD SERVER_BITS "7," PMD SERVER_BITS "16," PMD, PMD},
    {KEEP, 0, 0, PMD "\r\nSec-WebSocket-Extensions: x-more", PMD},
    {KEEP, 0, 0, "x-more\r\nSec-WebSocket-Extensions: " PMD SERVER_NO, PMD SERVER_NO},
    {KEEP, 0, 0, PMD ", " PMD, PMD},

    /* What 7.1 has a server decline. */
    {KEEP, 0, 0, PMD "; unknown", NULL},
    {KEEP, 0, 0, PMD SERVER_NO "=1", NULL},
    {KEEP, 0, 0, PMD CLIENT_NO "=true", NULL},
    {KEEP, 0, 0, PMD SERVER_NO SERVER_NO, NULL},
    {KEEP, 0, 0, PMD CLIENT_NO CLIENT_NO, NULL},
    {KEEP, 0, 0, PMD SERVER_BITS "10" SERVER_BITS "10", NULL},
    {KEEP, 0, 0, PMD CLIENT_ANY CLIENT_BITS "10", NULL},
    {KEEP, 0, 0, PMD CLIENT_ANY CLIENT_ANY, NULL},
    {KEEP, 0, 0, PMD "; server_max_window_bits", NULL},
    {KEEP, 0, 0, PMD SERVER_BITS "7", NULL},
    {KEEP, 0, 0, PMD SERVER_BITS "16", NULL},
    {KEEP, 0, 0, PMD SERVER_BITS "08", NULL},
    {KEEP, 0, 0, PMD SERVER_BITS "1", NULL},
    {KEEP, 0, 0, PMD SERVER_BITS "100", NULL},
    {KEEP, 0, 0, PMD SERVER_BITS "ten", NULL},
    {KEEP, 0, 0, PMD SERVER_BITS "\"\\1\\6\"", NULL},
    {KEEP, 0, 0, PMD CLIENT_BITS "7", NULL},
    {KEEP, 0, 0, PMD CLIENT_BITS "16", NULL},
    {KEEP, 0, 0, PMD CLIENT_BITS "0", NULL},
    {KEEP, 0, 0, "permessage-deflat", NULL},
    {KEEP, 0, 0, "deflate-stream", NULL},
    {KEEP, 0, 0, NULL, NULL},
};

static void expect_terms(const char *found, const char *due, const char *said)
{
    struct ws_deflate_terms one, other;

    ck_assert_msg((found == NULL) == (due == NULL), "%s is answered with %s", said,
        found == NULL ? "nothing" : found);
    if (due == NULL)
        return;
    one = ws_deflate_terms_of(found);
    other = ws_deflate_terms_of(due);
    ck_assert_msg(one.server_no_context_takeover == other.server_no_context_takeover &&
                      one.client_no_context_takeover == other.client_no_context_takeover &&
                      one.server_max_window_bits == other.server_max_window_bits &&
                      one.client_max_window_bits == other.client_max_window_bits,
        "%s is answered with %s, not %s", said, found, due);
}

/* There and back, more than one message long and more than one window. */
static void talk(struct ws_client *ws, size_t size)
{
    unsigned char *prose = deflate_prose(size, 5);

    for (int i = 0; i < 3; i++) {
        ws_send_frame(ws, WS_FIN | WS_TEXT, prose, size);
        ws_expect_frame(ws, WS_FIN | WS_TEXT, prose, size);
        ws_send_frame(ws, WS_FIN | WS_BINARY, prose + i, size - 10);
        ws_expect_frame(ws, WS_FIN | WS_BINARY, prose + i, size - 10);
    }
    free(prose);
}

START_TEST(server_answers)
{
    struct server_options options = {.extras = {.deflate_takeover = offers[_i].takeover,
                                         .deflate_send_window_bits = offers[_i].send_bits,
                                         .deflate_receive_window_bits = offers[_i].receive_bits,
                                         .deflate_threshold = 1}};
    struct deflate_end end = deflate_start(ROLE_SERVER, &options);
    struct deflate_peer peer = deflate_connect(&end, "back", offers[_i].offer);

    expect_terms(peer.answer, offers[_i].answer, offers[_i].offer);
    if (peer.answer != NULL)
        deflate_transparently(&peer);
    talk(peer.ws, harness_scale(100000, 3000));
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

/* What is no list of extensions is not one of permessage-deflate either (RFC 6455 section 9.1). */
static const char *const malformed_offers[] = {PMD "; =1", PMD SERVER_BITS "10 11",
    PMD "; server_max_window_bits=\"10", PMD " " PMD, "(" PMD ")", PMD SERVER_BITS, PMD "; "};

START_TEST(server_does_not_agree_on_what_is_malformed)
{
    struct deflate_end end = deflate_start(ROLE_SERVER, NULL);
    struct ws_client *client = ws_connect(server_port(end.loop));
    struct ws_response response;
    char extra[256];
    char *found;
    char *text;

    snprintf(extra, sizeof extra, "Sec-WebSocket-Extensions: %s\r\n", malformed_offers[_i]);
    text = ws_handshake_text("/", "back", extra);
    ws_send_text(client, text);
    response = ws_receive_head(client);
    ck_assert_msg(response.status == 101 || response.status == 400, "%s", response.head);
    found = ws_response_field(&response, "Sec-WebSocket-Extensions");
    ck_assert_ptr_null(found);
    ws_response_free(&response);
    free(text);
    ws_free(client);
    deflate_stop(&end);
}
END_TEST

START_TEST(server_without_the_extension_does_not_answer)
{
    struct server *server = server_start(NULL);
    struct deflate_end end = {.role = ROLE_SERVER, .loop = server};
    struct deflate_peer peer;

    if (harness_deflate()) {
        server_stop(server);
        return;
    }
    peer = deflate_connect(&end, "echo", PMD);
    ck_assert_ptr_null(peer.answer);
    talk(peer.ws, 1000);
    deflate_send_raw(&peer, WS_FIN | WS_RSV1 | WS_TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    ws_expect_close_and_answer(peer.ws, 1002);
    deflate_free(&peer);
    server_stop(server);
}
END_TEST

/* A client's settings, its offer, and the same in the other order of what is the server's. */
static const struct {
    unsigned int takeover;
    int send_bits;
    int receive_bits;
    const char *offer;
} proposals[] = {
    {0, 0, 0, PMD BOTH_NO CLIENT_ANY},
    {LWS_DEFLATE_TAKEOVER_SEND, 0, 0, PMD SERVER_NO CLIENT_ANY},
    {LWS_DEFLATE_TAKEOVER_RECEIVE, 0, 0, PMD CLIENT_NO CLIENT_ANY},
    {KEEP, 0, 0, PMD CLIENT_ANY},
    {KEEP, 15, 15, PMD CLIENT_ANY},
    {KEEP, 10, 0, PMD CLIENT_BITS "10"},
    {KEEP, 8, 0, PMD CLIENT_BITS "8"},
    {KEEP, 0, 9, PMD SERVER_BITS "9" CLIENT_ANY ", " PMD CLIENT_ANY},
    {0, 12, 14, PMD BOTH_NO SERVER_BITS "14" CLIENT_BITS "12, " PMD BOTH_NO CLIENT_BITS "12"},
};

/* The library's own order of parameters is as good as any, but it has to be one of each. */
static bool same_parameters(const char *one, const char *other)
{
    size_t total = 0;
    char *copy = strdup(one);
    char *rest = NULL;

    ck_assert_ptr_nonnull(copy);
    for (char *part = strtok_r(copy, ";, ", &rest); part; part = strtok_r(NULL, ";, ", &rest)) {
        const char *found = other;
        size_t length = strlen(part);
        bool is_there = false;

        while (!is_there && (found = strstr(found, part)) != NULL) {
            is_there = strchr(";, ", found[length]) != NULL &&
                       (found == other || strchr(";, ", found[-1]) != NULL);
            found += length;
        }
        if (!is_there)
            break;
        total += length;
    }
    for (const char *at = other; *at != '\0'; at++)
        total -= strchr(";, ", *at) == NULL;
    free(copy);
    return total == 0;
}

START_TEST(client_offers)
{
    struct server_options options = {.extras = {.deflate_takeover = proposals[_i].takeover,
                                         .deflate_send_window_bits = proposals[_i].send_bits,
                                         .deflate_receive_window_bits = proposals[_i].receive_bits,
                                         .deflate_threshold = 1}};
    struct deflate_end end = deflate_start(ROLE_CLIENT, &options);
    struct client client = {.port = end.listener->port, .protocol = "back"};
    struct ws_client *peer;
    struct deflate_peer other;
    char *request;
    char *offer;
    char *answer;

    client_begin(end.loop, &client);
    peer = ws_accept(end.listener);
    request = ws_receive_request(peer);
    offer = ws_head_field(request, "Sec-WebSocket-Extensions");
    ck_assert_ptr_nonnull(offer);
    ck_assert_msg(same_parameters(offer, proposals[_i].offer), "%s is offered, not %s", offer,
        proposals[_i].offer);

    /* A server that does without. */
    answer = ws_acceptance(request, "back", NULL);
    ws_send_text(peer, answer);
    talk(peer, 1000);
    ws_finish(peer);
    ws_free(peer);
    free(answer);
    free(offer);
    free(request);

    /* And one that agrees. */
    other = deflate_connect(&end, "back", NULL);
    deflate_transparently(&other);
    talk(other.ws, harness_scale(100000, 3000));
    deflate_finish(&end, &other);
    deflate_stop(&end);
}
END_TEST

/* Answers to clients. */
static const struct {
    unsigned int takeover;
    int send_bits;
    int receive_bits;
    const char *answer;
    bool good;
} answers[] = {
    {KEEP, 0, 0, PMD, true},
    {KEEP, 0, 0, PMD SERVER_NO, true},
    {KEEP, 0, 0, PMD CLIENT_NO, true},
    {KEEP, 0, 0, PMD BOTH_NO, true},
    {KEEP, 0, 0, PMD SERVER_BITS "8", true},
    {KEEP, 0, 0, PMD SERVER_BITS "15", true},
    {KEEP, 0, 0, PMD CLIENT_BITS "8", true},
    {KEEP, 0, 0, PMD CLIENT_BITS "9", true},
    {KEEP, 0, 0, PMD CLIENT_BITS "15", true},
    {KEEP, 0, 0, PMD CLIENT_BITS "10" BOTH_NO SERVER_BITS "11", true},
    {KEEP, 0, 0, PMD "; server_max_window_bits=\"10\"", true},
    {KEEP, 10, 0, PMD, true},
    {KEEP, 10, 0, PMD CLIENT_BITS "8", true},
    {KEEP, 10, 0, PMD CLIENT_BITS "10", true},
    {KEEP, 0, 10, PMD SERVER_BITS "9", true},
    {KEEP, 0, 10, PMD SERVER_BITS "10", true},
    {KEEP, 0, 10, PMD, true}, /* to the second alternative */
    {0, 0, 0, PMD SERVER_NO, true},
    {0, 0, 0, PMD BOTH_NO, true},

    {KEEP, 0, 0, PMD "; unknown", false},
    {KEEP, 0, 0, PMD SERVER_NO "=1", false},
    {KEEP, 0, 0, PMD CLIENT_NO "=1", false},
    {KEEP, 0, 0, PMD SERVER_NO SERVER_NO, false},
    {KEEP, 0, 0, PMD CLIENT_NO CLIENT_NO, false},
    {KEEP, 0, 0, PMD SERVER_BITS "9" SERVER_BITS "9", false},
    {KEEP, 0, 0, PMD CLIENT_BITS "9" CLIENT_BITS "9", false},
    {KEEP, 0, 0, PMD "; server_max_window_bits", false},
    {KEEP, 0, 0, PMD CLIENT_ANY, false},
    {KEEP, 0, 0, PMD SERVER_BITS "7", false},
    {KEEP, 0, 0, PMD SERVER_BITS "16", false},
    {KEEP, 0, 0, PMD SERVER_BITS "010", false},
    {KEEP, 0, 0, PMD CLIENT_BITS "7", false},
    {KEEP, 0, 0, PMD CLIENT_BITS "16", false},
    {KEEP, 0, 0, PMD ", " PMD, false},
    {KEEP, 0, 0, PMD "\r\nSec-WebSocket-Extensions: " PMD, false},
    {KEEP, 0, 0, "x-other", false},
    {KEEP, 0, 0, PMD ", x-other", false},
    {KEEP, 0, 0, PMD "; =", false},
    {KEEP, 0, 0, PMD " x", false},
    {0, 0, 0, PMD, false}, /* 7.1.1.1: the server has to say it */
    {0, 0, 0, PMD CLIENT_NO, false},
    {LWS_DEFLATE_TAKEOVER_SEND, 0, 0, PMD, false},
};

START_TEST(client_looks_at_the_answer)
{
    struct server_options options = {.extras = {.deflate_takeover = answers[_i].takeover,
                                         .deflate_send_window_bits = answers[_i].send_bits,
                                         .deflate_receive_window_bits = answers[_i].receive_bits,
                                         .deflate_threshold = 1}};
    struct deflate_end end = deflate_start(ROLE_CLIENT, &options);
    struct client client = {.port = end.listener->port, .protocol = "back"};
    struct deflate_peer peer;
    char extra[256];
    char *request;
    char *answer;

    if (answers[_i].good) {
        peer = deflate_connect(&end, "back", answers[_i].answer);
        deflate_transparently(&peer);
        talk(peer.ws, harness_scale(100000, 3000));
        deflate_finish(&end, &peer);
        deflate_stop(&end);
        return;
    }
    snprintf(extra, sizeof extra, "Sec-WebSocket-Extensions: %s\r\n", answers[_i].answer);
    client_begin(end.loop, &client);
    peer.ws = ws_accept(end.listener);
    request = ws_receive_request(peer.ws);
    answer = ws_acceptance(request, "back", extra);
    ws_send_text(peer.ws, answer);
    server_wait(end.loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 1);
    ck_assert_uint_gt(server_record(end.loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 0)->len, 10);
    ck_assert_uint_eq(server_count(end.loop, LWS_CALLBACK_CLIENT_ESTABLISHED), 0);
    ws_free(peer.ws);
    free(answer);
    free(request);
    deflate_stop(&end);
}
END_TEST

/* An answer to what was not offered, because the context does not have it. */
START_TEST(client_without_the_extension_refuses_it)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port, .protocol = "chat"};
    struct ws_client *peer;
    char *request;
    char *answer;

    if (!harness_deflate()) {
        client_begin(loop, &client);
        peer = ws_accept(server);
        request = ws_receive_request(peer);
        ck_assert_ptr_null(strstr(request, "Extensions"));
        answer = ws_acceptance(request, "chat", "Sec-WebSocket-Extensions: " PMD "\r\n");
        ws_send_text(peer, answer);
        server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 1);
        ws_free(peer);
        free(answer);
        free(request);
    }
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Settings that are out of range. */
static const struct lws_context_extras bad_settings[] = {
    {.deflate_level = 10},
    {.deflate_level = -1},
    {.deflate_memory_level = 10},
    {.deflate_memory_level = -1},
    {.deflate_takeover = 4},
    {.deflate_takeover = 0x80000001u},
    {.deflate_send_window_bits = 7},
    {.deflate_send_window_bits = 16},
    {.deflate_send_window_bits = -15},
    {.deflate_receive_window_bits = 7},
    {.deflate_receive_window_bits = 16},
    {.deflate_receive_window_bits = 8 + 256},
};

START_TEST(says_what_is_out_of_range)
{
    struct server_options options = {.deflate = true, .may_fail = true, .extras = bad_settings[_i]};
    struct server *server = server_start(&options);

    ck_assert_ptr_null(server_context(server));
    ck_assert_msg(strstr(server_error(server), "deflate_") != NULL, "\"%s\"", server_error(server));
    server_stop(server);
}
END_TEST

static const struct lws_context_extras good_settings[] = {
    {.deflate_level = 1, .deflate_memory_level = 1, .deflate_threshold = 1},
    {.deflate_level = 9, .deflate_memory_level = 9, .deflate_threshold = 1},
    {.deflate_level = 1, .deflate_memory_level = 9, .deflate_send_window_bits = 8},
    {.deflate_level = 9, .deflate_memory_level = 1, .deflate_send_window_bits = 8},
    {.deflate_takeover = KEEP, .deflate_level = 3, .deflate_memory_level = 2},
};

START_TEST(works_at_each_end_of_the_range)
{
    struct server_options options = {.extras = good_settings[_i]};
    struct deflate_end end = deflate_start(ROLE_SERVER, &options);
    struct deflate_peer peer = deflate_connect(&end, "back", PMD CLIENT_ANY);

    deflate_transparently(&peer);
    talk(peer.ws, harness_scale(300000, 3000));
    deflate_finish(&end, &peer);
    deflate_stop(&end);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

Suite *deflate_negotiation_suite(void)
{
    Suite *suite = suite_create("deflate negotiation");
    TCase *servers = harness_case("servers");
    TCase *clients = harness_case("clients");
    TCase *settings = harness_case("settings");

    tcase_add_loop_test(servers, server_answers, 0, COUNT(offers));
    tcase_add_loop_test(
        servers, server_does_not_agree_on_what_is_malformed, 0, COUNT(malformed_offers));
    tcase_add_test(servers, server_without_the_extension_does_not_answer);
    suite_add_tcase(suite, servers);

    tcase_add_loop_test(clients, client_offers, 0, COUNT(proposals));
    tcase_add_loop_test(clients, client_looks_at_the_answer, 0, COUNT(answers));
    tcase_add_test(clients, client_without_the_extension_refuses_it);
    suite_add_tcase(suite, clients);

    tcase_add_loop_test(settings, says_what_is_out_of_range, 0, COUNT(bad_settings));
    tcase_add_loop_test(settings, works_at_each_end_of_the_range, 0, COUNT(good_settings));
    suite_add_tcase(suite, settings);
    return suite;
}
