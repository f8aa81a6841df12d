/*
 * Runs the tables of wrong_input.h, each row with a healthy WebSocket connection beside it that
 * must not notice.
 */
#include "wrong_input.h"

#include "harness.h"
#include "http_site.h"
#include "suites.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

/* Where rows wait for a deadline of the server's, this is it. */
#define SLOW_REQUEST_MS 300

static const char good_request[] = "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";

/* The connection a row is about. What comes back is gathered as it comes, and looked at there. */
struct subject {
    const char *name;
    struct ws_client *client;
    char *received; /* followed by a NUL */
    size_t have;
    size_t taken;
    bool ended;
};

static void take_more(struct subject *subject, const char *awaited)
{
    char piece[8192];
    ssize_t got = ws_receive_some(subject->client, piece, sizeof(piece), WS_PATIENCE_MS);

    ck_assert_msg(got >= 0, "%s: waited for %s, and have: %s", subject->name, awaited,
        subject->received + subject->taken);
    if (got == 0) {
        subject->ended = true;
        return;
    }
    subject->received = realloc(subject->received, subject->have + (size_t)got + 1);
    ck_assert_ptr_nonnull(subject->received);
    memcpy(subject->received + subject->have, piece, (size_t)got);
    subject->have += (size_t)got;
    subject->received[subject->have] = '\0';
}

static struct subject subject_make(const char *name, struct ws_client *client)
{
    struct subject subject = {.name = name, .client = client, .received = calloc(1, 1)};

    ck_assert_ptr_nonnull(subject.received);
    return subject;
}

static void subject_free(struct subject *subject)
{
    free(subject->received);
    ws_free(subject->client);
}

static void expect_end(struct subject *subject)
{
    while (!subject->ended && subject->have == subject->taken)
        take_more(subject, "the end");
    ck_assert_msg(subject->have == subject->taken, "%s: more came: %s", subject->name,
        subject->received + subject->taken);
}

/* The bytes of a row in one piece, freed by the caller. */
static char *compose(const struct wrong_bytes *bytes, size_t *length)
{
    size_t fill = bytes->fill ? strlen(bytes->fill) : 0;
    char *all;
    char *at;

    *length = bytes->start_length + fill * bytes->fill_count + bytes->end_length;
    all = malloc(*length + 1);
    ck_assert_ptr_nonnull(all);
    memcpy(all, bytes->start, bytes->start_length);
    at = all + bytes->start_length;
    for (size_t i = 0; i < bytes->fill_count; i++, at += fill)
        memcpy(at, bytes->fill, fill);
    if (bytes->end)
        memcpy(at, bytes->end, bytes->end_length);
    return all;
}

static void send_all(struct subject *subject, const struct wrong_bytes *bytes)
{
    size_t length;
    char *all = compose(bytes, &length);

    /* A server that has seen enough may hang up before all has been sent. */
    ws_try_send(subject->client, all, length);
    free(all);
}

/* The value of a field in a head, freed by the caller. */
static char *field_of(const char *head, const char *name, size_t name_length)
{
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        const char *value = line + 2 + name_length + 1;

        if (strncasecmp(line + 2, name, name_length) != 0 || value[-1] != ':')
            continue;
        value += strspn(value, " \t");
        return strndup(value, strcspn(value, "\r"));
    }
    return NULL;
}

static bool field_is(const char *head, const char *name, const char *value)
{
    char *found = field_of(head, name, strlen(name));
    bool is = found && (!value || strcasecmp(found, value) == 0);

    free(found);
    return is;
}

/* Takes one response, to HEAD or another method, and returns its head, freed by the caller. */
static char *take_response(struct subject *subject, int status, bool to_head)
{
    char *start;
    char *behind;
    char *head;
    char *length;
    size_t body = 0;

    while (!(behind = strstr(subject->received + subject->taken, "\r\n\r\n"))) {
        ck_assert_msg(!subject->ended, "%s: ended where %d was due, and have: %s", subject->name,
            status, subject->received + subject->taken);
        take_more(subject, "a response");
    }
    start = subject->received + subject->taken;
    head = strndup(start, (size_t)(behind - start) + 2);
    ck_assert_ptr_nonnull(head);
    subject->taken += (size_t)(behind - start) + 4;
    ck_assert_msg(strncmp(head, "HTTP/1.1 ", 9) == 0 && atoi(head + 9) == status && head[12] == ' ',
        "%s: not %d: %s", subject->name, status, head);

    length = field_of(head, "Content-Length", strlen("Content-Length"));
    if (length && status != 304 && !to_head)
        body = strtoul(length, NULL, 10);
    free(length);
    while (subject->have - subject->taken < body) {
        ck_assert_msg(!subject->ended, "%s: ended inside a body", subject->name);
        take_more(subject, "a body");
    }
    subject->taken += body;
    return head;
}

