/* The generation a program asks for, and the names under which functions are linked. */
#ifndef LWSLOOP_LWS_LINK_H
#define LWSLOOP_LWS_LINK_H

/*
 * The date of the API that the program was written for, as yyyymmdd. This version of the library
 * offers the generation of 2013-03-16, which is also what a program gets that does not ask.
 */
#ifndef LWS_API_LEVEL
#define LWS_API_LEVEL 20130316
#endif

#if LWS_API_LEVEL != 20130316
#error "LWS_API_LEVEL: this version of lwsloop offers level 20130316 only"
#endif

/*
 * Functions are exported under names of this library's own, so that it can share a process with
 * another library of the same API. A form that depends on the level carries it in its link name.
 */
#define LWS_LINK_TEXT(text) #text
#define LWS_LINK_PREFIXED(prefix, name) __asm__(LWS_LINK_TEXT(prefix) "lwsloop_" name)
#define LWS_LINK_NAME(name) LWS_LINK_PREFIXED(__USER_LABEL_PREFIX__, name)
#define LWS_LINK(name) LWS_LINK_NAME(#name)
#define LWS_LINK_LEVEL(name, level) LWS_LINK_NAME(#name "_" #level)

#define LWS_VISIBLE __attribute__((visibility("default")))

/* Since 2011-03-05. For programs that declare functions the way this header does. */
#define LWS_EXTERN extern

#ifdef __cplusplus
#define LWS_BEGIN_DECLARATIONS extern "C" {
#define LWS_END_DECLARATIONS }
#else
#define LWS_BEGIN_DECLARATIONS
#define LWS_END_DECLARATIONS
#endif

#endif
