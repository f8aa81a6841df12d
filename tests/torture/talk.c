#include "talk.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/ws_client.h"
#include "extension.h"
#include "failures.h"
#include "program.h"
#include "relay.h"
#include "stage.h"

#define TALKS 128
#define PATIENCE_MS 10000
#define TURNS_MOST 3000u
#define LARGE 300000u

static struct talk talks[TALKS];
static size_t count;
static bool late;

void talk_reset(void)
{
    memset(talks, 0, sizeof talks);
    count = 0;
}

/* Binary messages are counted. */
static void count_on(struct libwebsocket *wsi, struct talk_session *session, size_t length)
{
    char text[32];

    if (session->counted < LARGE / 2 && session->counted + length >= LARGE / 2) {
        ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
        ck_assert_int_eq(libwebsocket_callback_on_writable(stage.context, wsi), 1);
    }
    session->counted += length;
    if (libwebsockets_remaining_packet_payload(wsi) > 0 || !libwebsocket_is_final_fragment(wsi))
        return;
    (void)program_write(
        wsi, text, (size_t)snprintf(text, sizeof text, "%zu", session->counted), LWS_WRITE_TEXT);
    session->counted = 0;
}

static int served(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    struct talk_session *session, char *in, size_t length)
{
    switch ((int)reason) {
    case LWS_CALLBACK_RECEIVE:
        if (lws_frame_is_binary(wsi))
            count_on(wsi, session, length);
        else if (length > 0)
            /* Pieces go back as messages of their own. */
            (void)program_write(wsi, in, length, LWS_WRITE_TEXT);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 1), 0);
        break;
    default:
        break;
    }
    return 0;
}

static void establish(struct talk *talk, struct libwebsocket *wsi)
{
    talk->established++;
    if (stage.extensions == WITHOUT_EXTENSIONS)
        ck_assert(extension_is_idle(wsi));
    else
        ck_assert(extension_is_active(wsi));
}

static void hear(struct talk *talk, const char *in, size_t length)
{
    ck_assert_uint_le(talk->have + length, TALK_ROOM);
    memcpy(talk->heard + talk->have, in, length);
    talk->have += length;
}

int talk_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct talk *talk = user;

    (void)context;
    if (talk < talks || talk >= talks + count)
        return served(wsi, reason, user, in, len);
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        establish(talk, wsi);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        talk->errors++;
        talk->wsi = NULL;
        break;
    case LWS_CALLBACK_CLOSED:
        talk->closed++;
        talk->code = lws_get_close(wsi, NULL, NULL);
        talk->wsi = NULL;
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        hear(talk, in, len);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        talk->pongs++;
        break;
    default:
        break;
    }
    return 0;
}

static struct talk *begin(
    const char *address, int port, int ssl_connection, const char *proxy, const char *subprotocols)
{
    struct talk *talk = &talks[count];
    struct libwebsocket *wsi = NULL;
    int result;

    ck_assert_uint_lt(count++, TALKS);
    late = false;
    INSIDE_LIBRARY(result = libwebsocket_set_proxy(stage.context, proxy));
    if (result == 0)
        INSIDE_LIBRARY(wsi = libwebsocket_client_connect_extended(stage.context, address, port,
                           ssl_connection, "/talk?a=b", ssl_connection ? "localhost" : NULL,
                           "http://a", subprotocols, -1, talk));
    else
        ck_assert_msg(failures_made() > 0, "no proxy: %s", strerror(errno));
    talk->begun = wsi != NULL;
    if (!talk->begun) {
        ck_assert_msg(failures_made() > 0, "no client: %s", strerror(errno));
        return NULL;
    }
    /* Nothing has been called back. */
    talk->wsi = wsi;
    return talk;
}

struct talk *talk_begin_at(const char *address, int port, int ssl_connection, const char *proxy)
{
    return begin(address, port, ssl_connection, proxy, "unknown,talk");
}

struct talk *talk_begin_counting(void)
{
    return begin("127.0.0.1", stage.port, 0, NULL, "count");
}

struct talk *talk_begin(enum talk_way way)
{
    int ssl_connection = stage.with_tls ? 1 : 0;
    char text[160];

