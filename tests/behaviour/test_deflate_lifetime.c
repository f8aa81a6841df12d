/* Connections and contexts that end while a compressed message is in the middle of something. */
#include <stdlib.h>

#include "deflate_ground.h"
#include "suites.h"

#define PMD "permessage-deflate"
#define KEEP (LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE)

/* What a program does with the n-th piece of a message. */
static struct {
    int (*act)(struct libwebsocket *wsi, void *in, size_t len);
    size_t at;
    size_t pieces;
} plan;

static int planned_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    if (reason != LWS_CALLBACK_RECEIVE && reason != LWS_CALLBACK_CLIENT_RECEIVE)
        return 0;
    return plan.pieces++ == plan.at ? plan.act(wsi, in, len) : 0;
}

static struct libwebsocket_protocols planned_protocols[] = {
    {.name = "planned", .callback = planned_callback, .rx_buffer_size = 100},
    {.name = "back"}, /* filled in from deflate_protocols */
    {.name = "large", .callback = planned_callback, .rx_buffer_size = 70000},
    {.name = NULL},
};

static int close_by_value(struct libwebsocket *wsi, void *in, size_t len)
{
    (void)wsi;
    (void)in;
    (void)len;
    return -1;
}

static int close_with_reason(struct libwebsocket *wsi, void *in, size_t len)
{
    (void)in;
    (void)len;
    ck_assert_int_eq(lws_close_reason(wsi, 4000, "enough", 6), 0);
    return -1;
}

static int close_by_writing(struct libwebsocket *wsi, void *in, size_t len)
{
    (void)in;
    (void)len;
    ck_assert_int_eq(send_bytes(wsi, "\x0f\xa1", 2, LWS_WRITE_CLOSE), 2);
    return 0;
}

/* Writes the piece back, and is in the middle of a compressed message of its own when it closes. */
static int close_while_writing(struct libwebsocket *wsi, void *in, size_t len)
{
    ck_assert_int_eq(libwebsocket_write(wsi, in, len,
                         (enum libwebsocket_write_protocol)(LWS_WRITE_BINARY | LWS_WRITE_NO_FIN)),
        (int)len);
    return -1;
}

static int destroy(struct libwebsocket *wsi, void *in, size_t len)
{
    (void)wsi;
    (void)in;
    (void)len;
    server_destroy_context(server_here());
    return 0;
}

static int write_and_destroy(struct libwebsocket *wsi, void *in, size_t len)
{
    ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_BINARY), (int)len);
    server_destroy_context(server_here());
    return 0;
}

static int stop_and_close(struct libwebsocket *wsi, void *in, size_t len)
{
    (void)in;
    (void)len;
    ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
    return -1;
}

/* The code that the peer is sent then; 0: 1001, unless I/O fails. */
static const struct {
    int (*act)(struct libwebsocket *wsi, void *in, size_t len);
    int code;
    bool answers; /* messages may come before the close frame */
    bool destroys;
} plans[] = {
    {close_by_value, 1000, false, false},
    {close_with_reason, 4000, false, false},
    {close_by_writing, 4001, false, false},
    {close_while_writing, 1000, true, false},
    {stop_and_close, 1000, false, false},
    {destroy, 0, false, true},
    {write_and_destroy, 0, true, true},
};

static void expect_end(struct deflate_peer *peer, int code, bool answers)
{
    struct ws_frame frame;

    for (;;) {
        ws_receive_frame(peer->ws, &frame);
        if ((frame.first & 0xf) == WS_CLOSE)
            break;
        ck_assert(answers);
        ws_frame_free(&frame);
    }
    if (code == 0)
        code = 1001;
    ck_assert_uint_ge(frame.length, 2);
    ck_assert_int_eq(frame.payload[0] << 8 | frame.payload[1], code);
    ws_frame_free(&frame);
}

static const size_t moments[] = {0, 1, 9, 10};

