/*
 * The ground that behaviour tests stand on.
 *
 * A test is a Check test in its own process. server_start() makes a context in a thread of its own,
 * the loop's thread, with a listening socket on a free port of 127.0.0.1, on the loop that the
 * environment's LWS_TEST_LOOP names (poll, uv, event or own), and returns when it is being served.
 * The test's body is then a blocking client (tests/support/ws_client.h). Every callback to every
 * protocol is written to the server's log before the program's callback sees it, and the test waits
 * for entries with a deadline: server_wait(server, LWS_CALLBACK_CLOSED, 1). What must be done on
 * the loop's thread is a function given to server_run(). server_stop() destroys the context, runs
 * the loop dry, joins the thread, and has the contract checker (tests/support/contract.h), which is
 * on all the time, look whether everything is balanced. Protocols are plain arrays of
 * struct libwebsocket_protocols; callbacks need to handle what the test is about and nothing else:
 * the four POLL_FD reasons of the hand-written loop are the harness's business. A test sends with
 * send_text() or send_bytes(), which make the padding. For sizes that would take too long when
 * LWS_TEST_CUT moves a byte at a time there is harness_scale().
 *
 * Where the environment's LWS_TEST_TLS is 1, servers speak TLS, and so does every client of
 * ws_client.h.
 *
 * Where LWS_TEST_DEFLATE is 1, contexts have permessage-deflate, and so have those clients and the
 * servers of ws_server.h.
 *
 * A new file adds its Suite to suites.h and main.c.
 */
#ifndef LWSLOOP_TESTS_HARNESS_H
#define LWSLOOP_TESTS_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <libwebsockets.h>

#include "../support/ws_client.h"

struct server;

enum loop_kind { LOOP_POLL, LOOP_UV, LOOP_EVENT, LOOP_OWN };

/* How long a test waits for a callback, in milliseconds. */
#define SERVER_PATIENCE_MS 20000

/* All members may be 0 or NULL. */
struct server_options {
    /* Ends with an element whose callback is NULL; must live as long as the server. Default:
     * default_protocols. */
    struct libwebsocket_protocols *protocols;

    /* struct_size, error and listen_fds are filled in by the harness. */
    struct lws_context_extras extras;

    /* Called on the loop's thread when all is filled in, to change what goes to create. */
    void (*adjust)(struct lws_context_creation_info *info, struct lws_context_extras *extras);

    /* The test's own; server_user() gives it back. */
    void *user;

    /* Listen with a small send buffer on accepted sockets, so that they choke early; bytes. */
    int send_buffer;

    /*
     * Whether the loop refuses a descriptor with these events. Where this is set the loop is the
     * own one, and is told by a sink.
     */
    bool (*refuses)(struct server *server, int events);

    bool may_fail;    /* creation may fail: server_context() is NULL then */
    bool no_attach;   /* nothing serves the context until the test attaches something */
    bool no_listener; /* no listening socket */
    bool unlogged;    /* RECEIVE and WRITEABLE are too many for the log */
    bool plain;       /* without TLS, whatever the environment says */
    bool deflate;     /* with permessage-deflate, as extras say; ws_client.h does not offer it */
};

/* One callback, as it was when it came. */
struct server_record {
    enum libwebsocket_callback_reasons reason;
    int protocol;            /* index of the protocol whose callback it came to */
    unsigned int connection; /* counts connections from 1 in the order seen; 0: no connection */
    struct libwebsocket *wsi;
    size_t len;
    /* What is at `in` where that is bytes: a copy of len bytes and a NUL. NULL otherwise. */
    unsigned char *bytes;
    void *user;

    /* RECEIVE, CLIENT_RECEIVE */
    size_t remaining;
    int final;
    int binary;

    /* CLOSED */
    int close_code;
    char close_reason[128];
};

struct server *server_start(const struct server_options *options); /* NULL: all defaults */
void server_stop(struct server *server);

int server_port(const struct server *server);
void *server_user(const struct server *server);
struct libwebsocket_context *server_context(const struct server *server);
const char *server_error(const struct server *server); /* what extras.error was filled with */

/* The server whose loop the calling thread runs; NULL on other threads. For use in callbacks. */
struct server *server_here(void);

/* Runs a function on the loop's thread, from outside a service call where the loop allows it (on
 * the poll adapter it is inside one), and waits until it has returned. */
void server_run(
    struct server *server, void (*function)(struct server *server, void *argument), void *argument);

/* The same without waiting. */
void server_post(
    struct server *server, void (*function)(struct server *server, void *argument), void *argument);

