#include "session.h"

#include <string.h>

#include "command.h"
#include "page.h"

enum {
    SESSION_JOIN_SECONDS = 10, /* how long somebody may stay without a name */
    SESSION_LINES_AT_ONCE = 16
};

static int close_because(struct libwebsocket *wsi, int status, const char *reason)
{
    (void)lws_close_reason(wsi, status, reason, strlen(reason));
    return -1;
}

static int established(struct libwebsocket *wsi)
{
    libwebsocket_set_timeout(wsi, PENDING_TIMEOUT_AWAITING_PING, SESSION_JOIN_SECONDS);
    (void)close_because(wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, "join did not come");
    return 0;
}

static int received(struct libwebsocket_context *context, struct libwebsocket *wsi,
    struct session *session, const char *piece, size_t length)
{
    struct room *room = libwebsocket_context_user(context);

    if (lws_frame_is_binary(wsi))
        return close_because(wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "text only");
    if (length >= sizeof(session->command) - session->length)
        return close_because(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "at most 3 kB");
    memcpy(session->command + session->length, piece, length);
    session->length += length;
    if (!libwebsocket_is_final_fragment(wsi) || libwebsockets_remaining_packet_payload(wsi) > 0)
        return 0;

    int status;
    uint64_t line_count = room->line_count;
    const char *wrong = command_run(room, session, &status);
    session->length = 0;
    if (wrong)
        return close_because(wsi, status, wrong);
    if (!session->welcomed)
        libwebsocket_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    libwebsocket_callback_on_writable(context, wsi);
    if (room->line_count != line_count)
        libwebsocket_callback_on_writable_all_protocol(libwebsockets_get_protocol(wsi));
    return 0;
}

static int send_welcome(struct libwebsocket *wsi, const struct session *session, struct room *room)
{
    struct frame frame = {0};
    frame_add(&frame, "{\"type\":\"welcome\",\"id\":");
    frame_add_number(&frame, session->person.id);
    frame_add(&frame, ",\"opened\":");
    frame_add_number(&frame, room->opened);
    frame_add(&frame, ",\"loop\":");
    frame_add_string(&frame, room->loop);
    frame_add(&frame, ",\"version\":");
    frame_add_string(&frame, lws_get_library_version());
    frame_add(&frame, "}");
    int result = frame_send(&frame, wsi);
    frame_free(&frame);
    return result;
}

static int send_pong(struct libwebsocket *wsi, struct session *session)
{
    struct frame frame = {0};
    frame_add(&frame, "{\"type\":\"pong\",\"word\":");
    frame_add_string(&frame, session->ping);
    frame_add(&frame, "}");
    int result = frame_send(&frame, wsi);
    frame_free(&frame);
    session->ping[0] = '\0';
    return result;
}

/* Sends what the session does not know yet. Returns 0, or -1 where that failed. */
static int send_news(struct libwebsocket *wsi, struct session *session, struct room *room)
{
    if (!session->welcomed && send_welcome(wsi, session, room) < 0)
        return -1;
    session->welcomed = true;
    if (session->ping[0] && send_pong(wsi, session) < 0)
        return -1;
    if (session->people_version != room->people_version && frame_send(&room->people_frame, wsi) < 0)
        return -1;
    session->people_version = room->people_version;

    if (room->line_count - session->next_line > ROOM_LINES)
        session->next_line = room->line_count - ROOM_LINES;
    for (int i = 0; i < SESSION_LINES_AT_ONCE && session->next_line < room->line_count; i++)
        if (frame_send(&room->lines[session->next_line++ % ROOM_LINES], wsi) < 0)
            return -1;
    return 0;
}

/* All that was sent before has left, so what is sent now waits in no queue for long. */
static int writeable(
    struct libwebsocket_context *context, struct libwebsocket *wsi, struct session *session)
{
    struct room *room = libwebsocket_context_user(context);

    if (!session->person.id)
        return 0;
    if (send_news(wsi, session, room) < 0)
        return close_because(wsi, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "memory is short");
    if (session->next_line < room->line_count)
        libwebsocket_callback_on_writable(context, wsi);
    return 0;
}

int session_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return page_is_origin(wsi) ? 0 : 1;
    case LWS_CALLBACK_ESTABLISHED:
        return established(wsi);
    case LWS_CALLBACK_RECEIVE:
        return received(context, wsi, user, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return writeable(context, wsi, user);
    case LWS_CALLBACK_CLOSED:
        room_leave(libwebsocket_context_user(context), user);
        libwebsocket_callback_on_writable_all_protocol(libwebsockets_get_protocol(wsi));
        return 0;
    default:
        return 0;
    }
}
