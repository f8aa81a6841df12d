/* Choosing the log's lines in the forms of older levels, which have other numbers for them. */
#include "libwebsockets.h"

#include <stdatomic.h>

/* The bits of the days from 2013-01-10 to 2013-01-18, before notices had one. */
enum {
    ERR_AND_WARN = 0x03,
    OLDER_INFO = 0x04,
    OLDER_OTHERS = 0xf8 /* DEBUG to CLIENT, which are one place higher now */
};

typedef void(emit_line_function)(const char *line);

static _Atomic(emit_line_function *) emit_line;

static int newest_levels(int level)
{
    return (level & ERR_AND_WARN) | (level & OLDER_INFO ? LLL_NOTICE | LLL_INFO : 0) |
           (level & OLDER_OTHERS) << 1;
}

static void emit_without_level(int level, const char *line)
{
    (void)level;
    atomic_load (&emit_line)(line);
}

LWS_VISIBLE void older_set_log_level_20130110(int level)
    LWS_LINK_LEVEL(lws_set_log_level, 20130110);
LWS_VISIBLE void older_set_log_level_20130112(int level, emit_line_function *log_emit_function)
    LWS_LINK_LEVEL(lws_set_log_level, 20130112);

void older_set_log_level_20130110(int level)
{
    lws_set_log_level(newest_levels(level), NULL);
}

void older_set_log_level_20130112(int level, emit_line_function *log_emit_function)
{
    if (log_emit_function)
        atomic_store(&emit_line, log_emit_function);
    lws_set_log_level(newest_levels(level), log_emit_function ? emit_without_level : NULL);
}
