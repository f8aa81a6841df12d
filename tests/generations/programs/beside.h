/* Included before anything else where levels.c is one of two parts of a program: its main() has the
 * level in its name, and its lines have it in front. */
#include <stdarg.h>
#include <stdio.h>

#include <libwebsockets.h>

#define NAME_WITH(name, level) name##_##level
#define NAME_OF(name, level) NAME_WITH(name, level)
#define TEXT_OF(level) #level
#define IN_FRONT(level) TEXT_OF(level) " "

#ifdef __cplusplus
extern "C"
#endif
    int NAME_OF(main, LWS_API_LEVEL)(int argc, char **argv);

static int say(const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    return fprintf(stdout, IN_FRONT(LWS_API_LEVEL) "%s", line);
}

#define main NAME_OF(main, LWS_API_LEVEL)
#define printf say
