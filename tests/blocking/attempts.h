/* Connections that come to nothing, all under way at one time, each with its deadline. */
#ifndef LWSLOOP_TESTS_ATTEMPTS_H
#define LWSLOOP_TESTS_ATTEMPTS_H

#include <libwebsockets.h>

#include "../support/fake_names.h"

#include <stdbool.h>

/* Milliseconds; all different, so that one cannot be taken for another. */
#define RESOLVE_MS 1300
#define CONNECT_MS 1500
#define PROXY_MS 1000
#define TLS_MS 1200
#define HANDSHAKE_MS 1400

/* A look-up of one of the names takes so long. */
#define RESOLVER_MS 5000
extern const struct fake_name attempts_names[];

/* Begins all of them. False, with a line on stderr, where a call returned NULL. */
bool attempts_begin(struct libwebsocket_context *context, const char *folder);

/* A callback about one of them; `user` is what the connection was made with. */
void attempts_callback(
    enum libwebsocket_callback_reasons reason, void *user, const void *in, size_t len);

bool attempts_are_over(void);

/* What came of each, to be handed to step(); up to late_ms after its deadline is in time. */
void attempts_tell(int late_ms, void (*step)(bool good, const char *what));

#endif
