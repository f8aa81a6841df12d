/*
 * A blocking, scripted WebSocket server for tests of clients, independent of the library. What it
 * accepts is a struct ws_client with `serves` set, for which all functions of ws_client.h work the
 * other way round.
 */
#ifndef LWSLOOP_TESTS_WS_SERVER_H
#define LWSLOOP_TESTS_WS_SERVER_H

#include "ws_client.h"

struct ws_server {
    int fd;
    int port;
    bool plain; /* whoever is accepted is carried by TCP alone */
};

/* Listens at a numeric address; NULL: 127.0.0.1. Port 0: a free one. NULL where a port is taken. */
struct ws_server *ws_listen(const char *address, int port);

/* Listens at the path of a Unix-domain socket. */
struct ws_server *ws_listen_unix(const char *path);

/*
 * Listens at a numeric address and lets nobody in: the queue is full already, and so whoever
 * connects never gets an answer.
 */
struct ws_server *ws_listen_deaf(const char *address, int port);

/* Listens at two addresses on one port that is free at both. */
struct ws_place {
    const char *address;
    bool deaf;
};
void ws_listen_both(const struct ws_place places[2], struct ws_server *servers[2]);

/* Stops listening. NULL is harmless. */
void ws_server_free(struct ws_server *server);

/* Has everybody who is accepted handed to a function, to be carried by something; NULL: by TCP
 * alone. */
void ws_carry_accepted(void (*carry)(struct ws_client *peer));

/* Has a function say what became of those who were expected, where nobody comes. */
void ws_explain_absence(const char *(*explain)(void));

/* Waits for a connection. */
#define ws_accept(server) ws_accept_at(server, WS_AT)

/* Whether a connection comes within so many milliseconds; it is closed again. */
bool ws_is_called(struct ws_server *server, int milliseconds);

/* The head of a request, NUL-terminated, with the empty line at its end; freed by the caller. */
#define ws_receive_request(peer) ws_receive_request_at(peer, WS_AT)

/* The value of a header field of a head, freed by the caller; NULL where it has not got it. */
char *ws_head_field(const char *head, const char *name);

/*
 * The head of the answer that accepts a request, freed by the caller: with a subprotocol, unless
 * that is NULL, and with further header lines, each with its CRLF, unless they are NULL.
 */
char *ws_acceptance(const char *request, const char *subprotocol, const char *extra);

/* The Sec-WebSocket-Accept that belongs to a request, freed by the caller. */
char *ws_accept_value(const char *request);

/* Accepts a connection and its handshake. */
#define ws_serve(server, subprotocol) ws_serve_at(server, subprotocol, WS_AT)

struct ws_client *ws_accept_at(struct ws_server *server, const char *file, int line);
char *ws_receive_request_at(struct ws_client *peer, const char *file, int line);
struct ws_client *ws_serve_at(
    struct ws_server *server, const char *subprotocol, const char *file, int line);

#endif
