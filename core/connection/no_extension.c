/* In place of the extensions, in a library that is built without them: none is ever active. */
#include "connection/extension.h"
#include "connection/extension_chain.h"
#include "connection/extension_negotiation.h"
#include "connection/extension_stream.h"
#include "connection/payload_input.h"
#include "connection/payload_output.h"
#include "connection/websocket_output.h"

bool extension_call_all(struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, void *in, size_t length)
{
    (void)wsi;
    (void)reason;
    (void)in;
    (void)length;
    return false;
}

bool extension_call_active(
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason)
{
    (void)wsi;
    (void)reason;
    return false;
}

void extension_establish(struct libwebsocket *wsi)
{
    (void)wsi;
}

void extension_release(struct libwebsocket *wsi)
{
    (void)wsi;
}

unsigned char extension_reserved_bits(const struct libwebsocket *wsi)
{
    (void)wsi;
    return 0;
}

void extension_tick(struct engine *engine)
{
    (void)engine;
}

bool extension_begin_context(struct engine *engine, bool listens, struct text *error)
{
    (void)engine;
    (void)listens;
    (void)error;
    return true;
}

void extension_end_context(struct engine *engine)
{
    (void)engine;
}

bool extension_chain_pending(const struct libwebsocket *wsi, enum extension_chain chain)
{
    (void)wsi;
    (void)chain;
    return false;
}

void extension_chain_drop(struct libwebsocket *wsi, enum extension_chain chain)
{
    (void)wsi;
    (void)chain;
}

size_t extension_text_size(const struct engine *engine)
{
    (void)engine;
    return 1;
}

bool extension_accept(
    struct libwebsocket *wsi, void *session, const char *offer, struct text *answer)
{
    (void)wsi;
    (void)session;
    (void)offer;
    (void)answer;
    return true;
}

void extension_show_reply(struct libwebsocket *wsi, const struct text *reply)
{
    (void)wsi;
    (void)reply;
}

void extension_offer(struct libwebsocket *wsi, struct text *offer)
{
    (void)wsi;
    (void)offer;
}

const char *extension_confirm(struct libwebsocket *wsi, const char *answer)
{
    (void)wsi;
    (void)answer;
    return "the server uses an extension that was not offered";
}

void extension_stream_input(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    (void)wsi;
    (void)bytes;
    (void)length;
}

void extension_stream_resume(struct libwebsocket *wsi)
{
    (void)wsi;
}

bool extension_stream_send(struct libwebsocket *wsi, const void *bytes, size_t length)
{
    return connection_send_as_is(wsi, bytes, length);
}

void extension_stream_flush(struct libwebsocket *wsi)
{
    (void)wsi;
}

bool extension_stream_finish(struct libwebsocket *wsi)
{
    (void)wsi;
    return true;
}

void payload_input_begin(struct libwebsocket *wsi)
{
    (void)wsi;
}

bool payload_input_is_at_work(const struct libwebsocket *wsi)
{
    (void)wsi;
    return false;
}

void payload_input_take(struct libwebsocket *wsi, unsigned char *bytes, size_t length)
{
    (void)wsi;
    (void)bytes;
    (void)length;
}

void payload_input_resume(struct libwebsocket *wsi)
{
    (void)wsi;
}

void payload_input_end_frame(struct libwebsocket *wsi)
{
    (void)wsi;
}

size_t payload_input_known(const struct libwebsocket *wsi)
{
    (void)wsi;
    return 0;
}

bool payload_output_is_busy(const struct libwebsocket *wsi)
{
    (void)wsi;
    return false;
}

bool payload_output_send(struct libwebsocket *wsi, unsigned char first, unsigned char *payload,
    size_t length, enum libwebsocket_write_protocol flags)
{
    return websocket_send_frame(
        wsi, first, payload, length, (flags & LWS_WRITE_CLIENT_IGNORE_XOR_MASK) != 0);
}
