#include "base/log.h"

#include "lws_log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

/* In `enabled` as long as no program has chosen. */
enum { LINE_SIZE = 1024, UNCHOSEN = 1 << 30 };

typedef void(emit_function)(int level, const char *line);

static void emit_to_stderr(int level, const char *line);

static _Atomic int enabled = LLL_ERR | LLL_WARN | LLL_NOTICE | UNCHOSEN;
static _Atomic(emit_function *) emit = emit_to_stderr;

static const struct {
    int level;
    const char *name;
    int priority;
} levels[LLL_COUNT] = {
    {LLL_ERR, "ERR", LOG_ERR},
    {LLL_WARN, "WARN", LOG_WARNING},
    {LLL_NOTICE, "NOTICE", LOG_NOTICE},
    {LLL_INFO, "INFO", LOG_INFO},
    {LLL_DEBUG, "DEBUG", LOG_DEBUG},
    {LLL_PARSER, "PARSER", LOG_DEBUG},
    {LLL_HEADER, "HEADER", LOG_DEBUG},
    {LLL_EXT, "EXT", LOG_DEBUG},
    {LLL_CLIENT, "CLIENT", LOG_DEBUG},
    {LLL_LATENCY, "LATENCY", LOG_DEBUG},
};

static void emit_to_stderr(int level, const char *line)
{
    const char *name = "LOG";
    struct timespec now = {0};

    for (int i = 0; i < LLL_COUNT; i++)
        if (levels[i].level == level)
            name = levels[i].name;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        now.tv_sec = 0;
    fprintf(stderr, "[%lld.%04ld] %s: %s", (long long)now.tv_sec, now.tv_nsec / 100000, name, line);
}

void lws_set_log_level(int level, void (*log_emit_function)(int level, const char *line))
{
    atomic_store(&enabled, level & ~UNCHOSEN);
    if (log_emit_function)
        atomic_store(&emit, log_emit_function);
}

void log_set_default(int initial)
{
    int now = atomic_load(&enabled);

    /* The one who has chosen meanwhile is right. */
    while ((now & UNCHOSEN) && !atomic_compare_exchange_weak(&enabled, &now, initial | UNCHOSEN))
        continue;
}

void _lws_log(int filter, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    int length;

    if (!(atomic_load_explicit(&enabled, memory_order_relaxed) & filter))
        return;
    va_start(arguments, format);
    length = vsnprintf(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length > sizeof(line) - 2)
        length = (int)sizeof(line) - 2;
    if (length == 0 || line[length - 1] != '\n') {
        line[length++] = '\n';
        line[length] = '\0';
    }
    atomic_load (&emit)(filter, line);
}

void lwsl_emit_syslog(int level, const char *line)
{
    int priority = LOG_DEBUG;

    for (int i = 0; i < LLL_COUNT; i++)
        if (levels[i].level == level)
            priority = levels[i].priority;
    syslog(priority, "%s", line);
}

void lwsl_hexdump(void *buf, size_t len)
{
    const unsigned char *bytes = buf;

    if (!bytes || !(atomic_load_explicit(&enabled, memory_order_relaxed) & LLL_DEBUG))
        return;
    for (size_t at = 0; at < len; at += 16) {
        char numbers[16 * 3 + 1] = "";
        char text[17] = "";
        size_t count = len - at < 16 ? len - at : 16;

        for (size_t i = 0; i < count; i++) {
            unsigned char byte = bytes[at + i];

            snprintf(numbers + i * 3, 4, " %02X", byte);
            text[i] = byte >= 0x20 && byte < 0x7f ? (char)byte : '.';
        }
        lwsl_debug("%04zX:%-48s  %s\n", at, numbers, text);
    }
}
