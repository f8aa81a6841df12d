/* Reading TLS files again. */
#include "base/text.h"
#include "service/context.h"

#include <errno.h>
#include <limits.h>

/* Room for the path of a file, and what is wrong with it. */
enum { REASON_SIZE = PATH_MAX + 256 };

static int fail(char *error, size_t error_len, const char *reason)
{
    lwsl_err("lws_tls_reload: %s\n", reason);
    if (error && error_len)
        snprintf(error, error_len, "%s", reason);
    errno = EINVAL;
    return -1;
}

int lws_tls_reload(struct libwebsocket_context *context, char *error, size_t error_len)
{
    struct engine_tls_made made;
    char reason[REASON_SIZE];
    struct text words;
    bool good;

    if (!context || context->announcing || context->engine.ending)
        return fail(error, error_len, "no context, or not from here");
    if (!engine_tls_has_files(&context->engine.tls))
        return fail(error, error_len, "the context has no TLS files");
    text_init(&words, reason, sizeof(reason));
    if (!context_enter(context, CALL_ENDING))
        return fail(error, error_len, "the process was forked, and cannot use the context");
    good = engine_tls_make(&context->engine, &made, &words);
    if (good) {
        engine_tls_introduce(&context->engine, &made);
        good = engine_tls_adopt(&context->engine, &made);
        if (!good)
            text_add(&words, "out of memory");
    }
    (void)context_leave(context, CALL_ENDING);
    return good ? 0 : fail(error, error_len, reason);
}
