/*
 * A folder of files that a server serves, and a client's view of HTTP responses: for the tests that
 * are about HTTP.
 */
#ifndef LWSLOOP_TESTS_HTTP_SITE_H
#define LWSLOOP_TESTS_HTTP_SITE_H

#include "harness.h"

/* The content of the file "hello.txt", which is always there. */
#define SITE_HELLO "hello, file\n"

/* An unchecked fixture: the folder, made before a test case's tests and removed behind them. */
void site_set_up(void);
void site_tear_down(void);

/* The path of a file in it; valid until the next call. */
const char *site_path(const char *name);

/* Makes a file; where data is NULL, one of zeroes that takes no space on the disk. */
void site_write(const char *name, const void *data, size_t length);

/*
 * Serves the folder: the callback of site_protocols[0], which has no name and is also an echo; the
 * others are the harness's "echo" and "discard". What follows a '?' is not part of a file's name.
 */
callback_function site_callback;
extern struct libwebsocket_protocols site_protocols[];
enum { SITE_HTTP, SITE_ECHO, SITE_DISCARD };

/* Starts a server with these protocols, unless options names others. NULL: all defaults. */
struct server *site_start(const struct server_options *options);

struct answer {
    struct ws_response response;
    char *body; /* followed by a NUL */
    size_t length;
};

/*
 * Receives a response with its body, by Content-Length, and checks what holds for all: the form of
 * the status line, one Date, no Transfer-Encoding with a length, and the fields that go with
 * certain statuses.
 */
#define site_receive(client) site_receive_at(client, false, WS_AT)
#define site_receive_to_head(client) site_receive_at(client, true, WS_AT)
struct answer site_receive_at(struct ws_client *client, bool to_head, const char *file, int line);
void answer_free(struct answer *answer);

/* Receives a response and expects this status, and this body unless it is NULL. */
#define site_expect(client, status, body) site_expect_at(client, status, body, WS_AT)
void site_expect_at(
    struct ws_client *client, int status, const char *body, const char *file, int line);

/* Whether a field is there with exactly this value; NULL: whether it is there. */
bool answer_has(const struct answer *answer, const char *name, const char *value);
#define answer_says_close(answer) answer_has(answer, "Connection", "close")

/* Sends a GET request for a path, with further header lines, each with its CRLF. */
void site_get(struct ws_client *client, const char *path, const char *fields);

#endif
