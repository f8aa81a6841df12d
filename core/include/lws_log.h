/* Logging. Included by libwebsockets.h. */
#ifndef LWSLOOP_LWS_LOG_H
#define LWSLOOP_LWS_LOG_H

#include <stddef.h>

#include "lws_link.h"

LWS_BEGIN_DECLARATIONS

#if LWS_SINCE(20130119)
/* What a log line is about; bits, to be ORed for lws_set_log_level(). Since 2013-01-10; lws_older.h
 * has those that go with its forms before 2013-01-19. */
enum lws_log_levels {
    LLL_ERR = 1,       /* something the program asked for could not be done */
    LLL_WARN = 2,      /* misuse of the API, and limits that were reached */
    LLL_NOTICE = 4,    /* a peer was refused or failed, with the reason */
    LLL_INFO = 8,      /* connections that come and go */
    LLL_DEBUG = 16,    /* what the engine does */
    LLL_PARSER = 32,   /* frames */
    LLL_HEADER = 64,   /* header fields */
    LLL_EXT = 128,     /* extensions */
    LLL_CLIENT = 256,  /* client connections */
    LLL_LATENCY = 512, /* for a program's own use */

    LLL_COUNT = 10 /* how many levels there are */
};

/*
 * Chooses which lines are emitted and where they go. It holds for the whole process.
 *
 *   level              LLL_ bits; 0 silences everything. At the start ERR, WARN and NOTICE are on,
 *                      and once a program of a level before 2013-01-19 has made a context ERR and
 *                      WARN, as long as nobody in the process has called this.
 *   log_emit_function  receives one line at a time, which ends in a newline and belongs to the
 *                      library; it is called from whatever thread logs, and must not call back
 *                      into the library. NULL leaves the function as it is; at the start lines go
 *                      to stderr, with the time and the level in front.
 *
 * May be called from any thread, also before there is a context. Since 2013-01-10; in this form
 * since 2013-01-19.
 */
LWS_VISIBLE void lws_set_log_level(
    int level, void (*log_emit_function)(int level, const char *line))
    LWS_LINK_LEVEL(lws_set_log_level, 20130119);

/*
 * Emits a line, if its level is on, formatted as printf() does it. The macros below are the usual
 * way to call it. A line is cut at 1023 bytes. May be called from any thread. Since 2013-01-19.
 *
 *   filter   one of LLL_
 *   format   a format and its arguments, read before the call returns
 */
LWS_VISIBLE void _lws_log(int filter, const char *format, ...) LWS_LINK(_lws_log)
    __attribute__((__format__(__printf__, 2, 3)));

/*
 * Emits the bytes at buf as lines of hexadecimal numbers and text at level LLL_DEBUG; nothing
 * where that level is off. May be called from any thread. Since 2013-01-19.
 *
 *   buf   len bytes, only read
 */
LWS_VISIBLE void lwsl_hexdump(void *buf, size_t len) LWS_LINK(lwsl_hexdump);

/*
 * Hands a line to syslog(3) with the priority that fits the level: give it to lws_set_log_level().
 * The program calls openlog() if it wants to. Since 2013-01-19.
 */
LWS_VISIBLE void lwsl_emit_syslog(int level, const char *line) LWS_LINK(lwsl_emit_syslog);

#define lwsl_err(...) _lws_log(LLL_ERR, __VA_ARGS__)
#define lwsl_warn(...) _lws_log(LLL_WARN, __VA_ARGS__)
#define lwsl_notice(...) _lws_log(LLL_NOTICE, __VA_ARGS__)
#define lwsl_info(...) _lws_log(LLL_INFO, __VA_ARGS__)
#define lwsl_debug(...) _lws_log(LLL_DEBUG, __VA_ARGS__)
#define lwsl_parser(...) _lws_log(LLL_PARSER, __VA_ARGS__)
#define lwsl_header(...) _lws_log(LLL_HEADER, __VA_ARGS__)
#define lwsl_ext(...) _lws_log(LLL_EXT, __VA_ARGS__)
#define lwsl_client(...) _lws_log(LLL_CLIENT, __VA_ARGS__)
#define lwsl_latency(...) _lws_log(LLL_LATENCY, __VA_ARGS__)
#endif

LWS_END_DECLARATIONS

#endif
