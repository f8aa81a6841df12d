/* Making a context in the forms of older levels, and of those with another layout. */
#include "base/log.h"
#include "service/level.h"

static struct libwebsocket_context *create(struct lws_context_creation_info info, int level)
{
    /* Notices are no level of their own yet, and off until a program asks for more. */
    if (level < 20130119)
        log_set_default(LLL_ERR | LLL_WARN);
    return context_create(&info, NULL, level);
}

/*
 * Each form is defined once for every day of its time on which something changed for contexts. The
 * protocols' type is the day's own, of which the engine has the layout.
 */
#define CREATE(name, level, arguments, ...)                                                        \
    LWS_VISIBLE struct libwebsocket_context *older_##name##_##level arguments LWS_LINK_LEVEL(      \
        name, level);                                                                              \
    struct libwebsocket_context *older_##name##_##level arguments                                  \
    {                                                                                              \
        return create((struct lws_context_creation_info){.port = port,                             \
                          .protocols = protocols,                                                  \
                          .ssl_cert_filepath = ssl_cert_filepath,                                  \
                          .ssl_private_key_filepath = ssl_private_key_filepath,                    \
                          .gid = gid,                                                              \
                          .uid = uid,                                                              \
                          __VA_ARGS__},                                                            \
            level);                                                                                \
    }

#define CREATE_6(name, level)                                                                      \
    CREATE(name, level,                                                                            \
        (int port, void *protocols, const char *ssl_cert_filepath,                                 \
            const char *ssl_private_key_filepath, int gid, int uid),                               \
        .user = NULL)

#define CREATE_7(level)                                                                            \
    CREATE(libwebsocket_create_context, level,                                                     \
        (int port, void *protocols, const char *ssl_cert_filepath,                                 \
            const char *ssl_private_key_filepath, int gid, int uid, unsigned int options),         \
        .options = options)

#define CREATE_8(level)                                                                            \
    CREATE(libwebsocket_create_context, level,                                                     \
        (int port, const char *interf, void *protocols, const char *ssl_cert_filepath,             \
            const char *ssl_private_key_filepath, int gid, int uid, unsigned int options),         \
        .iface = interf, .options = options)

#define CREATE_9(level)                                                                            \
    CREATE(libwebsocket_create_context, level,                                                     \
        (int port, const char *interf, void *protocols, struct libwebsocket_extension *extensions, \
            const char *ssl_cert_filepath, const char *ssl_private_key_filepath, int gid, int uid, \
            unsigned int options),                                                                 \
        .iface = interf, .extensions = extensions, .options = options)

#define CREATE_10(level)                                                                           \
    CREATE(libwebsocket_create_context, level,                                                     \
        (int port, const char *interf, void *protocols, struct libwebsocket_extension *extensions, \
            const char *ssl_cert_filepath, const char *ssl_private_key_filepath, int gid, int uid, \
            unsigned int options, void *user),                                                     \
        .iface = interf, .extensions = extensions, .options = options, .user = user)

#define CREATE_11(level)                                                                           \
    CREATE(libwebsocket_create_context, level,                                                     \
        (int port, const char *interf, void *protocols, struct libwebsocket_extension *extensions, \
            const char *ssl_cert_filepath, const char *ssl_private_key_filepath,                   \
            const char *ssl_ca_filepath, int gid, int uid, unsigned int options, void *user),      \
        .iface = interf, .extensions = extensions, .ssl_ca_filepath = ssl_ca_filepath,             \
        .options = options, .user = user)

CREATE_6(libwebsocket_create_server, 20110119)
CREATE_6(libwebsocket_create_context, 20110122)
CREATE_7(20110130)
CREATE_7(20110214)
CREATE_8(20110219)
CREATE_9(20110305)
CREATE_9(20110307)
CREATE_9(20120420)
CREATE_10(20121019)
CREATE_11(20130109)
CREATE_11(20130115)
CREATE_11(20130119)
CREATE_11(20130131)
CREATE_11(20130206)

/* The struct before it had the ciphers. */
struct info_20130209 {
    int port;
    const char *iface;
    void *protocols;
    struct libwebsocket_extension *extensions;
    const char *ssl_cert_filepath;
    const char *ssl_private_key_filepath;
    const char *ssl_ca_filepath;
    int gid;
    int uid;
    unsigned int options;
    void *user;
    int ka_time;
    int ka_probes;
    int ka_interval;
};

static struct libwebsocket_context *create_20130209(
    const struct info_20130209 *info, const struct lws_context_extras *extras, int level)
{
    struct lws_context_creation_info newest;

    if (!info)
        return context_create(NULL, extras, level);
    newest = (struct lws_context_creation_info){
        .port = info->port,
        .iface = info->iface,
        .protocols = info->protocols,
        .extensions = info->extensions,
        .ssl_cert_filepath = info->ssl_cert_filepath,
        .ssl_private_key_filepath = info->ssl_private_key_filepath,
        .ssl_ca_filepath = info->ssl_ca_filepath,
        .gid = info->gid,
        .uid = info->uid,
        .options = info->options,
        .user = info->user,
        .ka_time = info->ka_time,
        .ka_probes = info->ka_probes,
        .ka_interval = info->ka_interval,
    };
    return context_create(&newest, extras, level);
}

/* Both functions that take the struct, which they hand to another. */
#define CREATE_BY_INFO(level, info_type, function)                                                 \
    LWS_VISIBLE struct libwebsocket_context *older_create_##level(info_type *info)                 \
        LWS_LINK_LEVEL(libwebsocket_create_context, level);                                        \
    LWS_VISIBLE struct libwebsocket_context *older_create_extras_##level(info_type *info,          \
        const struct lws_context_extras *extras) LWS_LINK_LEVEL(lws_create_context, level);        \
    struct libwebsocket_context *older_create_##level(info_type *info)                             \
    {                                                                                              \
        return function(info, NULL, level);                                                        \
    }                                                                                              \
    struct libwebsocket_context *older_create_extras_##level(                                      \
        info_type *info, const struct lws_context_extras *extras)                                  \
    {                                                                                              \
        return function(info, extras, level);                                                      \
    }

CREATE_BY_INFO(20130209, struct info_20130209, create_20130209)
CREATE_BY_INFO(20130214, struct info_20130209, create_20130209)
CREATE_BY_INFO(20130215, struct info_20130209, create_20130209)
CREATE_BY_INFO(20130222, struct lws_context_creation_info, context_create)
CREATE_BY_INFO(20131017, struct lws_context_creation_info, context_create)
