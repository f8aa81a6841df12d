/* A descriptor that becomes readable when somebody asks for it (eventfd). */
#ifndef LWSLOOP_PLATFORM_WAKE_H
#define LWSLOOP_PLATFORM_WAKE_H

/* Returns the descriptor, or -1 with errno. */
int wake_open(void);

/* Makes it readable. From any thread and from a signal handler; errno is kept. */
void wake_signal(int fd);

/* Makes it unreadable again. */
void wake_clear(int fd);

#endif
