/* What two ends agree on for permessage-deflate (RFC 7692 section 7.1). */
#ifndef LWSLOOP_CODEC_DEFLATE_PARAMETERS_H
#define LWSLOOP_CODEC_DEFLATE_PARAMETERS_H

#include "base/text.h"
#include "codec/extension_list.h"

#include <stdbool.h>

enum {
    DEFLATE_WINDOW_MIN = 8,
    DEFLATE_WINDOW_MAX = 15,
    /* client_max_window_bits without a value: the client can use fewer if it is told to. */
    DEFLATE_WINDOW_ANY = 255
};

/*
 * As they stand in a field; all zero has none of them.
 *
 * They also say what an end wants of its own accord: takeovers to do without, and the most window
 * bits of either side. 15 and 0 are no wish there.
 */
struct deflate_parameters {
    bool server_no_context_takeover;
    bool client_no_context_takeover;
    unsigned char server_max_window_bits; /* 0 where it is not mentioned */
    unsigned char client_max_window_bits; /* likewise */
};

extern const char deflate_extension_name[];

/*
 * Reads the parameters of an offer or, with `is_answer`, of a server's answer. False where one is
 * unknown, occurs twice or has a value that is not allowed: an offer is declined then, and an
 * answer fails the connection.
 */
bool deflate_parameters_read(
    struct extension_element element, bool is_answer, struct deflate_parameters *parameters);

/*
 * A client's offer. Alternative 0 has all that it wants; 1 is for servers that cannot limit their
 * window, and is there only where 0 asks for that. An answer belongs to the first alternative that
 * finds it acceptable. False where there is no such alternative.
 */
bool deflate_parameters_offer(const struct deflate_parameters *own, unsigned int alternative,
    struct deflate_parameters *offer);

/* A server's answer to an offer. False where what the server wants cannot be had with it. */
bool deflate_parameters_agree(const struct deflate_parameters *own,
    const struct deflate_parameters *offer, struct deflate_parameters *answer);

/* Whether a client that made this offer can do with that answer. */
bool deflate_parameters_acceptable(
    const struct deflate_parameters *offer, const struct deflate_parameters *answer);

/* What one end does, once there is an answer. */
struct deflate_agreement {
    unsigned char send_window_bits;
    unsigned char receive_window_bits;
    bool send_keeps_context; /* from one message to the next */
    bool receive_keeps_context;
};

/* `offer` is the client's, to which the answer belongs; a server's side does not look at it. */
struct deflate_agreement deflate_parameters_settle(const struct deflate_parameters *answer,
    bool is_client, const struct deflate_parameters *offer);

/*
 * Adds the extension with its parameters to a list (extension_text_add_name). False, with nothing
 * added and text->overflow set, where it does not fit.
 */
bool deflate_parameters_write(const struct deflate_parameters *parameters, struct text *text);

#endif
