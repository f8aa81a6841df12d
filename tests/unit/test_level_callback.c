/* How programs of older levels are called back: reasons, arguments, form and what returns mean. */
#include "connection/connection.h"
#include "connection/http_exchange.h"
#include "service/level.h"
#include "suites.h"

#include <stdint.h>
#include <stdlib.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

enum { NOT_CALLED = -1, FILE_OFFSET = 4711 };

/* Marks that arguments are compared with. */
static char session[8], made_session[8], text[8], path[8];

/* What the program was called with, and what it is to return. */
static struct {
    int reason;
    struct libwebsocket_context *context;
    struct libwebsocket *wsi;
    void *user, *in;
    size_t length;
    int result;
} called;

static bool memory_is_short;

/* The engine's, in place of the one that allocates. */
void *connection_session(struct libwebsocket *wsi)
{
    if (!wsi->session && !memory_is_short)
        wsi->session = made_session;
    return wsi->session;
}

static int take(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *user,
    void *in, size_t length)
{
    ck_assert_int_eq(called.reason, NOT_CALLED);
    called.reason = (int)reason;
    called.wsi = wsi;
    called.user = user;
    called.in = in;
    called.length = length;
    return called.result;
}

static int with_context(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t length)
{
    called.context = context;
    return take(wsi, reason, user, in, length);
}

/* Calls a program of a level, as the engine does. */
static int call(int level, enum libwebsocket_callback_reasons reason, void *session_memory,
    void *in, size_t length, int result)
{
    static struct libwebsocket_context *const context = (void *)text;
    struct engine engine = {.level = level};
    struct protocol protocol = {.engine = &engine,
        .session_size = sizeof(session),
        .callback = with_context,
        .older = level_callback(level)};
    struct http_exchange exchange = {.file_path = path, .file_offset = FILE_OFFSET};
    struct libwebsocket wsi = {.protocol = &protocol, .session = session_memory, .http = &exchange};
    int returned;

    if (level < 20110214)
        protocol.callback = (callback_function *)(void (*)(void))take;
    called.reason = NOT_CALLED;
    called.context = NULL;
    called.result = result;
    returned = protocol_call(&protocol, context, &wsi, reason, session_memory, in, length);
    if (called.reason != NOT_CALLED) {
        ck_assert_ptr_eq(called.wsi, &wsi);
        ck_assert_ptr_eq(called.context, level < 20110214 ? NULL : context);
    }
    return returned;
}

enum { NEWEST = 20131108 };

/* A reason is delivered from a day on; the day before another one comes, or none. */
static const struct {
    enum libwebsocket_callback_reasons reason;
    int day_before;
    int instead;
    int day;
} reasons[] = {
    {LWS_CALLBACK_ESTABLISHED, 20101218, LWS_CALLBACK_ESTABLISHED, 20101218},
    {LWS_CALLBACK_CLOSED, 20101218, LWS_CALLBACK_CLOSED, 20101218},
    {LWS_CALLBACK_RECEIVE, 20101218, LWS_CALLBACK_RECEIVE, 20101218},
    {LWS_CALLBACK_HTTP, 20101218, LWS_CALLBACK_HTTP, 20101218},
    {LWS_CALLBACK_BROADCAST, 20101218, LWS_CALLBACK_BROADCAST, 20101218},
    {LWS_CALLBACK_FILTER_NETWORK_CONNECTION, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_ADD_POLL_FD, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_DEL_POLL_FD, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_SET_MODE_POLL_FD, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_CLEAR_MODE_POLL_FD, 20110218, NOT_CALLED, 20110219},
    {LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, 20110304, NOT_CALLED, 20110305},
    {LWS_CALLBACK_CONFIRM_EXTENSION_OKAY, 20110304, NOT_CALLED, 20110305},
    {LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED, 20110304, NOT_CALLED, 20110305},
    {LWS_CALLBACK_SERVER_WRITEABLE, 20110306, LWS_CALLBACK_CLIENT_WRITEABLE, 20110307},
    {LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 20120419, LWS_CALLBACK_CLOSED, 20120420},
    {LWS_CALLBACK_HTTP_FILE_COMPLETION, 20130114, NOT_CALLED, 20130115},
    {LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH, 20130208, NOT_CALLED, 20130209},
    {LWS_CALLBACK_PROTOCOL_INIT, 20130208, NOT_CALLED, 20130209},
    {LWS_CALLBACK_PROTOCOL_DESTROY, 20130208, NOT_CALLED, 20130209},
    {LWS_CALLBACK_HTTP_WRITEABLE, 20130315, LWS_CALLBACK_SERVER_WRITEABLE, 20130316},
    {LWS_CALLBACK_HTTP_WRITEABLE, 20110306, LWS_CALLBACK_CLIENT_WRITEABLE, 20130316},
    {LWS_CALLBACK_CLOSED_HTTP, 20130315, NOT_CALLED, 20130316},
};

