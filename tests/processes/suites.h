/* The suites of tests/processes/main.c. */
#ifndef LWSLOOP_TESTS_PROCESSES_SUITES_H
#define LWSLOOP_TESTS_PROCESSES_SUITES_H

#include <check.h>

Suite *adoption_suite(void);
Suite *copies_suite(void);
Suite *loops_suite(void);
Suite *older_suite(void);

#endif
