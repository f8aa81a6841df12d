#include "connection/extension.h"

#include "codec/close_payload.h"
#include "connection/drain.h"
#include "connection/websocket_close.h"
#include "platform/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 1000 };

/* Programs of older levels would answer what they cannot know as they answer whatever is wrong. */
static bool knows(const struct engine *engine, enum libwebsocket_extension_callback_reasons reason)
{
    switch (reason) {
    case LWS_EXT_CALLBACK_PAYLOAD_TX:
    case LWS_EXT_CALLBACK_PAYLOAD_RX:
        return engine->extensions_know_payload;
    case LWS_EXT_CALLBACK_OFFER:
        return engine->extensions_know_additions;
    default:
        return true;
    }
}

int extension_call(struct libwebsocket *wsi, const struct active_extension *active,
    enum libwebsocket_extension_callback_reasons reason, void *in, size_t length)
{
    struct libwebsocket_extension *element = &active->extension->element;
    int result;

    if (active->extension->is_internal)
        return element->callback(
            engine_of(wsi)->context, element, wsi, reason, active->session, in, length);
    if (!knows(engine_of(wsi), reason))
        return 0;
    connection_begin_callback(wsi);
    result = element->callback(
        engine_of(wsi)->context, element, wsi, reason, active->session, in, length);
    connection_end_callback(wsi);
    return result;
}

bool extension_call_all(struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, void *in, size_t length)
{
    struct engine *engine = engine_of(wsi);
    bool result = false;

    for (size_t i = 0; i < engine->extension_count; i++) {
        const struct active_extension idle = {.extension = &engine->extensions[i]};

        /* Where the context ends, all that is said is what ends with it. */
        if (engine->ending && reason != LWS_EXT_CALLBACK_DESTROY_ANY_WSI_CLOSING)
            break;
        if (!idle.extension->is_internal && extension_call(wsi, &idle, reason, in, length) > 0)
            result = true;
    }
    return result;
}

bool extension_call_active(
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason)
{
    struct extension_set *set = extension_set_of(wsi);

    for (size_t i = 0; wsi->stream_extended && i < set->count; i++)
        if (!set->list[i].extension->is_internal &&
            extension_call(wsi, &set->list[i], reason, NULL, 0) > 0)
            return true;
    return false;
}

void extension_fail(struct libwebsocket *wsi, const struct lws_extension_payload *payload)
{
    unsigned int code = (unsigned int)payload->close_status;
    const char *why = payload->close_reason ? payload->close_reason : "";

    if (!close_code_is_valid(code) || strlen(why) > CLOSE_REASON_MAX) {
        code = CLOSE_UNEXPECTED;
        why = "";
    }
    websocket_fail(wsi, code, why);
}

bool extension_cannot_send(struct libwebsocket *wsi)
{
    if (wsi->state != CONNECTION_DEAD)
        lwsl_err("connection %d: an extension cannot send\n", wsi->transport.fd);
    connection_die(wsi);
    errno = EIO;
    return false;
}

static bool has_foreign(const struct extension_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (!set->list[i].extension->is_internal)
            return true;
    return false;
}

void extension_establish(struct libwebsocket *wsi)
{
    struct engine *engine = engine_of(wsi);
    struct extension_set *set = extension_set_of(wsi);

    if (set && has_foreign(set)) {
        wsi->stream_extended = true;
        list_append(&engine->ticking, &set->ticking);
        if (!deadline_is_set(&engine->tick))
            deadline_set(&engine->wheel, &engine->tick, engine->now + TICK_MS);
    }
}

void extension_release(struct libwebsocket *wsi)
{
    struct extension_set *set = extension_set_of(wsi);

    if (!set)
        return;
    list_remove(&set->ticking);
    for (size_t i = set->count; i > 0; i--) {
        (void)extension_call(wsi, &set->list[i - 1], LWS_EXT_CALLBACK_DESTROY, NULL, 0);
        free(set->list[i - 1].session);
    }
    for (size_t chain = 0; chain < CHAINS; chain++)
        free(set->leftover[chain].bytes);
    wsi->extended = false;
    wsi->stream_extended = false;
    wsi->rarely->extensions = NULL;
    free(set);
}

unsigned char extension_reserved_bits(const struct libwebsocket *wsi)
{
    const struct extension_set *set = extension_set_of(wsi);
    unsigned char bits = 0;

    for (size_t i = 0; set && i < set->count; i++)
        bits |= set->list[i].reserved_bits;
    return bits;
}

void extension_spend(struct libwebsocket *wsi, size_t length)
{
    struct extension_set *set = extension_set_of(wsi);

    set->spent += length;
    if (set->spent >= UNPACKED_PER_CALL)
        wsi->paused = true;
}

static void tell_second(struct libwebsocket *wsi, struct extension_set *set)
{
    /* The set lives as long as a callback of its connection runs. */
    connection_begin_callback(wsi);
    set->asked = false;
    for (size_t i = 0; i < set->count && !engine_of(wsi)->ending; i++)
        if (!set->list[i].extension->is_internal)
            (void)extension_call(
                wsi, &set->list[i], LWS_EXT_CALLBACK_1HZ, NULL, (size_t)(clock_now() / TICK_MS));
    connection_end_callback(wsi);
}

/* A callback may end any of the connections: each is on the other list before it is told. */
void extension_tick(struct engine *engine)
{
    for (int i = 0; i < WORK_PER_CALL && !list_empty(&engine->ticking) && !engine->ending; i++) {
        struct list_node *node = engine->ticking.next;
        struct extension_set *set = list_entry(node, struct extension_set, ticking);

        list_remove(node);
        list_append(&engine->ticked, node);
        tell_second(set->wsi, set);
    }
    if (!list_empty(&engine->ticking)) {
        deadline_set(&engine->wheel, &engine->tick, engine->now + 1);
        return;
    }
    list_splice(&engine->ticking, &engine->ticked);
    if (!list_empty(&engine->ticking))
        deadline_set(&engine->wheel, &engine->tick, engine->now + TICK_MS);
}

static int call_without_connection(struct engine *engine, struct extension *extension,
    enum libwebsocket_extension_callback_reasons reason)
{
    return extension->element.callback(
        engine->context, &extension->element, NULL, reason, NULL, NULL, 0);
}

bool extension_begin_context(struct engine *engine, bool listens, struct text *error)
{
    engine->extensions_listen = listens;
    for (size_t i = 0; i < engine->extension_count; i++) {
        struct extension *extension = &engine->extensions[i];

        if (call_without_connection(engine, extension,
                listens ? LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT
                        : LWS_EXT_CALLBACK_CLIENT_CONTEXT_CONSTRUCT) < 0 &&
            engine->extensions_know_additions) {
            text_add(error, "the extension %s does not want to begin", extension->element.name);
            return false;
        }
        extension->begun = true;
    }
    return true;
}

void extension_end_context(struct engine *engine)
{
    for (size_t i = engine->extension_count; i > 0; i--) {
        struct extension *extension = &engine->extensions[i - 1];

        if (!extension->begun)
            continue;
        extension->begun = false;
        (void)call_without_connection(engine, extension,
            engine->extensions_listen ? LWS_EXT_CALLBACK_SERVER_CONTEXT_DESTRUCT
                                      : LWS_EXT_CALLBACK_CLIENT_CONTEXT_DESTRUCT);
    }
    deflate_pool_free(&engine->deflate);
    free(engine->extensions);
    engine->extensions = NULL;
    engine->extension_count = 0;
}