/* What goes with a status, whatever the request was. */
static void check_fields(const char *name, int status, const char *head)
{
    if (status < 200)
        return;
    ck_assert_msg(field_is(head, "Date", NULL), "%s: no Date: %s", name, head);
    if (status == 405)
        ck_assert_msg(field_is(head, "Allow", "GET, HEAD"), "%s: no Allow: %s", name, head);
    if (status == 426) {
        ck_assert_msg(field_is(head, "Upgrade", "websocket"), "%s: no Upgrade: %s", name, head);
        ck_assert_msg(field_is(head, "Connection", "Upgrade") ||
                          field_is(head, "Connection", "Upgrade, close") ||
                          field_is(head, "Connection", "close, Upgrade"),
            "%s: Upgrade needs its Connection option: %s", name, head);
        ck_assert_msg(
            field_is(head, "Sec-WebSocket-Version", "13, 8, 7"), "%s: no versions: %s", name, head);
    }
}

static bool says_close(const char *head)
{
    char *options = field_of(head, "Connection", strlen("Connection"));
    bool says = options && strcasestr(options, "close");

    free(options);
    return says;
}

static void check_one_field(const struct wrong_request *row, const char *head)
{
    size_t length = strcspn(row->field, ":");
    const char *value = row->field + length + 1;
    char *found = field_of(head, row->field, length);

    value += strspn(value, " ");
    if (*value)
        ck_assert_msg(
            found && strcmp(found, value) == 0, "%s: %s: %s", row->name, row->field, head);
    else
        ck_assert_msg(!found, "%s: %s is there: %s", row->name, row->field, head);
    free(found);
}

static void expect_echo(struct subject *subject)
{
    static const char expected[] = "\x81\x02hi";

    ck_assert(ws_try_send(subject->client, "\x81\x82\0\0\0\0hi", 8));
    while (subject->have - subject->taken < sizeof(expected) - 1) {
        ck_assert_msg(!subject->ended, "%s: ended where an echo was due", subject->name);
        take_more(subject, "an echo");
    }
    ck_assert_msg(memcmp(subject->received + subject->taken, expected, sizeof(expected) - 1) == 0,
        "%s: no echo", subject->name);
}

static void check_end(
    struct subject *subject, const struct wrong_request *row, const char *last_head)
{
    bool says = last_head && says_close(last_head);
    enum wrong_end end = row->end;

    if (end == END_AS_SAID)
        end = says || !last_head ? END_CLOSED : END_KEPT;
    switch (end) {
    case END_CLOSED:
        /* Of a FIN the server may learn only when it has answered. */
        ck_assert_msg(
            says || !last_head || row->finish, "%s: does not say close: %s", row->name, last_head);
        expect_end(subject);
        break;
    case END_KEPT:
        ck_assert_msg(!says, "%s: says close: %s", row->name, last_head);
        ck_assert(ws_try_send(subject->client, good_request, sizeof(good_request) - 1));
        free(take_response(subject, 200, false));
        break;
    default:
        expect_echo(subject);
        break;
    }
}

static struct server *start(bool slow)
{
    struct server_options options = {.extras = {
                                         .max_head_size = WRONG_HEAD_MOST,
                                         .max_header_fields = WRONG_FIELDS_MOST,
                                         .max_body_size = WRONG_BODY_MOST,
                                         .max_message_size = WRONG_MESSAGE_MOST,
                                     }};

    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    if (slow)
        options.extras.request_timeout_ms = SLOW_REQUEST_MS;
    return site_start(&options);
}

static void run_request(const struct wrong_request *row)
{
    struct server *server = start(row->slow);
    struct ws_client *healthy = ws_open(server_port(server), "echo");
    struct subject subject = subject_make(row->name, ws_connect(server_port(server)));
    const char *answers = row->answers;
    bool to_head = strncmp(row->bytes.start, "HEAD ", 5) == 0;
    char *head = NULL;

    ws_send_frame(healthy, WS_FIN | WS_TEXT, "before", 6);
    ws_expect_text(healthy, "before");

    send_all(&subject, &row->bytes);
    if (row->finish)
        ws_shutdown(subject.client);
    while (*answers) {
        char *next;
        int status = (int)strtol(answers, &next, 10);

        free(head);
        head = take_response(&subject, status, to_head);
        check_fields(row->name, status, head);
        answers = next;
    }
    if (row->field)
        check_one_field(row, head);
    check_end(&subject, row, head);

    ws_send_frame(healthy, WS_FIN | WS_TEXT, "after", 5);
    ws_expect_text(healthy, "after");
    ws_finish(healthy);
    ws_free(healthy);
    free(head);
    subject_free(&subject);
    server_stop(server);
}

