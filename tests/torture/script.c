#include "script.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/ws_client.h"
#include "failures.h"
#include "program.h"
#include "stage.h"

#define LONG_FIELD 6000u
#define LONG_MESSAGE 3000u

static struct client *const victim = &stage.victim;

/* --- HTTP */

static bool has_response(void)
{
    size_t total;

    return client_response(victim, &total) != 0;
}

static bool expect_response(int status)
{
    size_t total;
    int came;

    if (!stage_wait(victim, has_response))
        return false;
    came = client_response(victim, &total);
    client_take(victim, total);
    return came == status;
}

static bool has_ended(void)
{
    return victim->ended;
}

/* Two requests on one connection, the second of which is answered only after the first. */
static bool file_twice(void)
{
    static const char request[] = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";

    client_connect(victim);
    client_send_text(victim, request);
    if (!expect_response(200))
        return false;
    client_send_text(victim, request);
    client_send_text(victim, request);
    return expect_response(200) && expect_response(200);
}

/* The file is choked first, and goes on when the client reads. */
static bool file_slowly(void)
{
    client_connect(victim);
    victim->reads_not = true;
    client_send_text(victim, "GET /file HTTP/1.1\r\nHost: a\r\nRange: bytes=100-\r\n\r\n");
    for (int i = 0; i < 6; i++)
        stage_turn();
    victim->reads_not = false;
    return expect_response(206);
}

/* A head for which the first storage is too small, in three pieces, with repeated fields. */
static bool long_head(void)
{
    char field[LONG_FIELD + 1];

    memset(field, 'a', LONG_FIELD);
    field[LONG_FIELD] = '\0';
    client_connect(victim);
    client_send_text(victim, "GET /file HTTP/1.1\r\nHost: a\r\nX-Long: ");
    stage_turn();
    client_send_text(victim, field);
    stage_turn();
    client_send_text(victim, "\r\nOrigin: b\r\nOrigin: c\r\nConnection: close\r\n\r\n");
    return expect_response(200) && (stage_wait(victim, has_ended) || victim->ended);
}

