#include "ws_deflate.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#define ZLIB_CONST
#include <zlib.h>

static const unsigned char tail[4] = {0x00, 0x00, 0xff, 0xff};

struct ws_deflate {
    z_stream packer;
    z_stream unpacker;
    bool packs_anew; /* after each message */
    bool unpacks_anew;
    unsigned char last[sizeof tail]; /* the bytes of the message that were unpacked last */
};

static void read_flag(bool *flag, const char *value)
{
    ck_assert_ptr_null(value);
    ck_assert_msg(!*flag, "a parameter occurs twice");
    *flag = true;
}

static void read_bits(int *bits, const char *value)
{
    static const char *const values[] = {"8", "9", "10", "11", "12", "13", "14", "15"};

    ck_assert_msg(*bits == 0, "a parameter occurs twice");
    ck_assert_ptr_nonnull(value);
    for (int i = 0; i < 8; i++)
        if (strcmp(value, values[i]) == 0)
            *bits = 8 + i;
    ck_assert_msg(*bits != 0, "%s window bits", value);
}

static void read_parameter(struct ws_deflate_terms *terms, char *parameter)
{
    char *value = strchr(parameter, '=');

    if (value != NULL)
        *value++ = '\0';
    /* The value may stand in quotes. */
    if (value != NULL && value[0] == '"' && value[strlen(value) - 1] == '"') {
        value[strlen(value) - 1] = '\0';
        value++;
    }
    if (strcasecmp(parameter, "server_no_context_takeover") == 0)
        read_flag(&terms->server_no_context_takeover, value);
    else if (strcasecmp(parameter, "client_no_context_takeover") == 0)
        read_flag(&terms->client_no_context_takeover, value);
    else if (strcasecmp(parameter, "server_max_window_bits") == 0)
        read_bits(&terms->server_max_window_bits, value);
    else if (strcasecmp(parameter, "client_max_window_bits") == 0)
        read_bits(&terms->client_max_window_bits, value);
    else
        ck_abort_msg("the parameter %s", parameter);
}

struct ws_deflate_terms ws_deflate_terms_of(const char *answer)
{
    struct ws_deflate_terms terms = {0};
    char *copy = strdup(answer);
    char *rest = NULL;
    char *part;

    ck_assert_ptr_nonnull(copy);
    part = strtok_r(copy, "; ", &rest);
    ck_assert_ptr_nonnull(part);
    ck_assert_str_eq(part, "permessage-deflate");
    while ((part = strtok_r(NULL, "; ", &rest)) != NULL)
        read_parameter(&terms, part);
    free(copy);
    return terms;
}

static int window(int bits)
{
    return bits == 0 ? MAX_WBITS : bits;
}

struct ws_deflate *ws_deflate_new(const struct ws_deflate_terms *terms, bool serves)
{
    struct ws_deflate *stream = calloc(1, sizeof *stream);
    int server_bits = window(terms->server_max_window_bits);
    int client_bits = window(terms->client_max_window_bits);
    int own_bits = serves ? server_bits : client_bits;

    ck_assert_ptr_nonnull(stream);
    stream->packs_anew =
        serves ? terms->server_no_context_takeover : terms->client_no_context_takeover;
    stream->unpacks_anew =
        serves ? terms->client_no_context_takeover : terms->server_no_context_takeover;
    /* zlib has no 8 for raw deflate; where it matters what it makes of 9, a test sees to it. */
    ck_assert_int_eq(deflateInit2(&stream->packer, 6, Z_DEFLATED, -(own_bits < 9 ? 9 : own_bits), 8,
                         Z_DEFAULT_STRATEGY),
        Z_OK);
    ck_assert_int_eq(inflateInit2(&stream->unpacker, serves ? -client_bits : -server_bits), Z_OK);
    return stream;
}

void ws_deflate_free(struct ws_deflate *stream)
{
    if (stream == NULL)
        return;
    (void)deflateEnd(&stream->packer);
    (void)inflateEnd(&stream->unpacker);
    free(stream);
}

void ws_deflate_forget(struct ws_deflate *stream)
{
    ck_assert_int_eq(deflateReset(&stream->packer), Z_OK);
}

unsigned char *ws_deflate_pack(
    struct ws_deflate *stream, const void *bytes, size_t length, bool ends_message, size_t *packed)
{
    z_stream *packer = &stream->packer;
    size_t room = deflateBound(packer, length) + 64;
    unsigned char *out = malloc(room);

    ck_assert_ptr_nonnull(out);
    packer->next_in = bytes;
    packer->avail_in = (uInt)length;
    packer->next_out = out;
    packer->avail_out = (uInt)room;
    if (length > 0)
        ck_assert_int_eq(deflate(packer, Z_SYNC_FLUSH), Z_OK);
    ck_assert_uint_eq(packer->avail_in, 0);
    ck_assert_uint_gt(packer->avail_out, 0);
    *packed = room - packer->avail_out;
    if (ends_message && length == 0)
        out[(*packed)++] = 0x00;
    else if (ends_message)
        *packed -= sizeof tail;
    if (ends_message && stream->packs_anew)
        ws_deflate_forget(stream);
    return out;
}

bool ws_deflate_is_flushed(const struct ws_deflate *stream)
{
    return memcmp(stream->last, tail, sizeof tail) == 0;
}

static void remember_last(struct ws_deflate *stream, const unsigned char *bytes, size_t length)
{
    size_t kept = length < sizeof tail ? sizeof tail - length : 0;

    memmove(stream->last, stream->last + sizeof tail - kept, kept);
    if (length > 0)
        memcpy(stream->last + kept, bytes + length - (sizeof tail - kept), sizeof tail - kept);
}

static const char *inflate_all(struct ws_deflate *stream, const unsigned char *bytes, size_t length,
    unsigned char **result, size_t *have)
{
    z_stream *unpacker = &stream->unpacker;
    int status = Z_OK;

    unpacker->next_in = bytes;
    unpacker->avail_in = (uInt)length;
    do {
        size_t more = 4 * length + 1024;

        *result = realloc(*result, *have + more);
        ck_assert_ptr_nonnull(*result);
        unpacker->next_out = *result + *have;
        unpacker->avail_out = (uInt)more;
        status = inflate(unpacker, Z_SYNC_FLUSH);
        *have += more - unpacker->avail_out;
        if (status == Z_STREAM_END)
            status = inflateReset(unpacker);
        if (status != Z_OK && status != Z_BUF_ERROR)
            return unpacker->msg == NULL ? "zlib says no" : unpacker->msg;
    } while (unpacker->avail_in > 0 || unpacker->avail_out == 0);
    return NULL;
}

const char *ws_deflate_unpack(struct ws_deflate *stream, const void *bytes, size_t packed,
    bool ends_message, unsigned char **result, size_t *length)
{
    const char *fault = inflate_all(stream, bytes, packed, result, length);

    remember_last(stream, bytes, packed);
    if (fault != NULL || !ends_message)
        return fault;
    if (inflateSyncPoint(&stream->unpacker) != 1)
        return "the message does not end with a block";
    fault = inflate_all(stream, tail, sizeof tail, result, length);
    memset(stream->last, 0x55, sizeof stream->last);
    if (stream->unpacks_anew)
        ck_assert_int_eq(inflateReset(&stream->unpacker), Z_OK);
    return fault;
}
