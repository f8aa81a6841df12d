#include "suites.h"

#include <stdlib.h>

#include "../support/certificates.h"

int main(void)
{
    SRunner *runner = srunner_create(adoption_suite());
    int failed;

    certificates_make();
    srunner_add_suite(runner, copies_suite());
    srunner_add_suite(runner, loops_suite());
    srunner_add_suite(runner, older_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    certificates_remove();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
