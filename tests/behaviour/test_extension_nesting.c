/* An extension that is being given what has come calls the library itself. */
#include <poll.h>

#include "extension_ground.h"
#include "suites.h"

enum act { SERVES, STOPS, CLOSES, CLOSES_ANOTHER, WRITES, DESTROYS, ACTS };

static const enum libwebsocket_extension_callback_reasons reasons[] = {
    LWS_EXT_CALLBACK_PACKET_RX_PREPARSE, LWS_EXT_CALLBACK_PAYLOAD_RX};
enum { REASONS = 2, WAYS = REASONS * 2 * 2 };

/* What the test is about; the second and third for each reason. */
static enum libwebsocket_extension_callback_reasons inside;
static bool asks_for_more;
static bool uses_room;
static enum act act;

static struct libwebsocket *other;
static unsigned int acted;

static void choose(int way, enum act what)
{
    inside = reasons[way % REASONS];
    asks_for_more = (way / REASONS) % 2 != 0;
    uses_room = way / REASONS / 2 != 0;
    act = what;
}

static void serve(struct libwebsocket *wsi)
{
    struct libwebsocket_context *context = server_context(server_here());
    struct libwebsocket *both[] = {wsi, other};

    for (int i = 0; i < 2; i++) {
        struct pollfd pollfd = {
            .fd = libwebsocket_get_socket_fd(both[i]), .events = POLLIN, .revents = POLLIN};

        ck_assert_int_eq(libwebsocket_service_fd(context, &pollfd), 0);
    }
    ck_assert_int_eq(libwebsocket_service_fd(context, NULL), 0);
}

static void do_it(struct libwebsocket *wsi)
{
    acted++;
    switch (act) {
    case SERVES:
        serve(wsi);
        break;
    case STOPS:
        ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
        break;
    case CLOSES:
        ck_assert_int_eq(lws_close(wsi, 4000, "inside", 6), 0);
        break;
    case CLOSES_ANOTHER:
        ck_assert_int_eq(lws_close(other, 4001, "another", 7), 0);
        break;
    case WRITES:
        ck_assert_int_eq(send_text(wsi, "from inside"), 11);
        break;
    case DESTROYS:
        server_destroy_context(server_here());
        break;
    case ACTS:
        break;
    }
}

/* The first piece only. The bytes stay what they are; with room they are put there afterwards. */
static int from_inside(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_payload *payload = in;

    (void)probe;
    (void)session;
    (void)len;
    if (reason != inside || acted > 0)
        return 0;
    do_it(wsi);
    if (uses_room && reason == LWS_EXT_CALLBACK_PAYLOAD_RX && payload->room != NULL) {
        ck_assert_int_ge(payload->room_size, payload->data.token_len);
        memcpy(payload->room, payload->data.token, (size_t)payload->data.token_len);
        payload->data.token = payload->room;
    }
    return asks_for_more;
}

struct ground {
    struct server *loop;
    struct ws_client *client;
    struct ws_client *beside;
};

static struct ground ground_begin(void)
{
    struct ground ground;

    probes[0].hook = from_inside;
    give_probes(1);
    ground.loop = pair_start(NULL);
    ground.client = raw_extended(ground.loop, "x-one");
    ground.beside = beside_open(ground.loop);
    server_wait(ground.loop, LWS_CALLBACK_ESTABLISHED, 2);
    other = server_last_wsi(ground.loop);
    return ground;
}

static void send_message(struct ground *ground, const char *text)
{
    ws_send_frame(ground->client, WS_FIN | WS_TEXT, text, strlen(text));
}

static void ground_end(struct ground *ground, bool beside_is_well)
{
    if (beside_is_well) {
        beside_expect_well(ground->beside);
        ws_finish(ground->beside);
    }
    ws_free(ground->beside);
    ws_free(ground->client);
    pair_stop(ground->loop);
    ck_assert_uint_eq(acted, 1);
}

