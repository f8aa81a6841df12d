/* The behaviour tests' suites; tests/behaviour/main.c runs each of them. */
#ifndef LWSLOOP_TESTS_BEHAVIOUR_SUITES_H
#define LWSLOOP_TESTS_BEHAVIOUR_SUITES_H

#include <check.h>

Suite *handshake_suite(void);
Suite *messages_suite(void);
Suite *close_suite(void);
Suite *write_suite(void);
Suite *flow_suite(void);
Suite *lifetime_suite(void);
Suite *service_suite(void);
Suite *limits_suite(void);

#endif
