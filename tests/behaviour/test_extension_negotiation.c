/* Which extensions a server and a client agree on, and what they say about it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "extension_ground.h"
#include "suites.h"

/* --- What a server answers to a raw client */

/* The parameters that an offer had, as "name=value" or "name", each behind a blank. */
static void note_parameters(const struct lws_extension_negotiation *negotiation)
{
    for (size_t i = 0; i < negotiation->parameter_count; i++) {
        const struct lws_extension_parameter *parameter = &negotiation->parameters[i];

        if (parameter->value == NULL)
            probe_note(" %s", parameter->name);
        else
            probe_note(" %s=<%s>", parameter->name, parameter->value);
    }
}

static bool is_construct(enum libwebsocket_extension_callback_reasons reason)
{
    return reason == LWS_EXT_CALLBACK_CONSTRUCT || reason == LWS_EXT_CALLBACK_CLIENT_CONSTRUCT;
}

/* Declines what has a parameter "no"; answers with the number of parameters otherwise. */
static int judge(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_negotiation *negotiation = in;
    char number[24];

    (void)wsi;
    (void)session;
    (void)len;
    if (!is_construct(reason))
        return 0;
    probe_note("[%s:", probe->name);
    note_parameters(negotiation);
    probe_note("]");
    for (size_t i = 0; i < negotiation->parameter_count; i++) {
        if (strcmp(negotiation->parameters[i].name, "no") == 0)
            return 1;
        if (strcmp(negotiation->parameters[i].name, "never") == 0)
            return -1;
    }
    if (negotiation->parameter_count > 0 && reason == LWS_EXT_CALLBACK_CONSTRUCT) {
        snprintf(number, sizeof number, "%zu", negotiation->parameter_count);
        ck_assert_int_eq(lws_extension_add_parameter(negotiation, "taken", number), 0);
    }
    return 0;
}

/* What a raw client offers with `lines`, what extensions hear of it, and what the answer is. */
static const struct offer_case {
    const char *lines;
    const char *heard;
    const char *answer;
} offers[] = {
    {NULL, "", NULL},
    {"Sec-WebSocket-Extensions: x-one\r\n", "[x-one:]", "x-one"},
    {"Sec-WebSocket-Extensions: x-unknown\r\n", "", NULL},
    {"Sec-WebSocket-Extensions: x-unknown, x-one, y;x=1\r\n", "[x-one:]", "x-one"},
    /* The client's order is the one that counts. */
    {"Sec-WebSocket-Extensions: x-two, x-one\r\n", "[x-two:][x-one:]", "x-two, x-one"},
    {"Sec-WebSocket-Extensions: x-one; a; b=2; c=\"3\"\r\n", "[x-one: a b=<2> c=<3>]",
        "x-one; taken=3"},
    {"Sec-WebSocket-Extensions: x-one;a=\"q\\uo\\ted\"\r\n", "[x-one: a=<quoted>]",
        "x-one; taken=1"},
    {"Sec-WebSocket-Extensions:  x-one ; a = 1 ,\t x-two\r\n", "[x-one: a=<1>][x-two:]",
        "x-one; taken=1, x-two"},
    /* The first alternative is declined. */
    {"Sec-WebSocket-Extensions: x-one; no, x-one; yes\r\n", "[x-one: no][x-one: yes]",
        "x-one; taken=1"},
    {"Sec-WebSocket-Extensions: x-one; no, x-two, x-one; never, x-one\r\n",
        "[x-one: no][x-two:][x-one: never][x-one:]", "x-two, x-one"},
    {"Sec-WebSocket-Extensions: x-one; no, x-one; never\r\n", "[x-one: no][x-one: never]", NULL},
    /* What has been agreed on is not asked about again. */
    {"Sec-WebSocket-Extensions: x-one, x-one; a, x-one\r\n", "[x-one:]", "x-one"},
    /* Several fields are one list. */
    {"Sec-WebSocket-Extensions: x-one; no\r\nSec-WebSocket-Extensions: x-two; a, x-one; b\r\n",
        "[x-one: no][x-two: a][x-one: b]", "x-two; taken=1, x-one; taken=1"},
    /* Names are told from each other by case as well. */
    {"Sec-WebSocket-Extensions: X-One\r\n", "", NULL},
    {"Sec-WebSocket-Extensions: x-one; a; a=1; a\r\n", "[x-one: a a=<1> a]", "x-one; taken=3"},
};

