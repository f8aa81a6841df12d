/* The certificates of certificates.sh, for C programs. */
#ifndef LWSLOOP_TESTS_CERTIFICATES_H
#define LWSLOOP_TESTS_CERTIFICATES_H

/* Makes them in a folder of their own, which every process forked from now on can use. Fails with a
 * message, and ends the program. */
void certificates_make(void);

/* Removes the folder. */
void certificates_remove(void);

/* The path of one of the files; valid for the next few calls. */
const char *certificates_path(const char *name);

#endif
