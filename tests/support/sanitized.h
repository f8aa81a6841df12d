/* Whether the program is compiled with the address sanitizer, which slows everything down. */
#ifndef LWSLOOP_TESTS_SANITIZED_H
#define LWSLOOP_TESTS_SANITIZED_H

#include <stdbool.h>

#if defined __SANITIZE_ADDRESS__
#define IS_SANITIZED true
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

#endif
