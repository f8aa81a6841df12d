/* From the beginning of extensions to their end, on every path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "extension_ground.h"
#include "suites.h"

/* --- Contexts */

START_TEST(begins_and_ends_with_the_context)
{
    struct server_options options = {.no_listener = _i == 1};
    struct server *loop;
    unsigned int begun = _i == 0 ? LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT
                                 : LWS_EXT_CALLBACK_CLIENT_CONTEXT_CONSTRUCT;

    give_probes(2);
    loop = pair_start(&options);
    pair_stop(loop);
    for (int i = 0; i < 2; i++) {
        for (unsigned int reason = 0; reason < PROBE_REASONS - 1; reason++) {
            unsigned int expected =
                reason == begun || reason == begun + LWS_EXT_CALLBACK_SERVER_CONTEXT_DESTRUCT;

            ck_assert_uint_eq(probes[i].counts[reason], expected);
        }
    }
}
END_TEST

static int refuse_to_begin(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)wsi;
    (void)session;
    (void)in;
    (void)len;
    probe_note("%s%d ", probe->name, (int)reason);
    return probe == &probes[1] && reason <= LWS_EXT_CALLBACK_CLIENT_CONTEXT_CONSTRUCT ? -1 : 0;
}

START_TEST(may_refuse_to_begin)
{
    struct server_options options = {.may_fail = true, .no_listener = _i == 1};
    struct server *loop;

    for (int i = 0; i < PROBES; i++)
        probes[i].hook = refuse_to_begin;
    give_probes(PROBES);
    loop = pair_start(&options);
    ck_assert_ptr_null(server_context(loop));
    ck_assert_ptr_nonnull(strstr(server_error(loop), "x-two"));
    pair_stop(loop);
    ck_assert_str_eq(probe_notes, _i == 0 ? "x-one0 x-two0 x-one2 " : "x-one1 x-two1 x-one3 ");
}
END_TEST

/* Memory of each context's own, in the place where the program's array has a mark. */
static char the_mark;
static unsigned int owned;

static int own(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    struct libwebsocket_context **mine = ext->per_context_private_data;

    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT) {
        ck_assert_ptr_eq(ext->per_context_private_data, &the_mark);
        mine = malloc(sizeof(struct libwebsocket_context *));
        ck_assert_ptr_nonnull(mine);
        *mine = context;
        ext->per_context_private_data = mine;
        owned++;
        return 0;
    }
    ck_assert_ptr_eq(*mine, context);
    if (reason == LWS_EXT_CALLBACK_SERVER_CONTEXT_DESTRUCT) {
        free(mine);
        ext->per_context_private_data = NULL;
        owned--;
    }
    return 0;
}

START_TEST(has_memory_in_each_context)
{
    /* Freed as soon as it has been read. */
    struct libwebsocket_extension *elements = calloc(2, sizeof *elements);
    static struct libwebsocket_protocols protocols[2][2];
    struct server_options options = {.adjust = give_extensions};
    struct server *loops[2];
    struct ws_client *clients[2];

    ck_assert_ptr_nonnull(elements);
    elements[0] = (struct libwebsocket_extension){
        .name = "x-own", .callback = own, .per_context_private_data = &the_mark};
    given_extensions = elements;
    for (int i = 0; i < 2; i++) {
        protocols[i][0] = default_protocols[PROTOCOL_ECHO];
        options.protocols = protocols[i];
        loops[i] = server_start(&options);
        ck_assert_ptr_eq(elements[0].per_context_private_data, &the_mark);
    }
    free(elements);
    ck_assert_uint_eq(owned, 2);
    for (int i = 0; i < 2; i++) {
        char *request = ws_handshake_text("/", "echo", "Sec-WebSocket-Extensions: x-own\r\n");
        struct ws_response response;
        char *answer;

        clients[i] = ws_connect(server_port(loops[i]));
        ws_send_text(clients[i], request);
        response = ws_receive_head(clients[i]);
        answer = ws_response_field(&response, "Sec-WebSocket-Extensions");
        ck_assert_str_eq(answer, "x-own");
        free(answer);
        ws_response_free(&response);
        free(request);
    }
    for (int i = 0; i < 2; i++) {
        ws_send_frame(clients[i], WS_FIN | WS_TEXT, "mine", 4);
        ws_expect_text(clients[i], "mine");
        ws_finish(clients[i]);
        ws_free(clients[i]);
    }
    for (int i = 0; i < 2; i++)
        server_stop(loops[i]);
    ck_assert_uint_eq(owned, 0);
}
END_TEST

