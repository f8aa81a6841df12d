/* Making a context. */
#include "base/text.h"
#include "connection/extension.h"
#include "platform/clock.h"
#include "platform/listen_socket.h"
#include "platform/privileges.h"
#include "platform/socket.h"
#include "platform/timer.h"
#include "platform/wake.h"
#include "service/calls.h"
#include "service/context.h"
#include "service/end.h"
#include "service/extension_settings.h"
#include "service/level.h"
#include "service/poll_fd.h"
#include "service/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the path of a file, and what is wrong with it. */
enum { REASON_SIZE = PATH_MAX + 256 };

/* A connection that is none, for one of the engine's own descriptors. NULL where memory is short:
 * the descriptor is still the caller's. */
static struct libwebsocket *add_internal(
    struct libwebsocket_context *context, int fd, enum connection_state state)
{
    struct libwebsocket *wsi = connection_create(&context->engine, fd);

    if (!wsi || !(wsi->state = (unsigned char)state, context_file(context, wsi))) {
        free(wsi);
        return NULL;
    }
    return wsi;
}

/* A system that is without what broadcasts from elsewhere take has servers all the same. */
static bool open_channel(struct libwebsocket_context *context, bool for_server)
{
    if (for_server && process_lock_open(&context->lock, true)) {
        if (broadcast_channel_open(&context->channel))
            return true;
        context->channel_error = errno;
        process_lock_close(&context->lock);
    } else if (for_server) {
        context->channel_error = errno;
    }
    if (context->channel_error)
        lwsl_warn("no broadcasts from other processes and threads: %s\n",
            strerror(context->channel_error));
    return process_lock_open(&context->lock, false);
}

static bool open_locks(struct libwebsocket_context *context, bool for_server, struct text *error)
{
    if (!fork_guard_open(&context->engine.guard) || !open_channel(context, for_server)) {
        text_add(error, "cannot prepare for other processes: %s", strerror(errno));
        return false;
    }
    atomic_init(&context->process, fork_guard_process(&context->engine.guard));
    atomic_init(&context->serving_thread, NULL);
    if (context->channel.receiver < 0)
        return true;
    context->broadcasts = add_internal(context, context->channel.receiver, CONNECTION_BROADCASTS);
    if (!context->broadcasts)
        text_add(error, "out of memory");
    return context->broadcasts != NULL;
}

static bool open_helpers(struct libwebsocket_context *context, struct text *error)
{
    int wake = wake_open();
    int timer = timer_open();

    if (wake < 0 || timer < 0)
        text_add(error, "cannot open an eventfd and a timerfd: %s", strerror(errno));
    else if (!(context->wake = add_internal(context, wake, CONNECTION_WAKE)) ||
             !(context->timer = add_internal(context, timer, CONNECTION_TIMER)))
        text_add(error, "out of memory");
    if (wake >= 0 && !context->wake)
        close(wake);
    if (timer >= 0 && !context->timer)
        close(timer);
    return context->wake && context->timer;
}

/* What comes by TCP is encrypted where there is a certificate; what does not leave the host is not.
 */
static bool add_listener(struct libwebsocket_context *context, int fd, struct text *error)
{
    struct libwebsocket *wsi = add_internal(context, fd, CONNECTION_LISTENER);

    if (!wsi) {
        text_add(error, "out of memory");
        return false;
    }
    wsi->is_secure = context->engine.tls.server_files.certificate && socket_is_tcp(fd);
    context->listeners[context->listener_count++] = wsi;
    return true;
}

static bool open_port(struct libwebsocket_context *context,
    const struct lws_context_creation_info *info, int backlog, struct text *error)
{
    int fds[LISTEN_SOCKETS_MAX];
    int count, added = 0;

    if (info->port == CONTEXT_PORT_NO_LISTEN)
        return true;
    if (info->port < 0 || info->port > 65535) {
        text_add(error, "%d is not a port", info->port);
        return false;
    }
    count = listen_tcp(info->iface, info->port, backlog, fds, error);
    if (count < 0)
        return false;
    while (added < count && add_listener(context, fds[added], error))
        added++;
    for (int i = added; i < count; i++)
        close(fds[i]);
    return added == count;
}

static bool open_unix(
    struct libwebsocket_context *context, const char *path, int backlog, struct text *error)
{
    int fd;

    if (!path)
        return true;
    fd = listen_unix(path, backlog, &context->unix_name, error);
    if (fd < 0)
        return false;
    context->unix_path = strdup(path);
    if (!context->unix_path) {
        text_add(error, "out of memory");
        close(fd);
        listen_unix_remove(path, &context->unix_name);
        return false;
    }
    if (!add_listener(context, fd, error)) {
        close(fd);
        return false;
    }
    return true;
}

