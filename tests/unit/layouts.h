/* The layouts of struct libwebsocket_protocols that programs of different levels have. */
#ifndef LWSLOOP_TESTS_LAYOUTS_H
#define LWSLOOP_TESTS_LAYOUTS_H

#include <stddef.h>

struct program_layout {
    int level;
    size_t size;
    size_t name;
    size_t callback;
    size_t per_session_data_size;
    size_t rx_buffer_size; /* 0 where there is none */
    size_t owning_server;
    size_t protocol_index;
};

extern const struct program_layout program_layout_20101218;
extern const struct program_layout program_layout_20130131;
extern const struct program_layout program_layout_20130206;
extern const struct program_layout program_layout_20131017;

#endif
