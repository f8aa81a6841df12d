/* Memory whose last byte is the last before a page that may not be touched. */
#ifndef LWSLOOP_TESTS_GUARD_PAGE_H
#define LWSLOOP_TESTS_GUARD_PAGE_H

#include <stddef.h>

/* A copy of the bytes. A copy of nothing is a pointer to the page that may not be touched. */
unsigned char *guard_page_copy(const void *bytes, size_t length);

/* Room for that many bytes, all zero. Neither function returns NULL: they end the process. */
unsigned char *guard_page_space(size_t length);

/* Gives back what the functions above returned, with the length they were called with. */
void guard_page_free(void *p, size_t length);

#endif
