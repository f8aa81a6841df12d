/* A context: the engine, the descriptors by number, and whom to tell about them. */
#ifndef LWSLOOP_SERVICE_CONTEXT_H
#define LWSLOOP_SERVICE_CONTEXT_H

#include "codec/proxy_address.h"
#include "connection/connection.h"
#include "connection/engine.h"
#include "platform/broadcast_channel.h"
#include "platform/fork_guard.h"
#include "platform/listen_socket.h"
#include "platform/process_lock.h"
#include "platform/resolver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_NAME_SIZE = 256, LISTENERS_MAX = 129 };

/* A function that another thread wants called. */
struct call;

struct calls {
    pthread_mutex_t mutex;
    struct call *first;
    struct call **end;
    bool closed; /* the context is being destroyed: no more are taken */
};

struct libwebsocket_context {
    struct engine engine;
    unsigned int depth;         /* of calls into the library */
    unsigned int service_depth; /* of those, the service calls */
    bool destroy_asked;         /* inside a call: done as the outermost returns */
    bool announcing;            /* inside one of the four callbacks */

    lws_poll_fd_function *sink; /* NULL: protocols[0] is told */
    void *sink_user;

    struct libwebsocket **by_fd;
    size_t by_fd_size;
    size_t connections;
    struct queue graves; /* closed, but perhaps still named by calls further out */
    /* What is left of engine.attention, and of engine.work, in the rounds that are under way: a
     * service call further in goes on with it. */
    struct queue settle_round;
    struct queue work_round;
    bool created;           /* the program has, or is about to get, the context */
    size_t protocols_begun; /* how many were told PROTOCOL_INIT */

    struct libwebsocket *wake;
    struct libwebsocket *timer;
    bool wake_signalled;     /* by this thread, and not served yet */
    uint64_t timer_at;       /* when the timer is armed for; UINT64_MAX for not at all */
    bool deadlines_due;      /* to be judged when the descriptors of this round have been served */
    uint64_t deadlines_upto; /* the time up to which they are */
    unsigned int deadlines_depth; /* how deep inside calls that was noted */

    struct libwebsocket *listeners[LISTENERS_MAX];
    size_t listener_count;
    size_t adopted_count; /* of those, the last ones, which the program opened */
    bool listeners_paused;
    bool limit_told; /* the log has been told once that there are too many connections */
    struct deadline listeners_resume; /* when to try again after descriptors ran out */

    struct resolver *resolver;  /* NULL until a name is looked up */
    struct proxy_address proxy; /* of clients; no host: none */

    struct calls calls;

    _Atomic uint32_t process; /* whose copy this is, as the guard numbers them */
    _Atomic(const void *) serving_thread;
    struct process_lock lock;         /* the last to serve holds it */
    struct broadcast_channel channel; /* none where the context never listened */
    int channel_error;                /* why a context that listens has none; 0: it has one */
    struct libwebsocket *broadcasts;  /* its receiving end */
    unsigned int broadcasts_lost;
    bool loss_told; /* the log has been told, at that time */
    uint64_t loss_told_at;
    atomic_bool renounced; /* this copy can only broadcast */
    bool refusal_told;
    atomic_bool outside; /* another thread, or a signal handler, left something to do */

    int ka_time;
    int ka_probes;
    int ka_interval;
    void *user;
    char *unix_path; /* removed at the end; NULL for none */
    struct unix_name unix_name;
    char host_name[HOST_NAME_SIZE];
};

/* What a public function may do to the program while it runs. */
enum call_kind {
    CALL_PLAIN,  /* announce descriptors */
    CALL_ENDING, /* and tell of connections that end */
    CALL_SERVICE /* and everything else; what is written leaves at its end */
};

/*
 * Every public function that changes something is between these two. What is due as a call returns,
 * settling, is done by leave; it frees the context if that was asked for inside, and returns false
 * then.
 */
bool context_enter(struct libwebsocket_context *context, enum call_kind kind);
bool context_leave(struct libwebsocket_context *context, enum call_kind kind);

/* NULL for a descriptor that is not the engine's. */
static inline struct libwebsocket *context_find(const struct libwebsocket_context *context, int fd)
{
    return fd >= 0 && (size_t)fd < context->by_fd_size ? context->by_fd[fd] : NULL;
}

/* Something that only the calling thread has the address of. */
const void *thread_mark(void);

/* Files a connection, or one of the engine's own, under its descriptor. False: memory is short. */
bool context_file(struct libwebsocket_context *context, struct libwebsocket *wsi);
void context_unfile(struct libwebsocket_context *context, struct libwebsocket *wsi);

/* Turns TCP keepalive on for a connection where the program asked for that. */
void context_keep_alive(const struct libwebsocket_context *context, int fd);

/* Frees everything. Callbacks may come from it. */
void context_end(struct libwebsocket_context *context);

/* Has the engine served again soon. */
void context_wake(struct libwebsocket_context *context);

static inline struct libwebsocket_context *context_of(const struct libwebsocket *wsi)
{
    return engine_of(wsi)->context;
}

#endif