/* --- Arrays that make no sense */

static const char *const wrong_names[] = {NULL, "", "two words", "semi;colon", "x-one", "\xc3\xa4",
    "a-name-that-goes-on-and-on-until-it-has-more-than-sixty-four-letters"};

/* So many of which nothing is wrong. */
static void give_many(unsigned int count)
{
    static struct libwebsocket_extension elements[40];
    static struct probe more[40];
    static char names[40][16];

    for (unsigned int i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "x-%u", i);
        more[i].name = names[i];
        elements[i] = (struct libwebsocket_extension){
            .name = names[i], .callback = probe_callback, .per_context_private_data = &more[i]};
    }
    given_extensions = elements;
}

enum { WRONG_NAMES = sizeof wrong_names / sizeof wrong_names[0], EXTENSIONS_MOST = 32 };

START_TEST(refuses_a_wrong_array)
{
    struct server_options options = {.may_fail = true};
    struct server *loop;

    if (_i < WRONG_NAMES) {
        give_probes(2);
        given_extensions[1].name = wrong_names[_i];
    } else {
        give_many((unsigned int)(EXTENSIONS_MOST + _i - WRONG_NAMES));
    }
    loop = pair_start(&options);
    if (_i == WRONG_NAMES) {
        ck_assert_ptr_nonnull(server_context(loop));
    } else {
        ck_assert_ptr_null(server_context(loop));
        ck_assert_uint_gt(strlen(server_error(loop)), 0);
    }
    pair_stop(loop);
    ck_assert_uint_eq(probe_counted(&probes[0], LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT), 0);
}
END_TEST

/* --- The end, in each callback and by each of the ways to it */

enum way { DESTROYS, CLOSES, CLOSES_BOTH, WAYS };

static enum way way;
static enum libwebsocket_extension_callback_reasons where;
static bool at_the_client;
static unsigned int times;

static void end_it(struct libwebsocket *wsi)
{
    if (way == DESTROYS) {
        server_destroy_context(server_here());
        return;
    }
    (void)lws_close(wsi, 4001, "over", 4);
    if (way == CLOSES_BOTH) {
        for (int side = 0; side < SIDES; side++)
            (void)lws_close(ends[side].wsi, 4002, "both", 4);
    }
}

static int end_inside(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)session;
    (void)in;
    (void)len;
    if (probe != &probes[1] || reason != where || times > 0 ||
        server_context(server_here()) == NULL)
        return 0;
    if (session != NULL && session->probe != NULL && session->is_client != at_the_client)
        return 0;
    times++;
    end_it(wsi);
    return 0;
}

static const enum libwebsocket_extension_callback_reasons places[] = {
    LWS_EXT_CALLBACK_CONSTRUCT,
    LWS_EXT_CALLBACK_CLIENT_CONSTRUCT,
    LWS_EXT_CALLBACK_CHECK_OK_TO_REALLY_CLOSE,
    LWS_EXT_CALLBACK_CHECK_OK_TO_PROPOSE_EXTENSION,
    LWS_EXT_CALLBACK_DESTROY,
    LWS_EXT_CALLBACK_DESTROY_ANY_WSI_CLOSING,
    LWS_EXT_CALLBACK_ANY_WSI_ESTABLISHED,
    LWS_EXT_CALLBACK_PACKET_RX_PREPARSE,
    LWS_EXT_CALLBACK_PACKET_TX_PRESEND,
    LWS_EXT_CALLBACK_PACKET_TX_DO_SEND,
    LWS_EXT_CALLBACK_HANDSHAKE_REPLY_TX,
    LWS_EXT_CALLBACK_FLUSH_PENDING_TX,
    LWS_EXT_CALLBACK_1HZ,
    LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE,
    LWS_EXT_CALLBACK_IS_WRITEABLE,
    LWS_EXT_CALLBACK_PAYLOAD_TX,
    LWS_EXT_CALLBACK_PAYLOAD_RX,
    LWS_EXT_CALLBACK_OFFER,
};
enum { PLACES = sizeof places / sizeof places[0] };

