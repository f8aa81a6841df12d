#include "codec/http_body.h"

#include "codec/hexadecimal.h"
#include "codec/token_list.h"

#include <string.h>

enum {
    STATE_KNOWN_LENGTH,
    STATE_SIZE_START,
    STATE_SIZE,
    STATE_SIZE_BLANK,
    STATE_EXTENSION,
    STATE_SIZE_LF,
    STATE_DATA,
    STATE_DATA_CR,
    STATE_DATA_LF,
    STATE_TRAILER_START,
    STATE_TRAILER_NAME,
    STATE_TRAILER_VALUE,
    STATE_TRAILER_LF,
    STATE_END_LF,
    STATE_DONE,
    STATE_TOO_LARGE,
    STATE_FAULT
};

/* What a client may spend on what is passed over unseen. */
enum { LINE_MAX_BYTES = 4096, TRAILER_MAX_BYTES = 16384 };

static bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_field_byte(unsigned char byte)
{
    return is_blank(byte) || (byte > 0x20 && byte != 0x7f);
}

static const char *skip_blank(const char *at)
{
    return at + strspn(at, " \t");
}

/* The end of the quoted string that starts here (RFC 9110 section 5.6.4); NULL if it has none. */
static const char *quoted_string_end(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (*at == '\0')
            return NULL;
    }
    return at + 1;
}

static const char *token_end(const char *at, const char *end)
{
    while (at < end && token_character((unsigned char)*at))
        at++;
    return at;
}

/*
 * Whether this is a transfer coding (RFC 9112 section 7); *name is how much of it is its name.
 * Elements of lists end at a comma or a NUL, so that nothing is read behind the text.
 */
static bool is_coding(const char *text, size_t length, size_t *name)
{
    const char *end = text + length;
    const char *at = token_end(text, end);

    *name = (size_t)(at - text);
    if (*name == 0)
        return false;
    while (at < end) {
        const char *start;

        at = skip_blank(at);
        if (at >= end || *at != ';')
            return false;
        start = skip_blank(at + 1);
        at = token_end(start, end);
        if (at == start)
            return false;
        at = skip_blank(at);
        if (at >= end || *at != '=')
            return false;
        start = skip_blank(at + 1);
        if (start >= end)
            return false;
        at = *start == '"' ? quoted_string_end(start) : token_end(start, end);
        if (at == NULL || at == start || at > end)
            return false;
    }
    return true;
}

struct codings {
    bool chunked; /* chunked is the last of them */
    bool other;   /* there is one that is not chunked */
};

static bool read_codings(struct codings *codings, const char *list)
{
    const char *element;
    size_t length;
    size_t name;

    while (token_list_next(&list, &element, &length)) {
        /* Whatever stands behind chunked, be it chunked again, makes the end uncertain. */
        if (codings->chunked || !is_coding(element, length, &name))
            return false;
        if (!token_equal(element, name, "chunked"))
            codings->other = true;
        else if (length == name)
            codings->chunked = true;
        else
            return false;
    }
    return true;
}

static enum http_body_status begin_chunked(
    struct http_body *body, const struct http_head *head, bool *unknown_coding)
{
    struct codings codings = {false, false};
    const struct http_field *field;
    uint32_t at = 0;

    if (head->version_minor == 0 || http_head_count(head, "content-length") != 0)
        return HTTP_BODY_BAD;
    while ((field = http_head_find(head, "transfer-encoding", &at)) != NULL) {
        if (!read_codings(&codings, http_head_text(head, field->value)))
            return HTTP_BODY_BAD;
    }
    if (!codings.chunked)
        return HTTP_BODY_BAD;
    if (codings.other) {
        *unknown_coding = true;
        return HTTP_BODY_BAD;
    }
    body->state = STATE_SIZE_START;
    return HTTP_BODY_MORE;
}

struct number {
    const char *digits;
    size_t length;
};