    switch (way) {
    case TALK_BY_ADDRESS:
        return talk_begin_at("127.0.0.1", stage.port, ssl_connection, NULL);
    case TALK_BY_NAME:
        return talk_begin_at("talk.example", stage.port, ssl_connection, NULL);
    case TALK_BY_PROXY:
        snprintf(text, sizeof text, "user:word@127.0.0.1:%d", relay_port());
        return talk_begin_at("talk.example", stage.port, ssl_connection, text);
    case TALK_BY_PATH:
        snprintf(text, sizeof text, "unix:%s", stage_path("socket"));
        return talk_begin_at(text, 0, 0, NULL);
    case TALK_TO_NOBODY:
        break;
    }
    return talk_begin_at("127.0.0.1", free_port(), ssl_connection, NULL);
}

void talk_wait(bool (*done)(const struct talk *talk), const struct talk *talk)
{
    int64_t deadline = ws_now_ms() + PATIENCE_MS;

    for (unsigned int turns = 0; !done(talk); turns++) {
        ck_assert_msg(ws_now_ms() < deadline, "nothing happens any more");
        ck_assert_msg(turns < TURNS_MOST, "the loop spins");
        stage_wait_turn();
    }
}

static bool is_decided(const struct talk *talk)
{
    return talk->established + talk->errors > 0;
}

bool talk_is_established(struct talk *talk)
{
    talk_wait(is_decided, talk);
    return talk->established == 1;
}

/* What is waited for; the questions have one argument. */
static size_t awaited;

static bool has_heard(const struct talk *talk)
{
    return talk->have >= awaited || talk->closed > 0;
}

bool talk_echo(struct talk *talk, const char *text, size_t length)
{
    int result;

    if (talk->wsi == NULL)
        return false;
    talk->have = 0;
    awaited = length;
    INSIDE_LIBRARY(result = program_write(talk->wsi, text, length, LWS_WRITE_TEXT));
    if (result < 0)
        return false;
    talk_wait(has_heard, talk);
    return talk->have == length && memcmp(talk->heard, text, length) == 0;
}

bool talk_count(struct talk *talk)
{
    static unsigned char large[LWS_SEND_BUFFER_PRE_PADDING + LARGE + LWS_SEND_BUFFER_POST_PADDING];
    char text[32];
    int result;

    if (talk->wsi == NULL)
        return false;
    talk->have = 0;
    awaited = (size_t)snprintf(text, sizeof text, "%u", LARGE);
    INSIDE_LIBRARY(result = libwebsocket_write(
                       talk->wsi, large + LWS_SEND_BUFFER_PRE_PADDING, LARGE, LWS_WRITE_BINARY));
    if (result < 0) {
        ck_assert_uint_gt(failures_made(), 0);
        return false;
    }
    ck_assert_int_eq(result, (int)LARGE);
    talk_wait(has_heard, talk);
    return talk->have == awaited && memcmp(talk->heard, text, awaited) == 0;
}

static bool has_pong(const struct talk *talk)
{
    return talk->pongs > 0 || talk->closed > 0;
}

bool talk_ping(struct talk *talk)
{
    int result;

    if (talk->wsi == NULL)
        return false;
    talk->pongs = 0;
    INSIDE_LIBRARY(result = program_write(talk->wsi, "ping", 4, LWS_WRITE_PING));
    if (result < 0)
        return false;
    talk_wait(has_pong, talk);
    return talk->pongs == 1;
}

static bool is_closed(const struct talk *talk)
{
    return talk->closed > 0;
}

bool talk_close(struct talk *talk)
{
    int64_t begun = ws_now_ms();
    int result;

    if (talk->wsi == NULL)
        return false;
    INSIDE_LIBRARY(result = lws_close(talk->wsi, 4001, "enough", 6));
    if (result != 0) {
        ck_assert_uint_gt(failures_made(), 0);
        return false;
    }
    talk_wait(is_closed, talk);
    late = ws_now_ms() - begun >= STAGE_CLOSE_TIMEOUT_MS;
    return talk->code == 4001;
}

bool talk_was_late(void)
{
    return late;
}

void talk_check(void)
{
    for (size_t i = 0; i < count; i++) {
        const struct talk *talk = &talks[i];

        ck_assert_msg(talk->established + talk->errors == (talk->begun ? 1 : 0),
            "talk %zu: %u CLIENT_ESTABLISHED and %u CLIENT_CONNECTION_ERROR", i, talk->established,
            talk->errors);
        ck_assert_msg(talk->closed == talk->established, "talk %zu: %u CLOSED", i, talk->closed);
        ck_assert_ptr_null(talk->wsi);
    }
}
