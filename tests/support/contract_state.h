/* What the contract checker knows; shared by contract*.c. */
#ifndef LWSLOOP_TESTS_CONTRACT_STATE_H
#define LWSLOOP_TESTS_CONTRACT_STATE_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "contract.h"

#define CONTRACT_PROTOCOLS 10
#define CONTRACT_CONTEXTS 64
#define CONTRACT_DESCRIPTORS 70000
#define CONTRACT_CALLS 64
#define CONTRACT_LISTENERS 64

/* Who is told of descriptors: a sink, or protocols[0]. */
enum channel { CHANNEL_SINK, CHANNEL_PROTOCOL, CHANNELS };

struct watch {
    bool live; /* between ADD and DEL */
    int events;
    unsigned int flags;
    uint64_t mode_call; /* the outermost call in which the last SET or CLEAR came */
    int set;            /* the bits named in it */
    int cleared;
};

struct context_record {
    bool used;
    bool destroy_asked;
    bool all_protocol_asked;                          /* WRITEABLE may come to anyone then */
    struct libwebsocket_context *context;             /* NULL while it is being created */
    unsigned int depth;                               /* calls into it, nested */
    uint64_t outermost;                               /* number of the outermost one */
    struct libwebsocket_protocols *protocols;         /* NULL for an older level */
    int level;                                        /* of the program */
    const void *elements[CONTRACT_PROTOCOLS];         /* of its array of protocols */
    callback_function *callbacks[CONTRACT_PROTOCOLS]; /* the program's own */
    size_t session_size[CONTRACT_PROTOCOLS];
    size_t receive_size[CONTRACT_PROTOCOLS];
    bool initialised[CONTRACT_PROTOCOLS];
    bool finished[CONTRACT_PROTOCOLS];
    int protocol_count;
    struct attachment *attachment;
    pthread_t thread; /* of the last service call, or of its creation */
    pid_t process;    /* that made or adopted it: what it was told, another one was not */
};

struct connection_record {
    struct connection_record *next;
    struct libwebsocket *wsi;
    struct context_record *owner;
    uint64_t number;
    int fd;
    int protocol;
    void *user;
    bool established;
    bool closed;
    bool http;
    bool http_closed;
    bool closing; /* a callback's return value or a call asked for the end */
    bool client;  /* made by libwebsocket_client_connect() */
    void *given;  /* the caller's own session memory, or what is made before it is needed */
    bool made;    /* the latter */
    bool appended;
    bool filtered;
    bool failed; /* CLIENT_CONNECTION_ERROR came */
    bool receive_stopped;
    bool writeable_asked;
    uint64_t writeable_call; /* the service call in which WRITEABLE came last */
};

struct descriptor {
    struct watch channel[CHANNELS];
    struct context_record *owner;
    struct connection_record *connection;
    bool open; /* was announced and has not been closed */
};

struct attachment {
    struct attachment *next;
    struct context_record *owner;
    lws_poll_fd_function *function;
    void *user;
    bool detached;
    unsigned int live;
};

/* What is going on in a thread, innermost last. */
enum call_kind {
    CALL_CREATE,
    CALL_DESTROY,
    CALL_SERVICE,
    CALL_RELOAD,
    CALL_BROADCAST,
    CALL_CLOSE,
    CALL_OTHER,    /* calls that may not call back */
    CALL_CALLBACK, /* back in the program */
    CALL_POLL_FD,  /* in one of the four */
    CALL_FUNCTION  /* in a function of lws_call_in_service() */
};

struct call {
    enum call_kind kind;
    const char *name;
    struct context_record *record;
    uint64_t number;

    /* CALL_SERVICE: what was handed in, in memory of the checker's */
    struct pollfd *pollfd;
    struct pollfd expected;
    bool ours;
    bool poisoned;
};

extern struct descriptor contract_descriptors[CONTRACT_DESCRIPTORS];

void contract_lock(void);
void contract_unlock(void);

/* Writes a message and the latest events, and ends the process. */
_Noreturn void contract_trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Remembers an event for that message. */
void contract_note(const char *what, const char *name, const void *wsi, int fd, long value);
const char *contract_reason_name(enum libwebsocket_callback_reasons reason);

/* The library's own function of this link name. */
void *contract_next(const char *link_name);

struct call *contract_enter(enum call_kind kind, const char *name, struct context_record *record);
void contract_leave(struct call *call);
struct call *contract_innermost(void);
/* The nearest enclosing call of a kind, or NULL. */
struct call *contract_nearest(enum call_kind kind);
/* Whether the engine itself is calling one of its public functions. */
bool contract_inside_engine(void);

/* The processor's time that this thread has used; and what a service call took of it. */
long contract_time_used_us(void);
void contract_remember_service(long microseconds);

struct context_record *contract_new_context(void);
struct context_record *contract_find_context(struct libwebsocket_context *context);
/* The one that the current thread is creating, or NULL. */
struct context_record *contract_creating(void);

struct descriptor *contract_descriptor(int fd);
struct connection_record *contract_find_connection(const struct libwebsocket *wsi);
struct connection_record *contract_connection(
    struct context_record *record, struct libwebsocket *wsi);
void contract_forget_connection(struct connection_record *connection);
/* Notes which descriptor it has; -1 for none. */
void contract_set_descriptor(struct connection_record *connection, int fd);
void contract_each_connection(
    struct context_record *record, void (*function)(struct connection_record *, int), int value);

/* Whether the process was forked since it was made or adopted. */
bool contract_is_copy(const struct context_record *record);

/* Of a copy: forgets what loops watch; it is the other process's. */
void contract_forget_watches(struct context_record *record);

/* Expects that a destroyed context has left nothing behind, and forgets it. */
void contract_context_ended(struct context_record *record);

/* What a program of an older level is told, as the present level has it; nothing else is changed.
 */
void contract_older_arguments(const struct context_record *record, const struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons *reason, void **user, void **in);

/* Whether what it returned makes no difference at its level. */
bool contract_older_ignores(
    const struct context_record *record, enum libwebsocket_callback_reasons reason);

/* Reasons that only clients are told. */
bool contract_is_client_reason(enum libwebsocket_callback_reasons reason);
/* What such a reason needs; the record is the wsi's. */
void contract_check_client(struct context_record *record, struct connection_record *connection,
    int protocol, enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len);
/* The reasons that OpenSSL's settings and its verification have. */
bool contract_is_tls_reason(enum libwebsocket_callback_reasons reason);
void contract_check_tls(struct context_record *record, const struct libwebsocket *wsi, int protocol,
    enum libwebsocket_callback_reasons reason, const void *user, const void *in);
/* What every callback about an established WebSocket has in common. */
void contract_check_established(
    const struct connection_record *connection, int protocol, const void *user, const char *name);
/* The session memory of a new connection. */
void contract_check_memory(const struct context_record *record,
    const struct connection_record *connection, int protocol, const unsigned char *user,
    const char *name);

/* The function to give to the library in place of protocol number `index`'s callback. */
callback_function *contract_trampoline(int index);

/* The sink that stands in for an adapter's. */
lws_poll_fd_function contract_sink;
struct attachment *contract_new_attachment(void);

extern contract_observer *contract_the_observer;

#endif
