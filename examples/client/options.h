/* The command line. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>

#include "header_lines.h"
#include "loops.h"
#include "url.h"

/* Pointers are NULL where an option was not given, and numbers 0. */
struct options {
    const struct loop *loop;
    struct url url;
    struct header_lines headers;
    const char *subprotocols;
    const char *origin;
    const char *host;
    const char *unix_path;
    const char *proxy;
    const char *authorities;
    const char *certificate;
    const char *key;
    int ping;   /* seconds */
    int linger; /* seconds */
    int count;  /* messages */
    bool insecure;
    bool binary;
    bool quiet;
    bool verbose;
};

enum options_result { OPTIONS_GOOD, OPTIONS_HELP, OPTIONS_WRONG };

/* Has said what there is to say where the result is not GOOD. */
enum options_result options_parse(int count, char **words, struct options *options);

#endif
