/*
 * The generation of the API that a program was written for. Included by libwebsockets.h.
 *
 * A program says it with a date, as yyyymmdd, before it includes the header or on the compiler's
 * command line: -DLWS_API_LEVEL=20110221. It then finds what the API had on that day, in the forms
 * of that day: functions with their arguments, structs with their members in their order, the
 * reasons for which it is called. Without it, it gets the generation of 2013-03-16. Additions of
 * this library, whose names start with lws_, are there at every level, but for those that build on
 * something that came later: lws_create_context() and its extras are there from 2013-02-09 on, and
 * what is about extensions from 2011-03-05.
 *
 * All files of a program that share a context are compiled for the same level. docs/migrating.md
 * says which level is right for a program, and what is different on purpose.
 */
#ifndef LWSLOOP_LWS_LEVEL_H
#define LWSLOOP_LWS_LEVEL_H

#ifndef LWS_API_LEVEL
#define LWS_API_LEVEL 20130316
#endif

/* After an error the newest takes the place of what was asked for, so that it stays the only one.
 */
#if (LWS_API_LEVEL + 0) < 20101218
#error "LWS_API_LEVEL: not a date as yyyymmdd, or one before 20101218, where the API begins"
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20131017
#elif (LWS_API_LEVEL + 0) > 20131108
#error "LWS_API_LEVEL: this version of lwsloop offers the API up to 20131108, and no later forms"
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20131017
#elif LWS_API_LEVEL / 100 % 100 < 1 || LWS_API_LEVEL / 100 % 100 > 12 ||                           \
    LWS_API_LEVEL % 100 < 1 || LWS_API_LEVEL % 100 > 31 ||                                         \
    (LWS_API_LEVEL % 100 == 31 &&                                                                  \
        (LWS_API_LEVEL / 100 % 100 == 4 || LWS_API_LEVEL / 100 % 100 == 6 ||                       \
            LWS_API_LEVEL / 100 % 100 == 9 || LWS_API_LEVEL / 100 % 100 == 11)) ||                 \
    (LWS_API_LEVEL / 100 % 100 == 2 &&                                                             \
        LWS_API_LEVEL % 100 > 28 + (LWS_API_LEVEL / 10000 % 4 == 0))
#error "LWS_API_LEVEL: no such day; it is a date as yyyymmdd"
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20131017
#endif

/* For #if: whether the program's level is that day or a later one, or an earlier one. */
#define LWS_SINCE(date) (LWS_API_LEVEL >= (date))
#define LWS_BEFORE(date) (LWS_API_LEVEL < (date))

/*
 * The last day, up to the level, on which something changed that a context has to know of: how it
 * is made, or what it calls back for and with what. It is part of the link name of what makes
 * contexts.
 */
#if LWS_SINCE(20131017)
#define LWS_LEVEL_OF_CONTEXT 20131017
#elif LWS_SINCE(20130316)
#define LWS_LEVEL_OF_CONTEXT 20130316
#elif LWS_SINCE(20130222)
#define LWS_LEVEL_OF_CONTEXT 20130222
#elif LWS_SINCE(20130215)
#define LWS_LEVEL_OF_CONTEXT 20130215
#elif LWS_SINCE(20130214)
#define LWS_LEVEL_OF_CONTEXT 20130214
#elif LWS_SINCE(20130209)
#define LWS_LEVEL_OF_CONTEXT 20130209
#elif LWS_SINCE(20130206)
#define LWS_LEVEL_OF_CONTEXT 20130206
#elif LWS_SINCE(20130131)
#define LWS_LEVEL_OF_CONTEXT 20130131
#elif LWS_SINCE(20130119)
#define LWS_LEVEL_OF_CONTEXT 20130119
#elif LWS_SINCE(20130115)
#define LWS_LEVEL_OF_CONTEXT 20130115
#elif LWS_SINCE(20130109)
#define LWS_LEVEL_OF_CONTEXT 20130109
#elif LWS_SINCE(20121019)
#define LWS_LEVEL_OF_CONTEXT 20121019
#elif LWS_SINCE(20120420)
#define LWS_LEVEL_OF_CONTEXT 20120420
#elif LWS_SINCE(20110307)
#define LWS_LEVEL_OF_CONTEXT 20110307
#elif LWS_SINCE(20110305)
#define LWS_LEVEL_OF_CONTEXT 20110305
#elif LWS_SINCE(20110219)
#define LWS_LEVEL_OF_CONTEXT 20110219
#elif LWS_SINCE(20110214)
#define LWS_LEVEL_OF_CONTEXT 20110214
#elif LWS_SINCE(20110130)
#define LWS_LEVEL_OF_CONTEXT 20110130
#elif LWS_SINCE(20110122)
#define LWS_LEVEL_OF_CONTEXT 20110122
#elif LWS_SINCE(20110119)
#define LWS_LEVEL_OF_CONTEXT 20110119
#else
#define LWS_LEVEL_OF_CONTEXT 20101218
#endif

/* The same for the members of struct libwebsocket_protocols, and of functions that take one. */
#if LWS_SINCE(20131017)
#define LWS_LEVEL_OF_PROTOCOLS 20131017
#elif LWS_SINCE(20130206)
#define LWS_LEVEL_OF_PROTOCOLS 20130206
#elif LWS_SINCE(20130131)
#define LWS_LEVEL_OF_PROTOCOLS 20130131
#else
#define LWS_LEVEL_OF_PROTOCOLS 20101218
#endif

#endif