START_TEST(answers_an_offer)
{
    const struct offer_case *offer = &offers[_i];
    struct server *loop;
    struct ws_client *client;
    char *answer;

    for (int i = 0; i < 2; i++)
        probes[i].hook = judge;
    give_probes(2);
    loop = pair_start(NULL);
    client = raw_open(loop, offer->lines, &answer);
    if (offer->answer == NULL)
        ck_assert_ptr_null(answer);
    else
        ck_assert_str_eq(answer, offer->answer);
    ws_send_frame(client, WS_FIN | WS_TEXT, "works", 5);
    pair_expect(loop, SERVER_SIDE, 0, "works", 5);
    ws_finish(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    pair_stop(loop);
    ck_assert_str_eq(probe_notes, offer->heard);
    free(answer);
}
END_TEST

/* --- What the program allows */

static const char *vetoed;
static void *session_of_veto;
static unsigned int asked;

static int veto(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)len;
    if (reason == LWS_CALLBACK_ESTABLISHED && session_of_veto != NULL)
        ck_assert_ptr_eq(user, session_of_veto);
    if (reason != LWS_CALLBACK_CONFIRM_EXTENSION_OKAY &&
        reason != LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED)
        return 0;
    asked++;
    if (reason == LWS_CALLBACK_CONFIRM_EXTENSION_OKAY) {
        ck_assert_ptr_nonnull(user);
        for (int i = 0; i < 16; i++)
            ck_assert_uint_eq(((unsigned char *)user)[i], 0);
        session_of_veto = user;
    }
    return vetoed != NULL && strcmp(in, vetoed) == 0;
}

START_TEST(asks_the_servers_program)
{
    struct server *loop;
    struct ws_client *client;
    char *answer;

    vetoed = "x-one";
    pair_hook = veto;
    pair_protocols[PROTOCOL_PAIR].per_session_data_size = 16;
    give_probes(2);
    loop = pair_start(NULL);
    client = raw_open(
        loop, "Sec-WebSocket-Extensions: x-one; a=1, x-unknown, x-two, x-one\r\n", &answer);
    ck_assert_str_eq(answer, "x-two");
    ck_assert_uint_eq(probe_count(loop, &probes[0], LWS_EXT_CALLBACK_CONSTRUCT), 0);
    ck_assert_uint_eq(probe_count(loop, &probes[1], LWS_EXT_CALLBACK_CONSTRUCT), 1);
    /* Once for each that it has, and not for those it has not. */
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CONFIRM_EXTENSION_OKAY), 2);
    ws_finish(client);
    ws_free(client);
    pair_stop(loop);
    free(answer);
}
END_TEST

/* --- What a client offers to a raw server */

/* A client of this library, whose request a raw server has received. */
struct offering {
    struct server *loop;
    struct ws_server *server;
    struct ws_client *peer;
    struct client client;
    char *request;
};

static struct offering offering_begin(callback_function *hook)
{
    struct server_options options = {.adjust = give_extensions};
    struct offering offering = {.client = {.protocol = "chat"}};

    client_hook = hook;
    offering.loop = client_start(&options);
    offering.server = ws_listen(NULL, 0);
    offering.client.port = offering.server->port;
    client_begin(offering.loop, &offering.client);
    offering.peer = ws_accept(offering.server);
    offering.request = ws_receive_request(offering.peer);
    return offering;
}

static void offering_answer(struct offering *offering, const char *lines)
{
    char *answer = ws_acceptance(offering->request, "chat", lines);

    ws_send_text(offering->peer, answer);
    free(answer);
}

static void offering_end(struct offering *offering)
{
    free(offering->request);
    server_stop(offering->loop);
    ws_free(offering->peer);
    ws_server_free(offering->server);
    probes_expect_balance();
}

static void expect_offer(const struct offering *offering, const char *expected)
{
    char *offer = ws_head_field(offering->request, "Sec-WebSocket-Extensions");

    if (expected == NULL) {
        ck_assert_ptr_null(offer);
    } else {
        ck_assert_ptr_nonnull(offer);
        ck_assert_str_eq(offer, expected);
    }
    free(offer);
}