START_TEST(reasons_come_from_their_day_on)
{
    enum libwebsocket_callback_reasons reason = reasons[_i].reason;
    int instead = reasons[_i].instead;

    ck_assert_int_eq(call(reasons[_i].day_before, reason, session, NULL, 0, 0), 0);
    ck_assert_int_eq(called.reason, instead);
    (void)call(reasons[_i].day, reason, session, NULL, 0, 0);
    ck_assert_int_eq(called.reason, (int)reason);
    (void)call(NEWEST, reason, session, NULL, 0, 0);
    ck_assert_int_eq(called.reason, (int)reason);
}
END_TEST

/* What the engine takes a returned value for. */
static const struct {
    enum libwebsocket_callback_reasons reason;
    int level, returned, counts;
} results[] = {
    {LWS_CALLBACK_RECEIVE, 20130213, -1, 0},
    {LWS_CALLBACK_RECEIVE, 20130214, -1, -1},
    {LWS_CALLBACK_CLIENT_RECEIVE, 20130213, 1, 0},
    {LWS_CALLBACK_CLIENT_RECEIVE, 20130214, 1, 1},
    {LWS_CALLBACK_CLIENT_RECEIVE_PONG, 20130213, 1, 0},
    {LWS_CALLBACK_CLIENT_RECEIVE_PONG, 20130214, 1, 1},
    {LWS_CALLBACK_SERVER_WRITEABLE, 20110306, -1, 0},
    {LWS_CALLBACK_SERVER_WRITEABLE, 20130213, -1, 0},
    {LWS_CALLBACK_SERVER_WRITEABLE, 20130214, 1, 1},
    {LWS_CALLBACK_CLIENT_WRITEABLE, 20130213, 1, 0},
    {LWS_CALLBACK_CLIENT_WRITEABLE, 20130214, 1, 1},
    {LWS_CALLBACK_HTTP, 20130114, 1, 0},
    {LWS_CALLBACK_HTTP, 20130115, 1, 1},
    {LWS_CALLBACK_HTTP_FILE_COMPLETION, 20130115, 1, 1},
    /* As SERVER_WRITEABLE, anything but 0 closes; by its own name less than 0 does. */
    {LWS_CALLBACK_HTTP_WRITEABLE, 20130213, 1, 0},
    {LWS_CALLBACK_HTTP_WRITEABLE, 20130214, 1, -1},
    {LWS_CALLBACK_HTTP_WRITEABLE, 20130315, -1, -1},
    {LWS_CALLBACK_HTTP_WRITEABLE, 20130214, 0, 0},
    {LWS_CALLBACK_HTTP_WRITEABLE, 20130316, 1, 1},
    {LWS_CALLBACK_FILTER_NETWORK_CONNECTION, 20110219, 1, 1},
    {LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION, 20110219, 1, 1},
    {LWS_CALLBACK_CONFIRM_EXTENSION_OKAY, 20110305, 1, 1},
};

START_TEST(results_count_from_their_day_on)
{
    ck_assert_int_eq(
        call(results[_i].level, results[_i].reason, session, NULL, 0, results[_i].returned),
        results[_i].counts);
    ck_assert_int_ne(called.reason, NOT_CALLED);
}
END_TEST

/* The descriptor is in `user`, later in `in`. */
static const enum libwebsocket_callback_reasons descriptors[] = {LWS_CALLBACK_ADD_POLL_FD,
    LWS_CALLBACK_DEL_POLL_FD, LWS_CALLBACK_SET_MODE_POLL_FD, LWS_CALLBACK_CLEAR_MODE_POLL_FD,
    LWS_CALLBACK_FILTER_NETWORK_CONNECTION};

