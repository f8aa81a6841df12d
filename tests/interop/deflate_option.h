/* permessage-deflate as the command line of the programs here has it. */
#ifndef LWSLOOP_TESTS_DEFLATE_OPTION_H
#define LWSLOOP_TESTS_DEFLATE_OPTION_H

#include <libwebsockets.h>

#include <stdbool.h>

/*
 * Has the context support it, with these settings: NAME=NUMBER,… of level, memory_level, threshold,
 * takeover, send_bits, receive_bits and unpacked (max_unpacked_size), or nothing. False, with a
 * line on stderr, where that makes no sense or the library has no extensions.
 */
bool deflate_option(
    const char *text, struct lws_context_creation_info *info, struct lws_context_extras *extras);

/* What a connection's program is told of it: "permessage-deflate" or "none". */
const char *deflate_name(struct libwebsocket *wsi);

#endif
