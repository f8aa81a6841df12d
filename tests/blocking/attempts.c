#include "attempts.h"

#include "cost.h"
#include "host.h"
#include "peers.h"

#include <stdio.h>
#include <string.h>

/* More look-ups than there are threads for them: some wait, and have their deadline too. */
#define SLOW_LOOKUPS 20

const struct fake_name attempts_names[] = {
    {.name = "slow.example", .delay_ms = RESOLVER_MS, .addresses = {"127.0.0.1"}},
    {.name = "deaf.example", .addresses = {"127.0.0.1", "127.0.0.2", "127.0.0.3"}},
    {.name = NULL},
};

enum { TO_NOBODY = PEERS, TO_FULL };

struct attempt {
    const char *what;
    const char *address;
    int peer;      /* an enum peer, or one of the above */
    bool by_proxy; /* the address is the proxy's */
    int ssl;
    int deadline_ms;
    const char *reason;
    unsigned int count; /* of such attempts */
};

static const char lookup_late[] = "name look-up timed out";
static const char proxy_lookup_late[] = "proxy: name look-up timed out";
static const char connect_late[] = "connect timed out";
static const char proxy_connect_late[] = "proxy: connect timed out";
static const char tls_late[] = "TLS handshake timed out";
static const char proxy_late[] = "the proxy did not answer in time";
static const char server_late[] = "the server did not answer in time";

static const struct attempt kinds[] = {
    {"a connect that is not answered", "127.0.0.1", PEER_DEAF, false, 0, CONNECT_MS, connect_late,
        2},
    {"connects to three addresses that are not answered", "deaf.example", PEER_DEAF, false, 0,
        CONNECT_MS, connect_late, 2},
    {"a connect to a proxy that is not answered", "127.0.0.1", PEER_DEAF, true, 1, CONNECT_MS,
        proxy_connect_late, 1},
    {"a Unix-domain socket whose queue is full", NULL, TO_FULL, false, 0, CONNECT_MS, connect_late,
        2},
    {"a TLS server that is silent", "127.0.0.1", PEER_SILENT, false, 1, TLS_MS, tls_late, 2},
    {"a TLS server that stops in the middle", "127.0.0.1", PEER_HALF, false, 1, TLS_MS, tls_late,
        2},
    {"a proxy that is silent", "127.0.0.1", PEER_SILENT, true, 0, PROXY_MS, proxy_late, 2},
    {"a proxy that says a byte now and then", "127.0.0.1", PEER_TRICKLE, true, 1, PROXY_MS,
        proxy_late, 2},
    {"a server that is silent", "127.0.0.1", PEER_SILENT, false, 0, HANDSHAKE_MS, server_late, 2},
    {"a server that says a byte now and then", "127.0.0.1", PEER_TRICKLE, false, 0, HANDSHAKE_MS,
        server_late, 2},
    {"a proxy whose name takes 5 s to look up", "slow.example", TO_NOBODY, true, 0, RESOLVE_MS,
        proxy_lookup_late, 1},
    {"a name that takes 5 s to look up", "slow.example", TO_NOBODY, false, 1, RESOLVE_MS,
        lookup_late, SLOW_LOOKUPS},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

struct course {
    size_t kind;
    int64_t began;
    int64_t lasted;
    unsigned int errors;
    bool answered_otherwise; /* a callback that is not its CLIENT_CONNECTION_ERROR */
    char reason[128];
};

static struct course courses[64];
static size_t count;
static size_t over;

static bool begin(struct libwebsocket_context *context, size_t kind, const char *folder)
{
    const struct attempt *attempt = &kinds[kind];
    int port = attempt->peer < PEERS ? peers_port((enum peer)attempt->peer) : 9;
    const char *address = attempt->by_proxy ? "server.example" : attempt->address;
    struct course *course = &courses[count++];
    char text[160];
    bool good;

    if (attempt->peer == TO_FULL) {
        snprintf(text, sizeof text, "unix:%s/full", folder);
        address = text;
    } else {
        snprintf(text, sizeof text, "%s:%d", attempt->address, port);
    }
    course->kind = kind;
    course->began = host_now_ms();
    cost_begin();
    good = libwebsocket_set_proxy(context, attempt->by_proxy ? text : NULL) == 0 &&
           libwebsocket_client_connect_extended(
               context, address, port, attempt->ssl, "/", NULL, NULL, "silent", -1, course) != NULL;
    cost_end();
    return good;
}

bool attempts_begin(struct libwebsocket_context *context, const char *folder)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (unsigned int i = 0; i < kinds[kind].count; i++) {
            if (!begin(context, kind, folder)) {
                fprintf(stderr, "%s: cannot be begun\n", kinds[kind].what);
                return false;
            }
        }
    }
    return true;
}

void attempts_callback(
    enum libwebsocket_callback_reasons reason, void *user, const void *in, size_t len)
{
    struct course *course = user;

    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        course->lasted = host_now_ms() - course->began;
        if (course->errors++ == 0)
            over++;
        snprintf(course->reason, sizeof course->reason, "%.*s", (int)len, (const char *)in);
        break;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        break;
    default:
        course->answered_otherwise = true;
        break;
    }
}

bool attempts_are_over(void)
{
    return count > 0 && over == count;
}

static bool is_good(const struct course *course, int late_ms)
{
    const struct attempt *attempt = &kinds[course->kind];
    bool good = course->errors == 1 && !course->answered_otherwise &&
                course->lasted >= attempt->deadline_ms &&
                course->lasted <= attempt->deadline_ms + late_ms &&
                strcmp(course->reason, attempt->reason) == 0;

    if (!good)
        fprintf(stderr, "%s: %u times \"%s\" after %ld ms, with a deadline of %d ms%s\n",
            attempt->what, course->errors, course->reason, (long)course->lasted,
            attempt->deadline_ms, course->answered_otherwise ? ", and other callbacks" : "");
    return good;
}

void attempts_tell(int late_ms, void (*step)(bool good, const char *what))
{
    size_t next = 0;

    for (size_t kind = 0; kind < KINDS; kind++) {
        bool good = next < count;

        for (; next < count && courses[next].kind == kind; next++)
            good = is_good(&courses[next], late_ms) && good;
        step(good, kinds[kind].what);
    }
}