/* From inside the callback for one of a message's pieces: the first, the middle ones, the last. */
START_TEST(ends_inside_a_callback)
{
    int row = _i / 16;
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct server_options options = {.protocols = planned_protocols,
        .extras = {.deflate_threshold = 1, .deflate_takeover = _i % 4 < 2 ? KEEP : 0}};
    struct deflate_end end;
    struct deflate_peer healthy, peer;
    const char *terms = role == ROLE_SERVER ? PMD : NULL;
    unsigned char *prose = deflate_prose(1050, 1);

    planned_protocols[1] = deflate_protocols[1];
    end = deflate_start(role, &options);
    healthy = deflate_connect(&end, "back", terms);
    deflate_transparently(&healthy);
    peer = deflate_connect(&end, "planned", terms);
    plan.act = plans[row].act;
    plan.at = moments[_i / 4 % 4];
    /* All of it is there at once, and one more behind it. */
    server_hold(end.loop);
    deflate_send(&peer, WS_FIN | WS_BINARY, prose, 1050);
    deflate_send(&peer, WS_FIN | WS_BINARY, prose, 150);
    server_go_on(end.loop);
    if (!plans[row].destroys || !harness_refuses_io())
        expect_end(&peer, plans[row].code, plans[row].answers);
    if (plans[row].destroys) {
        server_wait(end.loop, LWS_CALLBACK_CLOSED, 2);
        deflate_free(&healthy);
    } else {
        deflate_expect_healthy(&healthy);
    }
    deflate_free(&peer);
    if (!plans[row].destroys)
        deflate_finish(&end, &healthy);
    ck_assert_uint_eq(plan.pieces, plan.at + 1);
    free(prose);
    deflate_stop(&end);
}
END_TEST

/* The peer goes away, or the context, with half of a message there. */
static void destroy_context(struct server *loop, void *argument)
{
    (void)argument;
    server_destroy_context(loop);
}

static int do_nothing(struct libwebsocket *wsi, void *in, size_t len)
{
    (void)wsi;
    (void)in;
    (void)len;
    return 0;
}

START_TEST(ends_with_half_a_message)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct server_options options = {.protocols = planned_protocols,
        .extras = {.deflate_threshold = 1, .deflate_takeover = _i % 4 < 2 ? KEEP : 0}};
    struct deflate_end end;
    struct deflate_peer peer;
    unsigned char *prose = deflate_prose(60000, 1);
    size_t length;
    unsigned char *packed;

    planned_protocols[1] = deflate_protocols[1];
    plan.act = do_nothing;
    end = deflate_start(role, &options);
    peer = deflate_connect(
        &end, _i / 4 % 2 == 0 ? "planned" : "large", role == ROLE_SERVER ? PMD : NULL);
    deflate_write(&end, prose, 5000, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN);
    packed = ws_deflate_pack(peer.deflate, prose, harness_scale(60000, 3000), true, &length);
    deflate_send_raw(&peer, WS_RSV1 | WS_BINARY, packed, length / 2);
    ws_send_frame(peer.ws, WS_FIN | WS_PING, "", 0);
    do {
        struct ws_frame frame;

        ws_receive_frame(peer.ws, &frame);
        length = frame.first;
        ws_frame_free(&frame);
    } while (length != (WS_FIN | WS_PONG));
    switch (_i / 8) {
    case 0:
        server_run(end.loop, destroy_context, NULL);
        break;
    case 1:
        ws_reset(peer.ws);
        peer.ws = NULL;
        break;
    case 2:
        ws_shutdown(peer.ws);
        break;
    default:
        /* Between two fragments a close frame may come. */
        ws_send_close(peer.ws, 1000, NULL);
        ws_expect_close(peer.ws, 1000);
        ws_shutdown(peer.ws);
        break;
    }
    server_wait(end.loop, LWS_CALLBACK_CLOSED, 1);
    free(packed);
    free(prose);
    deflate_free(&peer);
    deflate_stop(&end);
}
END_TEST

