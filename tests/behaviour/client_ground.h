/*
 * The ground of the tests of clients: a context without a listening socket on the loop that
 * LWS_TEST_LOOP names, and scripted servers (tests/support/ws_server.h) on the test's own thread.
 * Where LWS_TEST_TLS is 1 both speak TLS.
 */
#ifndef LWSLOOP_TESTS_CLIENT_GROUND_H
#define LWSLOOP_TESTS_CLIENT_GROUND_H

#include "../support/ws_server.h"
#include "harness.h"

/* What goes to libwebsocket_client_connect(), and what comes back. */
struct client {
    const char *address; /* NULL: 127.0.0.1 */
    int port;
    int ssl; /* ORed with what LWS_TEST_TLS says */
    const char *path;
    const char *host;
    const char *origin;
    const char *protocol;
    int version;    /* 0: -1 */
    void *userdata; /* where it is not NULL, _extended is called */

    struct libwebsocket *wsi;
    int error;
};

/* The protocols of client_start(). */
enum { CLIENT_FIRST, CLIENT_CHAT, CLIENT_SECOND, CLIENT_SMALL };
#define CLIENT_SESSION_SIZE 24 /* of CHAT */
#define CLIENT_RX_SIZE 4096    /* of all but SMALL, which has 64 */
extern struct libwebsocket_protocols client_protocols[];

/*
 * Starts a context for clients. Where options name no protocols it has client_protocols, which do
 * nothing but call client_hook, where that is not NULL, and return what it returns.
 */
struct server *client_start(const struct server_options *options);
extern callback_function *client_hook;

/* Connects on the loop's thread, and waits until the call has returned. Fails the test where it
 * returned NULL; client_try() does not. */
void client_begin(struct server *loop, struct client *client);
void client_try(struct server *loop, struct client *client);

/* The same for the loop's thread. */
void client_begin_here(struct client *client);

/* Connects to the port, and has the server accept with the subprotocol "chat", which is asked for.
 * Waits for CLIENT_ESTABLISHED. */
struct ws_client *client_open(struct server *loop, struct ws_server *server, struct client *client);

/* The usual end: from the server's side, with 1000. Waits for CLOSED. */
void client_finish(struct server *loop, struct ws_client *peer);

/* Waits for the n-th CLIENT_CONNECTION_ERROR and expects that its reason has this text in it. */
#define client_expect_error(loop, n, text) client_expect_error_at(loop, n, text, WS_AT)
void client_expect_error_at(
    struct server *loop, size_t n, const char *text, const char *file, int line);

/* Runs libwebsocket_set_proxy() on the loop's thread; returns what it returned. */
int client_set_proxy(struct server *loop, const char *proxy);

/* 1 where LWS_TEST_TLS is 1. */
int client_ssl(void);

#endif