static bool small_answers(void)
{
    client_connect(victim);
    client_send_text(
        victim, "POST /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    stage_turn();
    client_send_text(victim, "3\r\nabc\r\n0\r\n\r\nGET /missing HTTP/1.1\r\nHost: a\r\n\r\n");
    if (!expect_response(405) || !expect_response(404))
        return false;
    client_send_text(victim, "GET /written HTTP/1.1\r\nHost: a\r\n\r\n");
    return expect_response(200);
}

static bool bad_request(void)
{
    client_connect(victim);
    client_send_text(victim, "What?\r\n\r\n");
    return expect_response(400);
}

/* --- WebSocket */

bool script_establish(void)
{
    return client_establish(victim, "unknown",
        "Sec-WebSocket-Protocol: victim\r\nOrigin: http://a\r\nOrigin: http://b\r\n"
        "Sec-WebSocket-Extensions: x; y=1\r\nSec-WebSocket-Extensions: z\r\n");
}

static bool has_frame(void)
{
    unsigned int first;
    size_t length;
    size_t total;

    return client_frame(victim, &first, &length, &total) != NULL;
}

/* The next frame is exactly this one; `payload` may be NULL where only the length counts. */
static bool expect_frame(unsigned int opcode, const void *payload, size_t length)
{
    const unsigned char *came;
    unsigned int first;
    size_t came_length;
    size_t total;
    bool same;

    if (!stage_wait(victim, has_frame))
        return false;
    came = client_frame(victim, &first, &came_length, &total);
    same = first == (WS_FIN | opcode) && came_length == length &&
           (payload == NULL || memcmp(came, payload, length) == 0);
    client_take(victim, total);
    return same;
}

static void send_text(const char *text)
{
    client_send_frame(victim, WS_FIN | WS_TEXT, text, strlen(text));
}

static bool text_in_one_piece(void)
{
    return client_echo(victim, "hello");
}

static bool text_in_two_pieces(void)
{
    static const char text[] = "a frame that arrives in pieces";
    static const unsigned char mask[4] = {1, 2, 3, 4};
    unsigned char frame[WS_HEADER_MOST + sizeof text];
    size_t length =
        ws_build_frame(frame, WS_FIN | WS_TEXT, mask, 0, sizeof text - 1, text, sizeof text - 1);

    client_send(victim, frame, 1);
    stage_turn();
    client_send(victim, frame + 1, 12);
    stage_turn();
    client_send(victim, frame + 13, length - 13);
    return expect_frame(WS_TEXT, text, sizeof text - 1);
}

/* Larger than rx_buffer_size, and in fragments, of which one ends inside a character. */
static bool long_message(void)
{
    unsigned char text[LONG_MESSAGE];

    memset(text, 'm', sizeof text);
    client_send_frame(victim, WS_TEXT, text, sizeof text);
    stage_turn();
    client_send_frame(victim, WS_CONTINUATION, "\xc3", 1);
    client_send_frame(victim, WS_FIN | WS_CONTINUATION, "\xa4", 1);
    return expect_frame(WS_TEXT, "long", 4);
}

static bool ping(void)
{
    client_send_frame(victim, WS_FIN | WS_PING, "p", 1);
    return expect_frame(WS_PONG, "p", 1);
}

/* A write that backs up, pings while it does, and WRITEABLE when it has drained. */
static bool backs_up(void)
{
    stage.refused_as_full = false;
    victim->reads_not = true;
    send_text("flood");
    for (int i = 0; i < 3; i++)
        stage_turn();
    client_send_frame(victim, WS_FIN | WS_PING, "first", 5);
    stage_turn();
    client_send_frame(victim, WS_FIN | WS_PING, "second", 6);
    stage_turn();
    client_send_frame(victim, WS_FIN | WS_PING, "third", 5);
    for (int i = 0; i < 3; i++)
        stage_turn();
    victim->reads_not = false;
    return expect_frame(WS_BINARY, NULL, STAGE_FLOOD_SIZE) && stage.refused_as_full &&
           expect_frame(WS_PONG, "first", 5) && expect_frame(WS_PONG, "third", 5) &&
           expect_frame(WS_TEXT, "drained", 7);
}

/* Receiving is stopped with more in the buffer, and later resumed from outside of service. */
static bool stops_receiving(void)
{
    unsigned char frames[3 * (WS_HEADER_MOST + 8)];
    static const unsigned char mask[4] = {9, 8, 7, 6};
    size_t length = ws_build_frame(frames, WS_FIN | WS_TEXT, mask, 0, 4, "stop", 4);

    length += ws_build_frame(frames + length, WS_FIN | WS_TEXT, mask, 0, 3, "one", 3);
    length += ws_build_frame(frames + length, WS_FIN | WS_TEXT, mask, 0, 3, "two", 3);
    client_send(victim, frames, length);
    for (int i = 0; i < 4; i++)
        stage_turn();
    if (stage.victim_wsi == NULL)
        return false;
    INSIDE_LIBRARY((void)libwebsocket_rx_flow_control(stage.victim_wsi, 1));
    return expect_frame(WS_TEXT, "one", 3) && expect_frame(WS_TEXT, "two", 3);
}

static void called(struct libwebsocket_context *context, void *argument)
{
    (void)context;
    (void)argument;
    stage.functions_called++;
}

/* What a program does from outside of service. */
static bool from_outside(void)
{
    int result;

    if (stage.victim_wsi == NULL)
        return false;
    INSIDE_LIBRARY(libwebsocket_set_timeout(stage.victim_wsi, PENDING_TIMEOUT_AWAITING_PING, 60));
    INSIDE_LIBRARY((void)program_write(stage.victim_wsi, "outside", 7, LWS_WRITE_TEXT));
    INSIDE_LIBRARY((void)program_write(stage.victim_wsi, "p", 1, LWS_WRITE_PING));
    stage.functions_called = 0;
    INSIDE_LIBRARY(result = lws_call_in_service(stage.context, called, NULL));
    INSIDE_LIBRARY((void)libwebsocket_callback_on_writable_all_protocol(&program_protocols[2]));
    if (!expect_frame(WS_TEXT, "outside", 7) || !expect_frame(WS_PING, "p", 1))
        return false;
    for (int i = 0; i < 3; i++)
        stage_turn();
    ck_assert_uint_eq(stage.functions_called, result == 0 ? 1 : 0);
    return result == 0;
}

/* --- closing */

/* A close frame with this code and reason; NULL for any. */
static bool expect_close(unsigned int code, const char *reason)
{
    const unsigned char *came;
    unsigned int first;
    size_t length;
    size_t total;
    bool good;

    if (!stage_wait(victim, has_frame))
        return false;
    came = client_frame(victim, &first, &length, &total);
    good = first == (WS_FIN | WS_CLOSE) && length >= 2 &&
           ((unsigned int)came[0] << 8 | came[1]) == code &&
           (reason == NULL ||
               (length == 2 + strlen(reason) && memcmp(came + 2, reason, length - 2) == 0));
    client_take(victim, total);
    return good;
}

static bool ends(void)
{
    return stage_wait(victim, has_ended) || victim->ended;
}

static bool closed_with_reason(void)
{
    send_text("leave");
    if (!expect_close(4001, "enough"))
        return false;
    client_send_frame(victim, WS_FIN | WS_CLOSE, "\x0f\xa1good bye", 10);
    return ends();
}

static bool closed_by_client(void)
{
    client_send_frame(victim, WS_FIN | WS_CLOSE, "\x03\xe8going", 7);
    return expect_close(1000, NULL) && ends();
}

static bool closed_from_outside(void)
{
    int result;

    if (stage.victim_wsi == NULL)
        return false;
    INSIDE_LIBRARY(result = lws_close(stage.victim_wsi, 1001, "later", 5));
    if (result != 0)
        return false;
    if (!expect_close(1001, "later"))
        return false;
    client_send_frame(victim, WS_FIN | WS_CLOSE, "\x03\xe9", 2);
    return ends();
}

static bool wrong_frame(void)
{
    client_send_frame(victim, WS_FIN | WS_TEXT, "\xff", 1);
    return expect_close(1007, NULL) && ends();
}

/* An abrupt end with a file under way. */
static bool hangs_up(void)
{
    client_connect(victim);
    victim->reads_not = true;
    client_send_text(victim, "GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    stage_turn();
    stage_turn();
    client_close(victim);
    for (int i = 0; i < 3; i++)
        stage_turn();
    return true;
}

const struct script_step script[] = {
    {"a file, three times on a connection", false, file_twice},
    {"a file to a slow reader", false, file_slowly},
    {"a long head", false, long_head},
    {"405, 404 and a written answer", false, small_answers},
    {"a bad request", false, bad_request},
    {"an end in the middle of a file", false, hangs_up},
    {"a text in one piece", true, text_in_one_piece},
    {"a frame in pieces", true, text_in_two_pieces},
    {"a long message", true, long_message},
    {"a ping", true, ping},
    {"a write that backs up", true, backs_up},
    {"flow control", true, stops_receiving},
    {"calls from outside", true, from_outside},
    {"a close with a reason", true, closed_with_reason},
    {"a close by the client", true, closed_by_client},
    {"lws_close", true, closed_from_outside},
    {"a wrong frame", true, wrong_frame},
};
const size_t script_length = sizeof script / sizeof script[0];

void script_last_scene(void)
{
    if (!script_establish())
        return;
    client_send_frame(victim, WS_FIN | WS_TEXT, "part", 4);
    client_send(victim, "\x81\x85xxxx", 6);
    victim->reads_not = true;
    send_text("x");
    for (int i = 0; i < 2; i++)
        stage_turn();
    if (stage.victim_wsi != NULL) {
        static unsigned char
            flood[LWS_SEND_BUFFER_PRE_PADDING + STAGE_FLOOD_SIZE + LWS_SEND_BUFFER_POST_PADDING];

        INSIDE_LIBRARY((void)libwebsocket_write(stage.victim_wsi,
            flood + LWS_SEND_BUFFER_PRE_PADDING, STAGE_FLOOD_SIZE, LWS_WRITE_BINARY));
    }
}
