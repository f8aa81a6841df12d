/* The names under which functions are linked. */
#ifndef LWSLOOP_LWS_LINK_H
#define LWSLOOP_LWS_LINK_H

#include "lws_level.h"

/*
 * Functions are exported under names of this library's own, so that it can share a process with
 * another library of the same API. A form that depends on the level carries a date in its link
 * name: the day since which it has been as it is.
 */
#define LWS_LINK_TEXT(text) #text
#define LWS_LINK_PREFIXED(prefix, name) __asm__(LWS_LINK_TEXT(prefix) "lwsloop_" name)
#define LWS_LINK_NAME(name) LWS_LINK_PREFIXED(__USER_LABEL_PREFIX__, name)
#define LWS_LINK(name) LWS_LINK_NAME(#name)
#define LWS_LINK_LEVEL(name, level) LWS_LINK_NAME(#name "_" LWS_LINK_TEXT(level))

#define LWS_VISIBLE __attribute__((visibility("default")))

/* Since 2011-03-05. For programs that declare functions the way this header does. */
#if LWS_SINCE(20110305)
#define LWS_EXTERN extern
#endif

#ifdef __cplusplus
#define LWS_BEGIN_DECLARATIONS extern "C" {
#define LWS_END_DECLARATIONS }
#else
#define LWS_BEGIN_DECLARATIONS
#define LWS_END_DECLARATIONS
#endif

#endif