START_TEST(serves)
{
    struct ground ground;

    choose(_i, SERVES);
    ground = ground_begin();
    /* What the call inside may find, of this one and of the one beside it. */
    ws_send_frame(ground.beside, WS_FIN | WS_TEXT, "beside", 6);
    send_message(&ground, "one");
    send_message(&ground, "two");
    pair_expect(ground.loop, SERVER_SIDE, 0, "one", 3);
    pair_expect(ground.loop, SERVER_SIDE, 1, "two", 3);
    ws_expect_text(ground.beside, "beside");
    ws_finish(ground.client);
    ground_end(&ground, true);
}
END_TEST

static void receive_again(struct server *loop, void *argument)
{
    (void)loop;
    (void)argument;
    ck_assert_uint_eq(ends[SERVER_SIDE].count, 0);
    ck_assert_int_eq(libwebsocket_rx_flow_control(ends[SERVER_SIDE].wsi, 1), 0);
}

START_TEST(stops)
{
    struct ground ground;

    choose(_i, STOPS);
    ground = ground_begin();
    send_message(&ground, "one");
    probe_wait(ground.loop, &probes[0], inside, 1);
    send_message(&ground, "two");
    beside_expect_well(ground.beside);
    server_run(ground.loop, receive_again, NULL);
    pair_expect(ground.loop, SERVER_SIDE, 0, "one", 3);
    pair_expect(ground.loop, SERVER_SIDE, 1, "two", 3);
    ws_finish(ground.client);
    ground_end(&ground, true);
}
END_TEST

/* Nothing more is delivered, and the answer to the close is heard at once. */
START_TEST(closes)
{
    struct ground ground;
    const struct server_record *record;

    choose(_i, CLOSES);
    ground = ground_begin();
    send_message(&ground, "one");
    ws_expect_close_reason(ground.client, 4000, "inside");
    send_message(&ground, "two");
    ws_send_close(ground.client, 4000, NULL);
    ws_expect_eof(ground.client);
    record = server_record(ground.loop, LWS_CALLBACK_CLOSED, 0);
    ck_assert_int_eq(record->close_code, 4000);
    ck_assert_uint_eq(pair_count(ground.loop, SERVER_SIDE), 0);
    ground_end(&ground, true);
}
END_TEST

START_TEST(closes_another)
{
    struct ground ground;

    choose(_i, CLOSES_ANOTHER);
    ground = ground_begin();
    send_message(&ground, "one");
    ws_expect_close_and_answer(ground.beside, 4001);
    send_message(&ground, "two");
    pair_expect(ground.loop, SERVER_SIDE, 0, "one", 3);
    pair_expect(ground.loop, SERVER_SIDE, 1, "two", 3);
    ws_finish(ground.client);
    ground_end(&ground, false);
}
END_TEST

START_TEST(writes)
{
    struct ground ground;

    choose(_i, WRITES);
    ground = ground_begin();
    send_message(&ground, "one");
    ws_expect_text(ground.client, "from inside");
    pair_expect(ground.loop, SERVER_SIDE, 0, "one", 3);
    ws_finish(ground.client);
    ground_end(&ground, true);
}
END_TEST

START_TEST(destroys)
{
    struct ground ground;

    choose(_i, DESTROYS);
    ground = ground_begin();
    send_message(&ground, "one");
    server_wait(ground.loop, LWS_CALLBACK_CLOSED, 2);
    ck_assert_uint_eq(server_count(ground.loop, LWS_CALLBACK_RECEIVE), 0);
    ground_end(&ground, false);
}
END_TEST

Suite *extension_nesting_suite(void)
{
    Suite *suite = suite_create("extension nesting");
    TCase *received = harness_case("received");

    tcase_add_loop_test(received, serves, 0, WAYS);
    tcase_add_loop_test(received, stops, 0, WAYS);
    tcase_add_loop_test(received, closes, 0, WAYS);
    tcase_add_loop_test(received, closes_another, 0, WAYS);
    tcase_add_loop_test(received, writes, 0, WAYS);
    tcase_add_loop_test(received, destroys, 0, WAYS);
    suite_add_tcase(suite, received);
    return suite;
}