START_TEST(offers_in_the_order_of_the_array)
{
    struct offering offering;

    give_probes(PROBES);
    offering = offering_begin(NULL);
    expect_offer(&offering, "x-one, x-two, x-three");
    /* It may decide otherwise; and then it is the server's order that counts. */
    offering_answer(&offering, "Sec-WebSocket-Extensions: x-three\r\n"
                               "Sec-WebSocket-Extensions: x-one; a=\"b\\c\"\r\n");
    server_wait(offering.loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    ck_assert_uint_eq(probe_count(offering.loop, &probes[0], LWS_EXT_CALLBACK_CLIENT_CONSTRUCT), 1);
    ck_assert_uint_eq(probe_count(offering.loop, &probes[1], LWS_EXT_CALLBACK_CLIENT_CONSTRUCT), 0);
    ck_assert_uint_eq(probe_count(offering.loop, &probes[2], LWS_EXT_CALLBACK_CLIENT_CONSTRUCT), 1);
    client_finish(offering.loop, offering.peer);
    offering.peer = NULL;
    offering_end(&offering);
}
END_TEST

START_TEST(asks_the_clients_program)
{
    struct offering offering;

    vetoed = _i == 0 ? "x-two" : NULL;
    give_probes(_i == 0 ? 2 : 1);
    offering = offering_begin(veto);
    expect_offer(&offering, "x-one");
    ck_assert_uint_eq(asked, _i == 0 ? 2 : 1);
    offering_answer(&offering, "Sec-WebSocket-Extensions: x-two\r\n");
    client_expect_error(offering.loop, 0, "not offered");
    offering_end(&offering);
}
END_TEST

static int against_two(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)wsi;
    (void)session;
    (void)len;
    if (reason != LWS_EXT_CALLBACK_CHECK_OK_TO_PROPOSE_EXTENSION)
        return 0;
    probe_note("[%s: %s]", probe->name, (char *)in);
    return probe == &probes[2] && strcmp(in, "x-two") == 0;
}

START_TEST(asks_all_what_may_be_proposed)
{
    struct offering offering;

    for (int i = 0; i < PROBES; i++)
        probes[i].hook = against_two;
    give_probes(PROBES);
    offering = offering_begin(NULL);
    expect_offer(&offering, "x-one, x-three");
    offering_answer(&offering, NULL);
    server_wait(offering.loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(offering.loop, offering.peer);
    offering.peer = NULL;
    offering_end(&offering);
    ck_assert_str_eq(probe_notes, "[x-one: x-one][x-two: x-one][x-three: x-one]"
                                  "[x-one: x-two][x-two: x-two][x-three: x-two]"
                                  "[x-one: x-three][x-two: x-three][x-three: x-three]");
}
END_TEST

/* Two alternatives, and none at all. */
static int alternatives(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_negotiation *negotiation = in;

    (void)wsi;
    (void)session;
    (void)len;
    if (reason != LWS_EXT_CALLBACK_OFFER)
        return 0;
    if (probe == &probes[1])
        return -1;
    if (negotiation->alternative == 0) {
        ck_assert_int_eq(lws_extension_add_parameter(negotiation, "bits", "12"), 0);
        ck_assert_int_eq(lws_extension_add_parameter(negotiation, "quick", NULL), 0);
        return 1;
    }
    ck_assert_uint_eq(negotiation->alternative, 1);
    return 0;
}

START_TEST(offers_alternatives)
{
    struct offering offering;

    probes[0].hook = alternatives;
    probes[1].hook = alternatives;
    give_probes(PROBES);
    offering = offering_begin(NULL);
    expect_offer(&offering, "x-one; bits=12; quick, x-one, x-three");
    offering_answer(&offering, "Sec-WebSocket-Extensions: x-two\r\n");
    client_expect_error(offering.loop, 0, "not offered");
    offering_end(&offering);
}
END_TEST

/* Answers that fail a client, and the words they fail it with. */
static const struct {
    const char *answer;
    const char *why;
} wrong_answers[] = {
    {"x-unknown", "not offered"},
    {"X-One", "not offered"},
    {"x-one, x-one", "not offered"},
    {"x-one, x-two, x-four", "not offered"},
    {"x-one; no", "in a way that was not offered"},
    {"x-two, x-one; never", "in a way that was not offered"},
    {"x-one;", "not a list"},
    {"x-one, ;", "not a list"},
    {"x-one; a=\"", "not a list"},
    {"x-one; a=\"two words\"", "not a list"},
    {"=", "not a list"},
};

START_TEST(refuses_a_wrong_answer)
{
    struct offering offering;
    char line[256];

    for (int i = 0; i < 2; i++)
        probes[i].hook = judge;
    give_probes(2);
    offering = offering_begin(NULL);
    snprintf(line, sizeof line, "Sec-WebSocket-Extensions: %s\r\n", wrong_answers[_i].answer);
    offering_answer(&offering, line);
    client_expect_error(offering.loop, 0, wrong_answers[_i].why);
    ck_assert_uint_eq(server_count(offering.loop, LWS_CALLBACK_CLIENT_ESTABLISHED), 0);
    offering_end(&offering);
}
END_TEST

static const char *const malformed[] = {"x-one;", ",;", "x-one; a=", "x-one a", "x-one; a=\"",
    "x-one; a=\"b c\"", "x-one; =b", "x/one", "x-one; a=\"\""};

START_TEST(refuses_what_is_no_list)
{
    struct server *loop;
    struct ws_client *client;
    struct ws_response response;
    char lines[128];
    char *request;

    give_probes(1);
    loop = pair_start(NULL);
    client = ws_connect(server_port(loop));
    snprintf(lines, sizeof lines, "Sec-WebSocket-Extensions: %s\r\n", malformed[_i]);
    request = ws_handshake_text("/", "pair", lines);
    ws_send_text(client, request);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 400);
    ws_response_free(&response);
    ws_free(client);
    pair_stop(loop);
    ck_assert_uint_eq(probe_counted(&probes[0], LWS_EXT_CALLBACK_CONSTRUCT), 0);
    free(request);
}
END_TEST

