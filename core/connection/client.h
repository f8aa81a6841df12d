/* A connection on its way to a server: what was asked for, and how far it has come. */
#ifndef LWSLOOP_CONNECTION_CLIENT_H
#define LWSLOOP_CONNECTION_CLIENT_H

#include "codec/http_head.h"
#include "connection/connection.h"
#include "connection/header_tokens.h"
#include "platform/resolver.h"

#include <stdbool.h>

enum { CLIENT_FAILURE_SIZE = 160, CLIENT_KEY_SIZE = 25 };

/* The arguments of libwebsocket_client_connect(). */
struct client_request {
    const char *address;
    int port;
    int ssl_connection;
    const char *path;
    const char *host;
    const char *origin;
    const char *protocols;
    int version;
    void *session; /* the caller's; NULL for the library's own */

    /* The context's proxy; NULL for none. */
    const char *proxy_host;
    int proxy_port;
    const char *proxy_authorization; /* may be NULL */
};

/* An answer's head, of a proxy or a server. */
struct client_answer {
    struct http_head head;
    struct header_tokens tokens;
    unsigned int interim; /* answers that came before it */
};

struct client {
    /* As they go on the wire, or are looked up. */
    char *address;   /* a name, a numeric address without brackets, or a path */
    char *authority; /* address and port, as a proxy is asked for them */
    char *target;
    char *host;
    char *name;       /* the host without its port */
    char *origin;     /* NULL for none; with a scheme */
    char *protocols;  /* NULL for none */
    char *proxy_host; /* NULL for none */
    char *proxy_authorization;
    int port;
    int proxy_port;
    int version;
    bool is_unix;
    unsigned char ssl_connection;
    char key[CLIENT_KEY_SIZE];
    uint32_t offered; /* the context's extensions that were, a bit each */
    struct client_answer answer;

    /* Reaching the server. */
    struct libwebsocket *lookup_descriptor; /* NULL unless a name is being looked up */
    struct lookup *lookup;
    struct libwebsocket *turn;          /* NULL unless it waits for a later call */
    struct socket_addresses *addresses; /* NULL until they are known */
    size_t next_address;
    struct list_node attempts; /* sockets being connected */
    int error;                 /* of the last attempt that failed */

    bool failed;
    char failure[CLIENT_FAILURE_SIZE];
};

/*
 * Makes a client that is CONNECTING. NULL, with errno and a log line, where the request makes no
 * sense or memory is short.
 */
struct libwebsocket *client_create(struct engine *engine, const struct client_request *request);

/* Frees what is only needed on the way; the wsi is a client that is not established. */
void client_free(struct libwebsocket *wsi);

/* The way ends here. The first reason that is given is the one that counts. */
void client_fail(struct libwebsocket *wsi, const char *why);

/* The same for what may have happened between here and a proxy, and is said to have then. */
void client_fail_on_the_way(struct libwebsocket *wsi, const char *why);

/* The transport has a connected socket. */
void client_connected(struct libwebsocket *wsi);

/* Nothing but the server is at the other end. */
void client_tunnelled(struct libwebsocket *wsi);

/* And the transport is ready to carry the handshake. */
void client_transport_ready(struct libwebsocket *wsi);

/* Bytes from a proxy or a server that has not accepted yet. Returns how many were taken. */
size_t client_input(struct libwebsocket *wsi, const unsigned char *bytes, size_t length);

/* The proxy or the server has hung up. */
void client_hung_up(struct libwebsocket *wsi);

/* The present stage took too long. */
void client_late(struct libwebsocket *wsi);

#endif
