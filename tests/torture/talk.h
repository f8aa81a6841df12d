/* Clients of the library on the stage, which talk to its server through the same context. */
#ifndef LWSLOOP_TESTS_TALK_H
#define LWSLOOP_TESTS_TALK_H

#include <libwebsockets.h>

#include <stdbool.h>
#include <stddef.h>

enum talk_way {
    TALK_BY_ADDRESS,
    TALK_BY_NAME,
    TALK_BY_PROXY,
    TALK_BY_PATH,  /* of a Unix-domain socket */
    TALK_TO_NOBODY /* nobody listens there */
};

#define TALK_ROOM 4096

/* One connection, from the client's side. */
struct talk {
    struct libwebsocket *wsi; /* NULL before and after */
    bool begun;               /* libwebsocket_client_connect() returned it */
    unsigned int established; /* callbacks */
    unsigned int errors;
    unsigned int closed;
    unsigned int pongs;
    int code; /* what the server closed with */
    size_t have;
    char heard[TALK_ROOM];
};

/* The memory that the server's side has. */
struct talk_session {
    size_t counted;
};

/* Forgets all; before the context is made. */
void talk_reset(void);

/* Calls libwebsocket_client_connect(). NULL where that returned NULL. */
struct talk *talk_begin(enum talk_way way);
struct talk *talk_begin_at(const char *address, int port, int ssl_connection, const char *proxy);

/* Turns until the question has an answer; fails the test where it never has. */
void talk_wait(bool (*done)(const struct talk *talk), const struct talk *talk);

/* Waits for what comes of it. False: CLIENT_CONNECTION_ERROR. */
bool talk_is_established(struct talk *talk);

/* Sends a text and waits for the same in return. False: closed instead. */
bool talk_echo(struct talk *talk, const char *text, size_t length);

/* A connection by address for a large binary message, of which the server tells the size. Halfway
 * it wants no more, for a moment. */
struct talk *talk_begin_counting(void);
bool talk_count(struct talk *talk);

/* A ping and its pong. */
bool talk_ping(struct talk *talk);

/* A close from this side; waits for the end. False where that was none in good order. */
bool talk_close(struct talk *talk);

/* Whether the last close took longer than the engine waits for its answer: a machine that has no
 * time for the test may be all that was wrong with it. */
bool talk_was_late(void);

/* Every one that was begun has come to exactly one end. The context is gone. */
void talk_check(void);

callback_function talk_callback;

#endif
