/*
 * The ground of the tests of extensions: probes, which are extensions that look whether what is
 * said to them makes sense, and a pair of a server's and a client's end in one context.
 */
#ifndef LWSLOOP_TESTS_EXTENSION_GROUND_H
#define LWSLOOP_TESTS_EXTENSION_GROUND_H

#include "client_ground.h"

struct probe;

/* A probe's memory for a connection. */
struct probe_session {
    const struct probe *probe; /* NULL before CONSTRUCT and after DESTROY */
    struct libwebsocket *wsi;
    bool is_client;
    /* The hook's own. */
    size_t at;
    size_t length;
    unsigned char *bytes; /* freed with the session */
};

/* What a test does in a probe's place. `session` is NULL where the reason is about no connection on
 * which the probe is active; in CONSTRUCT it is all zero. */
typedef int(probe_hook)(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len);

enum { PROBES = 3, PROBE_REASONS = LWS_EXT_CALLBACK_PAYLOAD_RX + 2 };

struct probe {
    const char *name;
    probe_hook *hook;            /* NULL: nothing but 0 is returned */
    unsigned char reserved_bits; /* those that it wants */

    /* For the loop's thread, or after server_stop(). */
    unsigned int counts[PROBE_REASONS];
    unsigned int live;
    unsigned int contexts;
};

/* "x-one", "x-two" and "x-three". */
extern struct probe probes[PROBES];

/* Makes the first `count` probes the extensions of the contexts to come. */
void give_probes(unsigned int count);

/* What give_extensions() puts into info->extensions; for `adjust` of struct server_options. */
extern struct libwebsocket_extension *given_extensions;
void give_extensions(struct lws_context_creation_info *info, struct lws_context_extras *extras);

extension_callback_function probe_callback;

/* How often a probe was called with a reason. The first is for the loop's thread. */
unsigned int probe_counted(
    const struct probe *probe, enum libwebsocket_extension_callback_reasons reason);
unsigned int probe_count(struct server *loop, const struct probe *probe,
    enum libwebsocket_extension_callback_reasons reason);
void probe_wait(struct server *loop, const struct probe *probe,
    enum libwebsocket_extension_callback_reasons reason, unsigned int count);

/* Expects that every connection and context that a probe was told of has ended. */
void probes_expect_balance(void);

/* A text that hooks add to, to see what came before what. */
__attribute__((format(printf, 1, 2))) void probe_note(const char *format, ...);
extern char probe_notes[4096];

enum side { SERVER_SIDE, CLIENT_SIDE, SIDES };

struct message {
    unsigned char *bytes; /* followed by a NUL */
    size_t length;
    bool binary;
    unsigned char reserved_bits;
    unsigned int pieces;
};

/* One end of the pair. For the loop's thread. */
struct end {
    struct libwebsocket *wsi; /* NULL before it is established and after CLOSED */
    struct message *messages; /* whole ones, and behind them the one that is coming */
    size_t count;
    size_t received; /* bytes of all of them */
    unsigned int pongs;
    bool closed;
    int close_code;
    char close_reason[128];
};
extern struct end ends[SIDES];

/* PAIR has pair_hook called, and keeps messages; ECHO is for connections beside it. */
enum { PROTOCOL_PAIR, PROTOCOL_BESIDE };
extern struct libwebsocket_protocols pair_protocols[];
extern callback_function *pair_hook;

/* Starts a context that listens, with the given extensions. */
struct server *pair_start(const struct server_options *options);

/* Connects a client of the context to its server; waits until both are established. */
void pair_connect(struct server *loop);

/* The end that a callback is about; SIDES for a connection beside the pair. */
enum side pair_side(const struct libwebsocket *wsi);

/* Writes on the loop's thread. pair_send() expects that all of it was taken. */
int pair_write(struct server *loop, enum side side, const void *bytes, size_t length,
    unsigned int protocol, int *error);
void pair_send(
    struct server *loop, enum side side, const void *bytes, size_t length, unsigned int protocol);

/* How many messages this end has received. */
size_t pair_count(struct server *loop, enum side side);

/* Waits until this end has received the n-th message, and expects that it is this one. */
void pair_expect(struct server *loop, enum side side, size_t n, const void *bytes, size_t length);

/* Writes at one end, and expects it at the other as the next message there. */
void pair_carry(
    struct server *loop, enum side from, const void *bytes, size_t length, unsigned int protocol);

/* Calls lws_close() at this end. */
void pair_close(struct server *loop, enum side side, int code, const char *reason);

/* Waits until both are closed. */
void pair_wait_closed(struct server *loop);

/* The usual end: closes the pair, stops the context, and expects that all is balanced. */
void pair_finish(struct server *loop);

/* Stops the context, and expects that all is balanced. */
void pair_stop(struct server *loop);

/* Connects a raw client to protocol PAIR, with these header lines. The answer's field about
 * extensions, freed by the caller, is NULL where it has none. */
struct ws_client *raw_open(struct server *loop, const char *lines, char **answer);

/* A raw client with the extensions that this list offers, which all have to be accepted. */
struct ws_client *raw_extended(struct server *loop, const char *list);

/* A connection without extensions, and whether it is well. */
struct ws_client *beside_open(struct server *loop);
void beside_expect_well(struct ws_client *beside);

#endif
