/* Both sides of tests/many: the server's process, and the connections to it. */
#ifndef LWSLOOP_TESTS_MANY_H
#define LWSLOOP_TESTS_MANY_H

#include <stdbool.h>

/* What every client gets once; the broadcast's text. */
#define BROADCAST "hello"

struct server_state {
    long resident;    /* bytes, by /proc/self/statm */
    long established; /* callbacks so far */
    long closed;
    long written;
};

/* The server's process: writes its port to `address`, and obeys what comes on `control`. With a
 * folder of certificates in place of NULL it is encrypted. */
int server_main(const char *loop, int control, int address, const char *certificates);

/* Waits until so many connections have ended, and tells how things stand. */
bool server_ask(int control, long closed, struct server_state *state);
bool server_broadcast(int control);

/* So many connections; each call sees all of them through, and says on stderr what went wrong. */
struct clients;
struct clients *clients_make(int port, int count, bool encrypted);
bool clients_open(struct clients *clients);
bool clients_receive(struct clients *clients);
bool clients_close(struct clients *clients);
void clients_free(struct clients *clients);

#endif