START_TEST(descriptors_are_where_the_day_has_them)
{
    void *fd = (void *)(intptr_t)42;

    (void)call(20110219, descriptors[_i], session, fd, 5, 0);
    ck_assert_ptr_eq(called.user, fd);
    ck_assert_ptr_null(called.in);
    ck_assert_uint_eq(called.length, 5);
    (void)call(20130214, descriptors[_i], session, fd, 5, 0);
    ck_assert_ptr_eq(called.user, fd);
    ck_assert_ptr_null(called.in);
    (void)call(20130215, descriptors[_i], session, fd, 5, 0);
    ck_assert_ptr_eq(called.user, session);
    ck_assert_ptr_eq(called.in, fd);
    ck_assert_uint_eq(called.length, 5);
}
END_TEST

START_TEST(arguments_are_handed_on)
{
    static const int levels[] = {20101218, 20110213, 20110214, 20130115, 20130316, NEWEST};

    for (int i = 0; i < COUNT(levels); i++) {
        (void)call(levels[i], LWS_CALLBACK_RECEIVE, session, text, 3, 0);
        ck_assert_int_eq(called.reason, LWS_CALLBACK_RECEIVE);
        ck_assert_ptr_eq(called.user, session);
        ck_assert_ptr_eq(called.in, text);
        ck_assert_uint_eq(called.length, 3);
    }
}
END_TEST

START_TEST(a_sent_file_is_named_for_a_month)
{
    (void)call(20130115, LWS_CALLBACK_HTTP_FILE_COMPLETION, session, NULL, 0, 0);
    ck_assert_ptr_eq(called.in, path);
    ck_assert_uint_eq(called.length, FILE_OFFSET);
    (void)call(20130213, LWS_CALLBACK_HTTP_FILE_COMPLETION, session, NULL, 0, 0);
    ck_assert_ptr_eq(called.in, path);
    (void)call(20130214, LWS_CALLBACK_HTTP_FILE_COMPLETION, session, NULL, 0, 0);
    ck_assert_ptr_null(called.in);
    ck_assert_uint_eq(called.length, 0);
}
END_TEST

/* Programs use their session memory in CLOSED without asking whether there is any. */
START_TEST(closed_has_session_memory_for_a_failed_connect)
{
    (void)call(20120419, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, NULL, text, 3, 0);
    ck_assert_int_eq(called.reason, LWS_CALLBACK_CLOSED);
    ck_assert_ptr_eq(called.user, made_session);
    ck_assert_ptr_null(called.in);
    ck_assert_uint_eq(called.length, 0);

    (void)call(20120419, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, session, text, 3, 0);
    ck_assert_ptr_eq(called.user, session);

    (void)call(20120420, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, NULL, text, 3, 0);
    ck_assert_int_eq(called.reason, LWS_CALLBACK_CLIENT_CONNECTION_ERROR);
    ck_assert_ptr_null(called.user);
    ck_assert_ptr_eq(called.in, text);
    ck_assert_uint_eq(called.length, 3);

    memory_is_short = true;
    lws_set_log_level(0, NULL);
    (void)call(20120419, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, NULL, text, 3, 0);
    lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE, NULL);
    memory_is_short = false;
    ck_assert_int_eq(called.reason, NOT_CALLED);
}
END_TEST

START_TEST(nothing_stands_before_the_newest)
{
    ck_assert_ptr_null(level_callback(20130316));
    ck_assert_ptr_null(level_callback(20131017));
    ck_assert_ptr_nonnull(level_callback(20130222));
}
END_TEST

Suite *level_callback_suite(void)
{
    Suite *suite = suite_create("level callback");
    TCase *test = tcase_create("level callback");

    suite_add_tcase(suite, test);
    tcase_add_loop_test(test, reasons_come_from_their_day_on, 0, COUNT(reasons));
    tcase_add_loop_test(test, results_count_from_their_day_on, 0, COUNT(results));
    tcase_add_loop_test(test, descriptors_are_where_the_day_has_them, 0, COUNT(descriptors));
    tcase_add_test(test, arguments_are_handed_on);
    tcase_add_test(test, a_sent_file_is_named_for_a_month);
    tcase_add_test(test, closed_has_session_memory_for_a_failed_connect);
    tcase_add_test(test, nothing_stands_before_the_newest);
    return suite;
}