/* What others share is as good as new after one that ended in the middle of a message. */
START_TEST(others_go_on_with_what_was_shared)
{
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct server_options options = {.extras = {.deflate_threshold = 1}};
    struct deflate_end end = deflate_start(role, &options);
    const char *terms = role == ROLE_SERVER ? PMD "; client_max_window_bits" : NULL;
    struct deflate_peer healthy = deflate_connect(&end, "back", terms);
    unsigned char *prose = deflate_prose(5000, 1);

    deflate_transparently(&healthy);
    for (int i = 0; i < 5; i++) {
        struct deflate_peer peer = deflate_connect(&end, "back", terms);
        size_t length;
        unsigned char *packed = ws_deflate_pack(peer.deflate, prose, 5000, true, &length);
        size_t closed = server_count(end.loop, LWS_CALLBACK_CLOSED);

        deflate_send_raw(&peer, WS_RSV1 | WS_TEXT, packed, length / 2);
        deflate_write(&end, prose, 2000, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN);
        deflate_expect_healthy(&healthy);
        if (i % 2 == 0) {
            deflate_send_raw(&peer, WS_FIN | WS_CONTINUATION, "\x07\x07\x07\x07", 4);
            expect_end(&peer, 1007, true);
        }
        free(packed);
        deflate_free(&peer);
        server_wait(end.loop, LWS_CALLBACK_CLOSED, closed + 1);
        ws_send_frame(healthy.ws, WS_FIN | WS_TEXT, prose, 5000);
        ws_expect_frame(healthy.ws, WS_FIN | WS_TEXT, prose, 5000);
    }
    free(prose);
    deflate_finish(&end, &healthy);
    deflate_stop(&end);
}
END_TEST

/* Many connections in the middle of messages at once, each with a state of its own. */
START_TEST(messages_of_many_at_once)
{
    enum { PEERS = 20 };
    enum deflate_role role = (enum deflate_role)(_i % 2);
    struct server_options options = {
        .extras = {.deflate_threshold = 1, .deflate_takeover = _i < 2 ? 0 : KEEP}};
    struct deflate_end end = deflate_start(role, &options);
    struct deflate_peer peers[PEERS];
    unsigned char *prose = deflate_prose(8000, 1);

    for (int i = 0; i < PEERS; i++) {
        peers[i] = deflate_connect(&end, "back", role == ROLE_SERVER ? PMD : NULL);
        deflate_transparently(&peers[i]);
    }
    for (int part = 0; part < 4; part++) {
        for (int i = 0; i < PEERS; i++)
            ws_send_frame(peers[i].ws,
                (part == 0 ? WS_TEXT : WS_CONTINUATION) | (part == 3 ? WS_FIN : 0),
                prose + i * 100 + part * 1000, 1000);
    }
    for (int i = PEERS - 1; i >= 0; i--)
        ws_expect_frame(peers[i].ws, WS_FIN | WS_TEXT, prose + i * 100, 4000);
    for (int i = 0; i < PEERS; i++)
        deflate_finish(&end, &peers[i]);
    free(prose);
    deflate_stop(&end);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

Suite *deflate_lifetime_suite(void)
{
    Suite *suite = suite_create("deflate lifetime");
    TCase *ends = harness_case("ends");
    TCase *shared = harness_case("shared");

    tcase_add_loop_test(ends, ends_inside_a_callback, 0, 16 * COUNT(plans));
    tcase_add_loop_test(ends, ends_with_half_a_message, 0, 32);
    suite_add_tcase(suite, ends);

    tcase_add_loop_test(shared, others_go_on_with_what_was_shared, 0, ROLES);
    tcase_add_loop_test(shared, messages_of_many_at_once, 0, 4);
    suite_add_tcase(suite, shared);
    return suite;
}