/* The header and payload of a server's close frame. */
static void expect_close(struct subject *subject, int code)
{
    size_t least = code == CLOSE_EMPTY ? 2 : 4;
    const unsigned char *frame;

    while (subject->have - subject->taken < least) {
        ck_assert_msg(!subject->ended, "%s: ended without a close frame", subject->name);
        take_more(subject, "a close frame");
    }
    frame = (const unsigned char *)subject->received + subject->taken;
    ck_assert_msg(frame[0] == (WS_FIN | WS_CLOSE), "%s: a frame that begins with 0x%02x",
        subject->name, frame[0]);
    if (code == CLOSE_EMPTY)
        ck_assert_msg(frame[1] == 0, "%s: the close frame has %d bytes", subject->name, frame[1]);
    else
        ck_assert_msg(frame[1] >= 2 && frame[1] <= 125 && frame[2] * 256 + frame[3] == code,
            "%s: length %d, code %d in place of %d", subject->name, frame[1],
            frame[2] * 256 + frame[3], code);
    while (subject->have - subject->taken < 2u + frame[1]) {
        ck_assert_msg(!subject->ended, "%s: ended inside a close frame", subject->name);
        take_more(subject, "a close frame");
        frame = (const unsigned char *)subject->received + subject->taken;
    }
    subject->taken += 2u + frame[1];
    /* For a server that waits for it; one that has hung up does not mind. */
    ws_try_send(subject->client, "\x88\x80\0\0\0\0", 6);
    expect_end(subject);
}

static void run_frames_of(const struct wrong_frames *row)
{
    struct server *server = start(false);
    struct ws_client *healthy = ws_open(server_port(server), "echo");
    struct subject subject = subject_make(row->name, ws_open(server_port(server), "echo"));

    ws_send_frame(healthy, WS_FIN | WS_TEXT, "before", 6);
    ws_expect_text(healthy, "before");

    send_all(&subject, &row->bytes);
    while (subject.have < row->answer_length) {
        ck_assert_msg(!subject.ended, "%s: ended before the answer", row->name);
        take_more(&subject, "the answer");
    }
    ck_assert_msg(
        row->answer_length == 0 || memcmp(subject.received, row->answer, row->answer_length) == 0,
        "%s: another answer", row->name);
    subject.taken = row->answer_length;
    if (row->close == CLOSE_NOT)
        expect_echo(&subject);
    else
        expect_close(&subject, row->close);

    ws_send_frame(healthy, WS_FIN | WS_TEXT, "after", 5);
    ws_expect_text(healthy, "after");
    ws_finish(healthy);
    ws_free(healthy);
    subject_free(&subject);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    server_stop(server);
}

static void run_frames(const struct wrong_frames *row)
{
    /* It stands for something there: test_deflate_wrong.c has what is wrong with that. */
    if (harness_deflate() && strcmp(row->name, "6455-5.2 RSV1") == 0)
        return;
    run_frames_of(row);
}

START_TEST(handshake)
{
    run_request(&wrong_handshakes[_i]);
}
END_TEST

START_TEST(message)
{
    run_request(&wrong_messages[_i]);
}
END_TEST

START_TEST(body)
{
    run_request(&wrong_bodies[_i]);
}
END_TEST

START_TEST(frames)
{
    run_frames(&wrong_frames[_i]);
}
END_TEST

static TCase *table(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_set_timeout(tcase, 120);
    return tcase;
}

Suite *wrong_input_suite(void)
{
    Suite *suite = suite_create("wrong input");
    TCase *tcase = table("6455 section 4");

    tcase_add_loop_test(tcase, handshake, 0, (int)wrong_handshake_count);
    suite_add_tcase(suite, tcase);
    tcase = table("6455 sections 5 to 8");
    tcase_add_loop_test(tcase, frames, 0, (int)wrong_frame_count);
    suite_add_tcase(suite, tcase);
    tcase = table("9112 sections 2 to 5");
    tcase_add_loop_test(tcase, message, 0, (int)wrong_message_count);
    suite_add_tcase(suite, tcase);
    tcase = table("9112 sections 6 to 9");
    tcase_add_loop_test(tcase, body, 0, (int)wrong_body_count);
    suite_add_tcase(suite, tcase);
    return suite;
}