/* Whether each element is the number, or becomes the number if there is none yet. */
static bool read_lengths(struct number *number, const char *at)
{
    for (;;) {
        size_t length = strspn(at, "0123456789");

        if (length == 0)
            return false;
        if (number->digits == NULL)
            *number = (struct number){at, length};
        else if (number->length != length || memcmp(number->digits, at, length) != 0)
            return false;
        at = skip_blank(at + length);
        if (*at == '\0')
            return true;
        if (*at != ',')
            return false;
        at = skip_blank(at + 1);
    }
}

static enum http_body_status begin_known_length(
    struct http_body *body, const struct http_head *head)
{
    struct number number = {NULL, 0};
    const struct http_field *field;
    uint32_t at = 0;

    while ((field = http_head_find(head, "content-length", &at)) != NULL) {
        if (!read_lengths(&number, http_head_text(head, field->value)))
            return HTTP_BODY_BAD;
    }
    for (size_t i = 0; i < number.length; i++) {
        uint64_t digit = (uint64_t)(number.digits[i] - '0');

        if (body->remaining > (UINT64_MAX - digit) / 10)
            return HTTP_BODY_TOO_LARGE;
        body->remaining = body->remaining * 10 + digit;
    }
    if (body->remaining > body->limit)
        return HTTP_BODY_TOO_LARGE;
    return body->remaining == 0 ? HTTP_BODY_DONE : HTTP_BODY_MORE;
}

/* A status that ends the body is the answer to whatever is fed after it. */
static enum http_body_status settle(struct http_body *body, enum http_body_status status)
{
    switch (status) {
    case HTTP_BODY_MORE:
        break;
    case HTTP_BODY_DONE:
        body->state = STATE_DONE;
        break;
    case HTTP_BODY_TOO_LARGE:
        body->state = STATE_TOO_LARGE;
        break;
    case HTTP_BODY_BAD:
        body->state = STATE_FAULT;
        break;
    }
    return status;
}

static enum http_body_status settled(const struct http_body *body)
{
    switch (body->state) {
    case STATE_DONE:
        return HTTP_BODY_DONE;
    case STATE_TOO_LARGE:
        return HTTP_BODY_TOO_LARGE;
    case STATE_FAULT:
        return HTTP_BODY_BAD;
    default:
        return HTTP_BODY_MORE;
    }
}

enum http_body_status http_body_begin(
    struct http_body *body, const struct http_head *head, uint64_t limit, bool *unknown_coding)
{
    enum http_body_status status;

    *body = (struct http_body){.limit = limit, .state = STATE_KNOWN_LENGTH};
    *unknown_coding = false;
    if (http_head_count(head, "transfer-encoding") != 0)
        status = begin_chunked(body, head, unknown_coding);
    else
        status = begin_known_length(body, head);
    return settle(body, status);
}

static enum http_body_status go_on(struct http_body *body, unsigned char state)
{
    body->state = state;
    return HTTP_BODY_MORE;
}

static enum http_body_status size_digit(struct http_body *body, unsigned digit)
{
    if (body->remaining > UINT64_MAX >> 4)
        return HTTP_BODY_BAD;
    body->remaining = body->remaining << 4 | digit;
    return go_on(body, STATE_SIZE);
}

/* Takes the size line as complete. The total never exceeds the limit. */
static enum http_body_status size_end(struct http_body *body)
{
    body->line = 0;
    if (body->remaining == 0)
        return go_on(body, STATE_TRAILER_START);
    if (body->remaining > body->limit - body->total)
        return HTTP_BODY_TOO_LARGE;
    body->total += body->remaining;
    return go_on(body, STATE_DATA);
}

static enum http_body_status size_line_byte(struct http_body *body, unsigned char byte)
{
    int digit = hexadecimal_value(byte);