static bool adopt_listeners(struct libwebsocket_context *context,
    const struct lws_context_extras *extras, struct text *error)
{
    if (extras->listen_fd_count > LISTEN_SOCKETS_MAX ||
        (extras->listen_fd_count && !extras->listen_fds)) {
        text_add(error, "listen_fds: none, or more than %d", LISTEN_SOCKETS_MAX);
        return false;
    }
    for (size_t i = 0; i < extras->listen_fd_count; i++) {
        if (context_find(context, extras->listen_fds[i])) {
            text_add(error, "descriptor %d is given twice", extras->listen_fds[i]);
            return false;
        }
        if (!listen_adopt(extras->listen_fds[i], error) ||
            !add_listener(context, extras->listen_fds[i], error))
            return false;
        context->adopted_count++;
    }
    return true;
}

static bool listens(
    const struct lws_context_creation_info *info, const struct lws_context_extras *extras)
{
    return info->port != CONTEXT_PORT_NO_LISTEN || extras->unix_path || extras->listen_fd_count;
}

static const char *either(const char *first, const char *second)
{
    return first ? first : second;
}

/* Which files are for what is accepted, and which for what is opened. */
static bool copy_tls(struct libwebsocket_context *context,
    const struct lws_context_creation_info *info, const struct lws_context_extras *extras,
    struct text *error)
{
    struct engine_tls *tls = &context->engine.tls;
    const struct tls_files named = {info->ssl_cert_filepath,
        info->ssl_cert_filepath ? info->ssl_private_key_filepath : NULL, info->ssl_ca_filepath,
        info->ssl_cipher_list, extras->ssl_private_key_password};
    bool for_server = listens(info, extras);
    struct tls_files client = {extras->client_ssl_cert_filepath,
        extras->client_ssl_private_key_filepath,
        either(extras->client_ssl_ca_filepath, named.authorities), named.ciphers, named.password};

    if (!named.certificate != !named.key || !client.certificate != !client.key) {
        text_add(error, "a certificate without a private key, or the other way round");
        return false;
    }
    if (!for_server && !client.certificate) {
        client.certificate = named.certificate;
        client.key = named.key;
    }
    tls->require_client_certificate =
        (info->options & LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT) != 0;
    tls->allow_plain = (info->options & LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT) != 0;
    if ((for_server && named.certificate && !engine_tls_copy(&tls->server_files, &named)) ||
        !engine_tls_copy(&tls->client_files, &client)) {
        text_add(error, "out of memory");
        return false;
    }
    return true;
}

/* While the files may still be read. */
static bool load_tls(struct libwebsocket_context *context, struct text *error)
{
    struct engine_tls_made made;

    /* There is nothing to inherit from, and so nothing to fail. */
    return engine_tls_make(&context->engine, &made, error) &&
           engine_tls_adopt(&context->engine, &made);
}

static bool copy_proxy(struct libwebsocket_context *context,
    const struct lws_context_extras *extras, struct text *error)
{
    const char *proxy = extras->http_proxy;

    if (!proxy && extras->http_proxy_from_environment)
        proxy = getenv("http_proxy");
    if (!proxy || !*proxy || proxy_address_parse(proxy, &context->proxy))
        return true;
    text_add(error, "http_proxy: %s", errno == EINVAL ? "not a proxy's address" : strerror(errno));
    return false;
}

static void find_host_name(struct libwebsocket_context *context, unsigned int options)
{
    if (options & LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME ||
        gethostname(context->host_name, sizeof(context->host_name) - 1) < 0 ||
        context->host_name[0] == '\0')
        memcpy(context->host_name, "localhost", sizeof("localhost"));
}

/* A callback may ask for the end of the context: it comes when the rest has been made. */
static bool begin_extensions(
    struct libwebsocket_context *context, bool for_server, struct text *error)
{
    bool begun;

    context->depth++;
    begun = extension_begin_context(&context->engine, for_server, error);
    context->depth--;
    return begun;
}

/* Everything that needs no callback of a protocol's. On failure the context is to be freed by
 * end_silently. */