/* --- Reserved bits */

START_TEST(leaves_out_who_wants_a_bit_that_is_taken)
{
    struct server *loop;
    struct ws_client *client;
    char *answer;

    probes[0].reserved_bits = 0x40;
    probes[1].reserved_bits = 0x60;
    probes[2].reserved_bits = 0x10;
    give_probes(PROBES);
    loop = pair_start(NULL);
    client = raw_open(loop, "Sec-WebSocket-Extensions: x-one, x-two, x-three\r\n", &answer);
    ck_assert_str_eq(answer, "x-one, x-three");
    ck_assert_uint_eq(probe_count(loop, &probes[1], LWS_EXT_CALLBACK_CONSTRUCT), 1);
    ck_assert_uint_eq(probe_count(loop, &probes[1], LWS_EXT_CALLBACK_DESTROY), 1);
    ck_assert_uint_eq(probe_count(loop, &probes[1], LWS_EXT_CALLBACK_HANDSHAKE_REPLY_TX), 0);
    /* Those of the others may be used, and no others. */
    ws_send_frame(client, WS_FIN | WS_TEXT | WS_RSV1 | WS_RSV3, "marked", 6);
    pair_expect(loop, SERVER_SIDE, 0, "marked", 6);
    ck_assert_uint_eq(ends[SERVER_SIDE].messages[0].reserved_bits, 0x50);
    ws_send_frame(client, WS_FIN | WS_TEXT | WS_RSV2, "marked", 6);
    ws_expect_close(client, 1002);
    ws_expect_eof(client);
    ws_free(client);
    pair_stop(loop);
    free(answer);
}
END_TEST

START_TEST(fails_a_client_where_a_bit_is_taken)
{
    struct offering offering;

    probes[0].reserved_bits = 0x20;
    probes[1].reserved_bits = 0x20;
    give_probes(2);
    offering = offering_begin(NULL);
    offering_answer(&offering, "Sec-WebSocket-Extensions: x-one, x-two\r\n");
    client_expect_error(offering.loop, 0, "extension");
    offering_end(&offering);
    ck_assert_uint_eq(probe_counted(&probes[0], LWS_EXT_CALLBACK_DESTROY), 1);
    ck_assert_uint_eq(probe_counted(&probes[1], LWS_EXT_CALLBACK_DESTROY), 1);
}
END_TEST

/* --- Parameters that are none */

static const char *const wrong_parameters[][2] = {{"", NULL}, {"a b", NULL}, {"a", ""},
    {"a", "b c"}, {"a", "\"b\""}, {"a=b", NULL}, {"a;b", "c"}, {"a", "b,c"}, {"\xc3\xa4", NULL},
    {NULL, NULL}, {NULL, "b"}};

