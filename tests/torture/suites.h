#ifndef LWSLOOP_TESTS_TORTURE_SUITES_H
#define LWSLOOP_TESTS_TORTURE_SUITES_H

#include <check.h>

#include "failures.h"

Suite *session_suite(void);
Suite *creation_suite(void);
Suite *talk_suite(void);

/* What a failed test is to print: which call fails at present; NULL for none. */
void failing_now(const struct failure_plan *plan);

#endif
