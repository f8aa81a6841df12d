/*
 * Stands in for getaddrinfo: names with given addresses, errors and delays. Other names are looked
 * up as ever. It has to be linked with -export-dynamic.
 */
#ifndef LWSLOOP_TESTS_FAKE_NAMES_H
#define LWSLOOP_TESTS_FAKE_NAMES_H

#define FAKE_ADDRESSES 20

struct fake_name {
    const char *name;
    int delay_ms;
    int error;                             /* what getaddrinfo() returns; 0: the addresses */
    const char *addresses[FAKE_ADDRESSES]; /* numeric, in their order; the last one NULL */
};

/* From now on; ends with an element whose name is NULL, and must live on. */
void fake_names(const struct fake_name *names);

/* Look-ups that have begun so far, and that are going on. */
unsigned int fake_names_begun(void);
unsigned int fake_names_busy(void);

/* Ends all delays. */
void fake_names_release(void);

#endif