/* Both write, are told WRITEABLE, and close in the end. */
static int talk(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_ESTABLISHED || reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        (void)send_text(wsi, "first");
        (void)libwebsocket_callback_on_writable(context, wsi);
    }
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE || reason == LWS_CALLBACK_CLIENT_WRITEABLE)
        (void)send_text(wsi, "second");
    return 0;
}

static bool has_ended(struct server *loop, void *argument)
{
    (void)argument;
    if (server_context(loop) == NULL)
        return true;
    for (int side = 0; side < SIDES; side++) {
        if (ends[side].wsi != NULL)
            return false;
    }
    return server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR) +
               server_count(loop, LWS_CALLBACK_CLOSED) >
           0;
}

static bool has_come(struct server *loop, void *argument)
{
    (void)argument;
    return times > 0 || (ends[SERVER_SIDE].count >= 2 && ends[CLIENT_SIDE].count >= 2) ||
           has_ended(loop, NULL);
}

static void close_what_is_left(struct server *loop, void *argument)
{
    (void)argument;
    for (int side = 0; side < SIDES && server_context(loop) != NULL; side++) {
        if (ends[side].wsi != NULL)
            (void)lws_close(ends[side].wsi, 1000, NULL, 0);
    }
}

static void connect_here(struct server *loop, void *argument)
{
    (void)loop;
    client_begin_here(argument);
}

static bool seconds_have_come(struct server *loop, void *argument)
{
    (void)argument;
    return times > 0 || has_ended(loop, NULL);
}

START_TEST(ends_inside)
{
    struct server_options options = {.extras = {.close_timeout_ms = 500}};
    struct client client = {.protocol = "pair"};
    struct server *loop;

    where = places[_i / WAYS / 2];
    way = (enum way)(_i % WAYS);
    at_the_client = _i / WAYS % 2 == 1;
    for (int i = 0; i < PROBES; i++)
        probes[i].hook = end_inside;
    pair_hook = talk;
    give_probes(PROBES);
    loop = pair_start(&options);
    client.port = server_port(loop);
    server_run(loop, connect_here, &client);
    server_wait_until(loop, has_come, NULL);
    if (where == LWS_EXT_CALLBACK_1HZ)
        server_wait_until(loop, seconds_have_come, NULL);
    server_run(loop, close_what_is_left, NULL);
    server_wait_until(loop, has_ended, NULL);
    pair_stop(loop);
}
END_TEST

/* --- Handshakes that fail behind CONSTRUCT */

static int refuse_client(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    return reason == LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH;
}

START_TEST(ends_where_the_client_is_refused)
{
    struct server *loop;
    struct client client = {.protocol = "pair"};

    pair_hook = refuse_client;
    give_probes(PROBES);
    loop = pair_start(NULL);
    client.port = server_port(loop);
    client_begin(loop, &client);
    client_expect_error(loop, 0, "rejected");
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    pair_stop(loop);
    for (int i = 0; i < PROBES; i++) {
        ck_assert_uint_eq(probe_counted(&probes[i], LWS_EXT_CALLBACK_CLIENT_CONSTRUCT), 1);
        ck_assert_uint_eq(probe_counted(&probes[i], LWS_EXT_CALLBACK_DESTROY), 2);
    }
}
END_TEST

static int refuse_all(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    return reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION;
}

