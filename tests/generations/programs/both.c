/*
 * Two programs in one process, of the levels 20110219 and 20130316, each in a thread of its own:
 * levels.c twice, which keeps what it knows to itself.
 *
 * Run: both PORT PORT PAGE-FILE CLOSED-PORT
 * Peers and lines: as levels has them; the lines have the level in front.
 */
#include <pthread.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif
int main_20110219(int argc, char **argv);
int main_20130316(int argc, char **argv);
#ifdef __cplusplus
}
#endif

static char **words;
static int results[2];

static void *older(void *unused)
{
    char *arguments[] = {words[0], words[1], words[3], words[4], NULL};

    results[0] = main_20110219(4, arguments);
    return unused;
}

static void *newer(void *unused)
{
    char *arguments[] = {words[0], words[2], words[3], words[4], NULL};

    results[1] = main_20130316(4, arguments);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];

    if (argc != 5)
        return 2;
    words = argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (pthread_create(&threads[0], NULL, older, NULL) != 0 ||
        pthread_create(&threads[1], NULL, newer, NULL) != 0)
        return 2;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return results[0] + results[1];
}