    if (++body->line > LINE_MAX_BYTES)
        return HTTP_BODY_BAD;
    switch (body->state) {
    case STATE_SIZE_START:
        if (digit >= 0)
            return size_digit(body, (unsigned)digit);
        break;
    case STATE_SIZE:
        if (digit >= 0)
            return size_digit(body, (unsigned)digit);
        if (byte == '\r')
            return go_on(body, STATE_SIZE_LF);
        __attribute__((fallthrough));
    case STATE_SIZE_BLANK:
        if (is_blank(byte))
            return go_on(body, STATE_SIZE_BLANK);
        if (byte == ';')
            return go_on(body, STATE_EXTENSION);
        break;
    case STATE_EXTENSION:
        if (is_field_byte(byte))
            return HTTP_BODY_MORE;
        if (byte == '\r')
            return go_on(body, STATE_SIZE_LF);
        break;
    case STATE_SIZE_LF:
        if (byte == '\n')
            return size_end(body);
        break;
    default:
        break;
    }
    return HTTP_BODY_BAD;
}

/* The count of trailer bytes is kept where the chunk's remaining bytes were: there are none. */
static enum http_body_status trailer_byte(struct http_body *body, unsigned char byte)
{
    if (++body->line > LINE_MAX_BYTES || ++body->remaining > TRAILER_MAX_BYTES)
        return HTTP_BODY_BAD;
    switch (body->state) {
    case STATE_TRAILER_START:
        if (byte == '\r')
            return go_on(body, STATE_END_LF);
        if (token_character(byte))
            return go_on(body, STATE_TRAILER_NAME);
        break;
    case STATE_TRAILER_NAME:
        if (token_character(byte))
            return HTTP_BODY_MORE;
        if (byte == ':')
            return go_on(body, STATE_TRAILER_VALUE);
        break;
    case STATE_TRAILER_VALUE:
        if (is_field_byte(byte))
            return HTTP_BODY_MORE;
        if (byte == '\r')
            return go_on(body, STATE_TRAILER_LF);
        break;
    case STATE_TRAILER_LF:
        if (byte != '\n')
            break;
        body->line = 0;
        return go_on(body, STATE_TRAILER_START);
    case STATE_END_LF:
        if (byte == '\n')
            return HTTP_BODY_DONE;
        break;
    default:
        break;
    }
    return HTTP_BODY_BAD;
}

static enum http_body_status one_byte(struct http_body *body, unsigned char byte)
{
    switch (body->state) {
    case STATE_DATA_CR:
        return byte == '\r' ? go_on(body, STATE_DATA_LF) : HTTP_BODY_BAD;
    case STATE_DATA_LF:
        return byte == '\n' ? go_on(body, STATE_SIZE_START) : HTTP_BODY_BAD;
    case STATE_TRAILER_START:
    case STATE_TRAILER_NAME:
    case STATE_TRAILER_VALUE:
    case STATE_TRAILER_LF:
    case STATE_END_LF:
        return trailer_byte(body, byte);
    default:
        return size_line_byte(body, byte);
    }
}

/* Passes over payload; returns how much of it. */
static size_t skip_payload(struct http_body *body, size_t length)
{
    size_t skipped = body->remaining < length ? (size_t)body->remaining : length;

    body->remaining -= skipped;
    return skipped;
}

enum http_body_status http_body_skip(
    struct http_body *body, const unsigned char *in, size_t length, size_t *used)
{
    enum http_body_status status = settled(body);
    size_t at = 0;

    while (status == HTTP_BODY_MORE && at < length) {
        switch (body->state) {
        case STATE_KNOWN_LENGTH:
            at += skip_payload(body, length - at);
            if (body->remaining == 0)
                status = HTTP_BODY_DONE;
            break;
        case STATE_DATA:
            at += skip_payload(body, length - at);
            if (body->remaining == 0)
                body->state = STATE_DATA_CR;
            break;
        default:
            status = one_byte(body, in[at]);
            if (status == HTTP_BODY_MORE || status == HTTP_BODY_DONE)
                at++;
            break;
        }
    }
    *used = at;
    return settle(body, status);
}
