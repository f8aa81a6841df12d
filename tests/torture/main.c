#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../support/certificates.h"
#include "suites.h"

#define ENTRIES 256

/* In memory that is shared with the tests' processes. What a test has not cleared, because it came
 * to an end in the middle, is printed. */
struct entries {
    size_t count;
    char text[ENTRIES][128];
};

static struct entries *entries;

void failing_now(const struct failure_plan *plan)
{
    static char *mine;

    if (mine == NULL && entries->count < ENTRIES)
        mine = entries->text[entries->count++];
    if (mine == NULL)
        return;
    if (plan == NULL)
        mine[0] = '\0';
    else
        snprintf(mine, sizeof entries->text[0], "number %u%s of %s%s, error %d", plan->first,
            plan->lasting ? " and all later ones" : "", failures_name(plan->call),
            plan->by == BY_OPENSSL ? " of OpenSSL's" : "", plan->error);
}

int main(void)
{
    SRunner *runner;
    int failed;

    entries =
        mmap(NULL, sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (entries == MAP_FAILED)
        return EXIT_FAILURE;
    certificates_make();
    runner = srunner_create(session_suite());
    srunner_add_suite(runner, creation_suite());
    srunner_add_suite(runner, talk_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    certificates_remove();
    for (size_t i = 0; i < entries->count; i++) {
        if (entries->text[i][0] != '\0')
            printf("A test ended with this failing: %s\n", entries->text[i]);
    }
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