/* Has the loop's thread wait, from when this returns until server_go_on(). One at a time. */
void server_hold(struct server *server);
void server_go_on(struct server *server);

/* Destroys the context. For the loop's thread, callbacks included. */
void server_destroy_context(struct server *server);

/*
 * The log. Reasons are counted over all connections, the four POLL_FD ones not at all. wait fails
 * the test if the deadline passes; the n-th record counts from 0, is waited for, and belongs to the
 * server.
 */
void server_wait(struct server *server, enum libwebsocket_callback_reasons reason, size_t count);
size_t server_count(struct server *server, enum libwebsocket_callback_reasons reason);
const struct server_record *server_record(
    struct server *server, enum libwebsocket_callback_reasons reason, size_t n);
/* Records of all reasons in order. Returns NULL where there is no n-th one yet. */
const struct server_record *server_nth(struct server *server, size_t n);
/* The most recently established connection that is still there, or NULL. */
struct libwebsocket *server_last_wsi(struct server *server);

/* Waits until function returns true on the loop's thread; it is asked again and again. */
void server_wait_until(
    struct server *server, bool (*function)(struct server *server, void *argument), void *argument);

/*
 * Moves the context to a new loop of the same kind, or of another one, and runs that from now on.
 * For the loop's thread, callbacks included.
 */
void server_move(struct server *server, enum loop_kind kind);

/* Turns of a timer of the host's own, which starts with the first call and fires every 10 ms. */
unsigned long server_ticks(struct server *server);

/* Calls of libwebsocket_service_fd so far. */
unsigned long server_service_calls(void);
/* How often the loop's thread has gone to sleep so far (its voluntary context switches). */
unsigned long server_sleeps(struct server *server);

/* Sends from the loop's thread; returns what libwebsocket_write() returned. */
int send_text(struct libwebsocket *wsi, const char *text);
int send_bytes(struct libwebsocket *wsi, const void *bytes, size_t len,
    enum libwebsocket_write_protocol protocol);

/*
 * default_protocols, by name:
 *   http      (protocols[0]) answers every request with 200 and a short text, and keeps a
 *             WebSocket silent
 *   echo      sends each message back whole, with its kind; rx_buffer_size 4096
 *   mirror    sends each piece back as a fragment the moment it comes; rx_buffer_size 512
 *   closer    closes by return value on the first message, which is "CODE REASON", or "" for none
 *   flood     on any message sends 64 KiB binary frames by WRITEABLE for ever
 *   discard   takes everything
 */
extern struct libwebsocket_protocols default_protocols[];
enum {
    PROTOCOL_HTTP,
    PROTOCOL_ECHO,
    PROTOCOL_MIRROR,
    PROTOCOL_CLOSER,
    PROTOCOL_FLOOD,
    PROTOCOL_DISCARD
};

/* The callbacks of two of them, to build arrays from. */
callback_function echo_callback;
callback_function discard_callback;

/* A test case with a time-out that fits these tests. */
TCase *harness_case(const char *name);

enum loop_kind harness_loop(void);

/* Whether LWS_TEST_TLS asks for TLS. */
bool harness_tls(void);

/* Whether LWS_TEST_DEFLATE asks for permessage-deflate. */
bool harness_deflate(void);

/* Whether a sanitizer keeps what was freed, and makes all slow. */
bool harness_sanitized(void);

/* How many turns of server_ticks() show that a loop was not blocked, where a free machine makes
 * `fair` of them: a busy one makes few. */
unsigned long harness_ticks(unsigned long fair);

/* Whether LWS_TEST_CUT is set, so that tests which count system calls can step aside. */
bool harness_cut(void);

/* Whether the system at times refuses to take or give anything, so that what is sent in the last
 * moment may be lost. */
bool harness_refuses_io(void);

/* `size`, or `small` where LWS_TEST_CUT would make it too slow. */
size_t harness_scale(size_t size, size_t small);

/* Expects what libwebsockets_remaining_packet_payload() has said; `due` bytes were to come. How
 * many will be made of what is compressed is not known before, but whether there are any. */
#define harness_expect_remaining(found, due)                                                       \
    do {                                                                                           \
        if (!harness_deflate())                                                                    \
            ck_assert_uint_eq(found, due);                                                         \
        ck_assert_int_eq((found) > 0, (due) > 0);                                                  \
    } while (0)

/* A pattern to send: `length` bytes that depend on `seed`; valid UTF-8. Freed by the caller. */
unsigned char *harness_pattern(size_t length, unsigned int seed);

#endif