static bool build(struct libwebsocket_context *context,
    const struct lws_context_creation_info *info, const struct lws_context_extras *extras,
    int level, struct text *error)
{
    int backlog = extras->listen_backlog > 0 ? extras->listen_backlog : SOMAXCONN;

    if (!settings_limits(&context->engine.limits, extras, error))
        return false;
    level_rules(&context->engine, level);
    if (!extension_settings(&context->engine, info->extensions, extras, error))
        return false;
    context->engine.protocols =
        settings_protocols(info->protocols, level, &context->engine.protocol_count, error);
    if (!context->engine.protocols)
        return false;
    for (size_t i = 0; i < context->engine.protocol_count; i++)
        context->engine.protocols[i].engine = &context->engine;
    context->user = info->user;
    context->ka_time = info->ka_time;
    context->ka_probes = info->ka_probes;
    context->ka_interval = info->ka_interval;
    context->engine.defeat_masks = (info->options & LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK) != 0;
    find_host_name(context, info->options);
    if (!copy_proxy(context, extras, error) || !copy_tls(context, info, extras, error))
        return false;
    return open_locks(context, listens(info, extras), error) && open_helpers(context, error) &&
           open_port(context, info, backlog, error) &&
           open_unix(context, extras->unix_path, backlog, error) &&
           adopt_listeners(context, extras, error) && load_tls(context, error) &&
           privileges_drop(info->gid, info->uid, error) &&
           begin_extensions(context, listens(info, extras), error);
}

static struct libwebsocket_context *allocate(void)
{
    struct libwebsocket_context *context = calloc(1, sizeof(*context));

    if (!context)
        return NULL;
    if (calls_init(&context->calls)) {
        free(context);
        return NULL;
    }
    context->engine.context = context;
    context->lock = PROCESS_LOCK_NONE;
    context->channel = BROADCAST_CHANNEL_NONE;
    context->engine.now = clock_now();
    deadline_wheel_init(&context->engine.wheel, context->engine.now);
    deadline_init(&context->listeners_resume);
    queue_init(&context->engine.attention);
    queue_init(&context->engine.work);
    queue_init(&context->graves);
    queue_init(&context->settle_round);
    queue_init(&context->work_round);
    list_init(&context->engine.connecting);
    list_init(&context->engine.ticking);
    list_init(&context->engine.ticked);
    deadline_init(&context->engine.tick);
    context->timer_at = UINT64_MAX;
    return context;
}

static void announce_all(struct libwebsocket_context *context)
{
    /* Nothing can refuse: there is no sink yet. */
    for (size_t i = 0; i < context->listener_count; i++)
        (void)poll_fd_announce(context->listeners[i]);
    (void)poll_fd_announce(context->wake);
    (void)poll_fd_announce(context->timer);
    if (context->broadcasts)
        (void)poll_fd_announce(context->broadcasts);
}

/* Says why there is no context, in the log and where the program wants it. */
static void explain(const struct lws_context_extras *extras, const char *reason)
{
    lwsl_err("cannot create a context: %s\n", reason);
    if (extras && extras->struct_size >= offsetof(struct lws_context_extras, unix_path) &&
        extras->error && extras->error_len)
        snprintf(extras->error, extras->error_len, "%s", reason);
}

/* Calls the program about its new context. False where that destroyed it. */
static bool introduce(struct libwebsocket_context *context)
{
    struct engine *engine = &context->engine;

    for (size_t i = 0; i < engine->protocol_count; i++)
        layout_own(level_layout(engine->level), engine->protocols[i].element, context, (int)i);
    (void)context_enter(context, CALL_ENDING);
    engine_tls_introduce(engine, &(struct engine_tls_made){engine->tls.server, engine->tls.client});
    announce_all(context);
    for (size_t i = 0; i < engine->protocol_count && !context->destroy_asked; i++) {
        context->protocols_begun = i + 1;
        (void)engine_callback(engine, &engine->protocols[i], LWS_CALLBACK_PROTOCOL_INIT, NULL);
    }
    context->created = !context->destroy_asked;
    return context_leave(context, CALL_ENDING);
}

struct libwebsocket_context *context_create(
    struct lws_context_creation_info *info, const struct lws_context_extras *extras, int level)
{
    struct libwebsocket_context *context = NULL;
    struct lws_context_extras known;
    char reason[REASON_SIZE];
    struct text error;

    text_init(&error, reason, sizeof(reason));
    if (!info)
        text_add(&error, "no info");
    else if (settings_extras(&known, extras, &error) && !(context = allocate()))
        text_add(&error, "out of memory");
    if (!context || !build(context, info, &known, level, &error)) {
        explain(extras, reason);
        if (context)
            end_silently(context);
        return NULL;
    }
    if (!introduce(context)) {
        explain(extras, "a callback destroyed it");
        return NULL;
    }
    return context;
}

struct libwebsocket_context *lws_create_context(
    struct lws_context_creation_info *info, const struct lws_context_extras *extras)
{
    return context_create(info, extras, LEVEL_NEWEST);
}

struct libwebsocket_context *libwebsocket_create_context(struct lws_context_creation_info *info)
{
    return context_create(info, NULL, LEVEL_NEWEST);
}
