/* Every combination of parameters of permessage-deflate, by a number. */
#ifndef LWSLOOP_TESTS_DEFLATE_CASES_H
#define LWSLOOP_TESTS_DEFLATE_CASES_H

#include "codec/deflate_parameters.h"

#include <check.h>

enum {
    ANY = DEFLATE_WINDOW_ANY,
    ANSWERS = 2 * 2 * 9 * 9,      /* and as many wishes of one's own */
    OFFERS = ANSWERS + 2 * 2 * 9, /* those with client_max_window_bits without a value come last */
    WISHES = ANSWERS
};

static inline struct deflate_parameters numbered(int number)
{
    static const unsigned char bits[] = {0, 8, 9, 10, 11, 12, 13, 14, 15, ANY};

    return (struct deflate_parameters){
        number % 2, number / 2 % 2, bits[number / 4 % 9], bits[number / 36]};
}

static inline bool equal(
    const struct deflate_parameters *first, const struct deflate_parameters *second)
{
    return first->server_no_context_takeover == second->server_no_context_takeover &&
           first->client_no_context_takeover == second->client_no_context_takeover &&
           first->server_max_window_bits == second->server_max_window_bits &&
           first->client_max_window_bits == second->client_max_window_bits;
}

static inline void fail_with(const char *condition, int line,
    const struct deflate_parameters *first, const struct deflate_parameters *second)
{
    ck_abort_msg("line %d: %s, with {%d %d %d %d} and {%d %d %d %d}", line, condition,
        first->server_no_context_takeover, first->client_no_context_takeover,
        first->server_max_window_bits, first->client_max_window_bits,
        second->server_no_context_takeover, second->client_no_context_takeover,
        second->server_max_window_bits, second->client_max_window_bits);
}

/* Fails with the parameters of what is at hand; the condition is cheap to look at often. */
#define EXPECT(condition, first, second)                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_with(#condition, __LINE__, first, second);                                        \
    } while (0)

#endif