static int add_wrong(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_negotiation *negotiation = in;
    char longest[600];

    (void)probe;
    (void)wsi;
    (void)session;
    (void)len;
    if (reason != LWS_EXT_CALLBACK_OFFER && !is_construct(reason))
        return 0;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    errno = 0;
    ck_assert_int_eq(lws_extension_add_parameter(negotiation, "good", "1"),
        reason == LWS_EXT_CALLBACK_CLIENT_CONSTRUCT ? -1 : 0);
    if (reason == LWS_EXT_CALLBACK_CLIENT_CONSTRUCT) {
        ck_assert_int_eq(errno, EINVAL);
        return 0;
    }
    for (size_t i = 0; i < sizeof wrong_parameters / sizeof wrong_parameters[0]; i++) {
        errno = 0;
        ck_assert_int_eq(lws_extension_add_parameter(
                             negotiation, wrong_parameters[i][0], wrong_parameters[i][1]),
            -1);
        ck_assert_int_eq(errno, EINVAL);
    }
    errno = 0;
    ck_assert_int_eq(lws_extension_add_parameter(NULL, "a", NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    for (size_t i = 0; i < 2; i++) {
        errno = 0;
        ck_assert_int_eq(lws_extension_add_parameter(
                             negotiation, i == 0 ? longest : "a", i == 0 ? NULL : longest),
            -1);
        ck_assert_int_eq(errno, EMSGSIZE);
    }
    /* What did not fit has left nothing behind, and less still fits. */
    ck_assert_int_eq(lws_extension_add_parameter(negotiation, "last", longest + 200), 0);
    ck_assert_int_eq(lws_extension_add_parameter(negotiation, "more", longest + 400), -1);
    return 0;
}

START_TEST(takes_only_good_parameters)
{
    char expected[1024];
    struct server *loop;
    char *answer;
    struct ws_client *client;
    struct offering offering;
    char xs[400];

    memset(xs, 'x', sizeof xs - 1);
    xs[sizeof xs - 1] = '\0';
    snprintf(expected, sizeof expected, "x-one; good=1; last=%s", xs);
    probes[0].hook = add_wrong;
    give_probes(1);
    if (_i == 0) {
        loop = pair_start(NULL);
        client = raw_open(loop, "Sec-WebSocket-Extensions: x-one\r\n", &answer);
        ck_assert_str_eq(answer, expected);
        ws_finish(client);
        ws_free(client);
        pair_stop(loop);
        free(answer);
        return;
    }
    offering = offering_begin(NULL);
    expect_offer(&offering, expected);
    offering_answer(&offering, "Sec-WebSocket-Extensions: x-one\r\n");
    server_wait(offering.loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(offering.loop, offering.peer);
    offering.peer = NULL;
    offering_end(&offering);
}
END_TEST

/* --- Between this library's two ends */

static void look(struct server *loop, void *argument)
{
    (void)loop;
    (void)argument;
    for (int side = 0; side < SIDES; side++) {
        struct libwebsocket *wsi = ends[side].wsi;

        ck_assert_int_eq(lws_extension_is_active(wsi, "x-one"), 1);
        ck_assert_int_eq(lws_extension_is_active(wsi, "x-two"), 0);
        ck_assert_int_eq(lws_extension_is_active(wsi, "x-three"), 1);
        ck_assert_int_eq(lws_extension_is_active(wsi, "X-one"), 0);
        ck_assert_int_eq(lws_extension_is_active(wsi, ""), 0);
        ck_assert_int_eq(lws_extension_is_active(wsi, NULL), 0);
    }
    ck_assert_int_eq(lws_extension_is_active(NULL, "x-one"), 0);
}

START_TEST(agrees_with_itself)
{
    struct server *loop;

    vetoed = "x-two";
    pair_hook = veto;
    pair_protocols[PROTOCOL_PAIR].per_session_data_size = 16;
    give_probes(PROBES);
    loop = pair_start(NULL);
    pair_connect(loop);
    server_run(loop, look, NULL);
    pair_carry(loop, SERVER_SIDE, "there", 5, LWS_WRITE_TEXT);
    pair_carry(loop, CLIENT_SIDE, "and back", 8, LWS_WRITE_BINARY);
    pair_finish(loop);
}
END_TEST

Suite *extension_negotiation_suite(void)
{
    Suite *suite = suite_create("extension negotiation");
    TCase *server = harness_case("server");
    TCase *client = harness_case("client");
    TCase *both = harness_case("both");

    tcase_add_loop_test(server, answers_an_offer, 0, (int)(sizeof offers / sizeof offers[0]));
    tcase_add_test(server, asks_the_servers_program);
    tcase_add_loop_test(
        server, refuses_what_is_no_list, 0, (int)(sizeof malformed / sizeof malformed[0]));
    tcase_add_test(server, leaves_out_who_wants_a_bit_that_is_taken);
    suite_add_tcase(suite, server);
    tcase_add_test(client, offers_in_the_order_of_the_array);
    tcase_add_loop_test(client, asks_the_clients_program, 0, 2);
    tcase_add_test(client, asks_all_what_may_be_proposed);
    tcase_add_test(client, offers_alternatives);
    tcase_add_loop_test(
        client, refuses_a_wrong_answer, 0, (int)(sizeof wrong_answers / sizeof wrong_answers[0]));
    tcase_add_test(client, fails_a_client_where_a_bit_is_taken);
    suite_add_tcase(suite, client);
    tcase_add_loop_test(both, takes_only_good_parameters, 0, 2);
    tcase_add_test(both, agrees_with_itself);
    suite_add_tcase(suite, both);
    return suite;
}