/* By the program, and for what is wrong with it. */
START_TEST(does_not_begin_where_the_handshake_is_refused)
{
    struct server *loop;
    struct ws_client *client;
    struct ws_response response;
    char *request;

    pair_hook = _i == 0 ? refuse_all : NULL;
    give_probes(PROBES);
    loop = pair_start(NULL);
    client = ws_connect(server_port(loop));
    request = ws_handshake_text("/", _i == 1 ? "nothing-of-the-kind" : "pair",
        "Sec-WebSocket-Extensions: x-one, x-two\r\n");
    ws_send_text(client, request);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, _i == 0 ? 403 : 400);
    ws_response_free(&response);
    ws_free(client);
    pair_stop(loop);
    ck_assert_uint_eq(probe_counted(&probes[0], LWS_EXT_CALLBACK_CONSTRUCT), 0);
    free(request);
}
END_TEST

/* The peer goes in the middle of things. */
START_TEST(ends_where_the_peer_goes)
{
    static const unsigned char half[] = {0x81, 0xfe, 0x10, 0x00, 1, 2, 3, 4, 'h', 'a', 'l', 'f'};
    struct server *loop;
    struct ws_client *client;

    give_probes(PROBES);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one, x-two, x-three");
    ws_send(client, half, _i % 2 == 0 ? sizeof half : 3);
    pair_send(loop, SERVER_SIDE, "unread", 6, LWS_WRITE_TEXT);
    if (_i < 2)
        ws_reset(client);
    else
        ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    pair_stop(loop);
    ck_assert_uint_eq(probe_counted(&probes[2], LWS_EXT_CALLBACK_DESTROY), 1);
}
END_TEST

/* --- Memory */

static void *memories[4 * PROBES];
static size_t memory_count;

static int collect(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)probe;
    (void)wsi;
    (void)in;
    (void)len;
    if (reason == LWS_EXT_CALLBACK_CONSTRUCT)
        memories[memory_count++] = session;
    return 0;
}

START_TEST(has_memory_for_each_connection)
{
    struct server *loop;
    struct ws_client *clients[4];

    for (int i = 0; i < PROBES; i++)
        probes[i].hook = collect;
    give_probes(PROBES);
    loop = pair_start(NULL);
    for (int i = 0; i < 4; i++)
        clients[i] = raw_extended(loop, "x-one, x-two, x-three");
    for (size_t i = 0; i < memory_count; i++) {
        for (size_t j = 0; j < i; j++)
            ck_assert_ptr_ne(memories[i], memories[j]);
    }
    for (int i = 0; i < 4; i++) {
        ws_finish(clients[i]);
        ws_free(clients[i]);
    }
    server_wait(loop, LWS_CALLBACK_CLOSED, 4);
    pair_stop(loop);
    ck_assert_uint_eq(memory_count, 4 * PROBES);
}
END_TEST

Suite *extension_lifetime_suite(void)
{
    Suite *suite = suite_create("extension lifetime");
    TCase *contexts = harness_case("contexts");
    TCase *connections = harness_case("connections");

    tcase_add_loop_test(contexts, begins_and_ends_with_the_context, 0, 2);
    tcase_add_loop_test(contexts, may_refuse_to_begin, 0, 2);
    tcase_add_test(contexts, has_memory_in_each_context);
    tcase_add_loop_test(
        contexts, refuses_a_wrong_array, 0, (int)(sizeof wrong_names / sizeof wrong_names[0]) + 2);
    suite_add_tcase(suite, contexts);
    tcase_add_loop_test(connections, ends_inside, 0, PLACES * WAYS * 2);
    tcase_add_test(connections, ends_where_the_client_is_refused);
    tcase_add_loop_test(connections, does_not_begin_where_the_handshake_is_refused, 0, 2);
    tcase_add_loop_test(connections, ends_where_the_peer_goes, 0, 4);
    tcase_add_test(connections, has_memory_for_each_connection);
    suite_add_tcase(suite, connections);
    return suite;
}
