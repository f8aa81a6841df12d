/*
 * One thread that is everything at once: the host with its poll(2) loop, the program with its
 * callbacks, and two clients. The healthy one does nothing while things fail, and must not notice;
 * the victim is what they happen to.
 */
#ifndef LWSLOOP_TESTS_STAGE_H
#define LWSLOOP_TESTS_STAGE_H

#include <libwebsockets.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the file that is served, and of a write that backs up. */
#define STAGE_FILE_SIZE 70000u
#define STAGE_FLOOD_SIZE 200000u
#define STAGE_SEND_BUFFER 8192
#define STAGE_MAX_BACKLOG 65536u
#define STAGE_CLOSE_TIMEOUT_MS 100

#define CLIENT_ROOM (1u << 19)

/* What both ends agree on. */
enum stage_extensions {
    WITHOUT_EXTENSIONS,
    FORGETFUL_EXTENSIONS, /* nothing is kept from one message to the next */
    MINDFUL_EXTENSIONS    /* much is; and they come in the opposite order */
};

struct client {
    int fd; /* -1: none */
    bool ended;
    bool reads_not;
    size_t have;
    unsigned char in[CLIENT_ROOM + 1];
};

struct stage {
    struct libwebsocket_context *context;
    struct libwebsocket *victim_wsi; /* NULL while the victim is no WebSocket */
    struct libwebsocket *healthy_wsi;
    int listener;
    int port;
    unsigned int victims_established;
    unsigned int functions_called;
    bool refused_as_full; /* a write was answered with EAGAIN */
    bool with_tls;        /* the context serves who speaks TLS, too, and has clients that do */
    bool with_path;       /* it listens at stage_path("socket"), too */
    enum stage_extensions extensions;
    struct client healthy;
    struct client victim;
};

extern struct stage stage;

/* Once for a process. close removes what open made. */
void stage_open(void);
void stage_close(void);

/* A context with a listening socket, and the healthy client, established. */
void stage_begin(void);
/* Destroys the context, and has everything checked. */
void stage_end(void);

/* One turn of the loop: serves what is ready, and lets the clients read. Does not wait. */
void stage_turn(void);

/* The same, and waits a little where nothing is ready. */
void stage_wait_turn(void);

/* Turns until it is true. False where the client's connection has ended first; fails the test where
 * neither happens. */
bool stage_wait(const struct client *client, bool (*done)(void));

void client_connect(struct client *client);
void client_close(struct client *client);
void client_send(struct client *client, const void *bytes, size_t length);
void client_send_text(struct client *client, const char *text);
void client_send_frame(
    struct client *client, unsigned int first, const void *payload, size_t length);
void client_take(struct client *client, size_t length);

/* The first frame that has come whole: its payload, and the bytes it takes up. NULL: none. */
const unsigned char *client_frame(
    const struct client *client, unsigned int *first, size_t *length, size_t *total);

/* The status of the first response that has come whole, head and body; 0: none. */
int client_response(const struct client *client, size_t *total);

/* Connects and makes the handshake. */
bool client_establish(struct client *client, const char *subprotocols, const char *extra);

/* Sends text and waits for the answer. */
bool client_echo(struct client *client, const char *text);

/* Which descriptors are open. */
#define DESCRIPTORS 256
struct descriptors {
    bool open[DESCRIPTORS];
};
void descriptors_note(struct descriptors *descriptors);
void descriptors_compare(const struct descriptors *before, const char *when);

/* A socket that listens on a free port of 127.0.0.1. */
int listen_somewhere(int *port);

/* A port on which nobody listens, and which the system gives to nobody who asks for any. */
int free_port(void);

/* Path of a file in this process's temporary folder. */
const char *stage_path(const char *name);

#endif
