#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suites.h"

static char text[128];

/* A failed assertion in a forked test ends it with exit(), a crash with a signal. */
static void tell(void)
{
    size_t length = strlen(text);

    if (length > 0 && write(STDERR_FILENO, text, length) < 0)
        _exit(1);
}

/* There where a sanitizer is. */
extern void __sanitizer_set_death_callback(void (*function)(void)) __attribute__((weak));

static void tell_and_die(int signal_number)
{
    tell();
    if (signal(signal_number, SIG_DFL) == SIG_ERR)
        _exit(1);
    (void)raise(signal_number);
}

void failing_now(const struct failure_plan *plan)
{
    static int registered;

    if (!registered) {
        registered = 1;
        if (atexit(tell) != 0 || signal(SIGABRT, tell_and_die) == SIG_ERR)
            abort();
        if (__sanitizer_set_death_callback != NULL)
            __sanitizer_set_death_callback(tell);
        else if (signal(SIGSEGV, tell_and_die) == SIG_ERR)
            abort();
    }
    if (plan == NULL)
        text[0] = '\0';
    else
        snprintf(text, sizeof text, "failing at present: number %u%s of %s, error %d\n",
            plan->first, plan->lasting ? " and all later ones" : "", failures_name(plan->call),
            plan->error);
}

int main(void)
{
    SRunner *runner = srunner_create(session_suite());
    int failed;

    srunner_add_suite(runner, creation_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
