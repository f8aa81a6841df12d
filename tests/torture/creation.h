/* Making contexts that may not come to be. */
#ifndef LWSLOOP_TESTS_CREATION_H
#define LWSLOOP_TESTS_CREATION_H

#include <check.h>
#include <stdbool.h>

#include <libwebsockets.h>

#include "stage.h"

struct creation {
    struct lws_context_creation_info info;
    struct lws_context_extras extras;
    struct libwebsocket_context *context;
    struct descriptors before;
    char error[256];
};

/* Arguments that are good, and ask for nothing. */
void creation_setup(struct creation *creation);

/* Returns 0, or -1 and has looked whether all is as it was. */
int creation_try(struct creation *creation);
void creation_destroy(struct creation *creation);

/* Whether somebody listens on a port of this host, by IPv4 or IPv6. */
bool connects(int family, int port);

int listen_at_path(const char *path);

TCase *privileges_case(void);
TCase *creation_failures_case(void);

#endif
