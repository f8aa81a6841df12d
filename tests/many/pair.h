/*
 * A client and the server's end of its connection, both in this process and on one loop. They talk,
 * stop each other's flow, and end, all according to the pair's number.
 */
#ifndef LWSLOOP_TESTS_PAIR_H
#define LWSLOOP_TESTS_PAIR_H

#include <libwebsockets.h>

#include <stdbool.h>

/* What each client sends, and gets back from the server. */
#define PAIR_MESSAGES 8u

/* Who ends it, and how. */
enum pair_end {
    PAIR_CLIENT_RETURNS, /* nonzero from a callback */
    PAIR_SERVER_RETURNS,
    PAIR_CLIENT_CLOSES, /* lws_close() */
    PAIR_SERVER_CLOSES,
    PAIR_CLIENT_LEAVES, /* in the middle of the talk, with more under way to it */
    PAIR_STAYS,         /* until the context is destroyed */
    PAIR_ENDS
};

struct pair_side {
    struct libwebsocket *wsi; /* NULL before it is established and after it is closed */
    unsigned int established; /* callbacks */
    unsigned int closed;
    int code; /* what lws_get_close() said */
    bool stopped;
    bool was_stopped;
};

struct pair {
    unsigned int number;
    struct pair_side client;
    struct pair_side server;
    unsigned int errors; /* CLIENT_CONNECTION_ERROR */
    unsigned int sent;   /* messages */
    unsigned int received;
    size_t offset; /* in the message that is being received */
    bool leaving;
};

/* What there is to know of all of them, by the callbacks. */
struct pairs {
    struct pair *all;
    unsigned int count;
    unsigned int established; /* sides */
    unsigned int waiting;     /* pairs with a side that is stopped */
    unsigned int finished;    /* pairs that have nothing more to say */
    unsigned int closed;      /* sides */
    unsigned int faults;
    /* Called when any of these has changed. */
    void (*changed)(struct libwebsocket_context *context);
};
extern struct pairs pairs;

extern struct libwebsocket_protocols pair_protocols[];

enum pair_end pair_ends(const struct pair *pair);

/* Begins to connect to a port of 127.0.0.1. */
bool pair_connect(
    struct libwebsocket_context *context, struct pair *pair, int port, int ssl_connection);

/* The client begins to talk; sides that were stopped go on; it ends, unless it stays. */
void pair_talk(struct libwebsocket_context *context, struct pair *pair);
void pair_resume(struct pair *pair);
void pair_close(struct libwebsocket_context *context, struct pair *pair);

/* Whether all callbacks came that belong to it, once, with what they have to say. */
bool pair_is_right(const struct pair *pair);

#endif
