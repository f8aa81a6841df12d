#include "connection/http_file.h"

#include "base/text.h"
#include "codec/http_date.h"
#include "codec/http_range.h"
#include "connection/drain.h"
#include "connection/http_response.h"
#include "platform/open_file.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Which part of a file is sent, and under which status. */
struct selection {
    int status;
    uint64_t first;
    uint64_t length;
};

static const char *field(const struct http_exchange *exchange, const char *name)
{
    uint32_t at = 0;
    const struct http_field *found = http_head_find(&exchange->head, name, &at);

    return found ? http_head_text(&exchange->head, found->value) : NULL;
}

/*
 * The date alone tells versions of a file apart here. It is a weak validator while the file is
 * young enough to have been changed twice within its second, and If-Range needs a strong one (RFC
 * 9110, 8.8.2.2).
 */
static bool range_applies(const struct http_exchange *exchange, time_t modified, time_t now)
{
    const char *condition = field(exchange, "If-Range");
    time_t when;

    if (http_head_count(&exchange->head, "Range") != 1 || exchange->without_body)
        return false;
    if (!condition)
        return true;
    return http_date_parse(condition, now, &when) && when == modified && now - modified > 60;
}

static bool is_any(const char *value)
{
    return strcmp(value, "*") == 0;
}

/* The date in a field, where there is exactly one and it is a date. */
static bool date_field(
    const struct http_exchange *exchange, const char *name, time_t now, time_t *when)
{
    return http_head_count(&exchange->head, name) == 1 &&
           http_date_parse(field(exchange, name), now, when);
}

/*
 * The preconditions in the order of RFC 9110 section 13.2.2, for a file that has a date and no
 * entity tag: no tag that a client names is the file's. Returns 412 or 304 where one is not met, or
 * 200.
 */
static int check_conditions(
    const struct http_exchange *exchange, const struct open_file *file, time_t now)
{
    const char *match = field(exchange, "If-Match");
    const char *none_match = field(exchange, "If-None-Match");
    time_t when;

    if (match && !is_any(match))
        return 412;
    if (!match && date_field(exchange, "If-Unmodified-Since", now, &when) && file->modified > when)
        return 412;
    if (none_match)
        return is_any(none_match) ? 304 : 200;
    if (date_field(exchange, "If-Modified-Since", now, &when) && file->modified <= when)
        return 304;
    return 200;
}

static struct selection select_part(
    const struct http_exchange *exchange, const struct open_file *file, time_t now)
{
    struct selection selection = {check_conditions(exchange, file, now), 0, file->size};
    uint64_t first, last;

    if (selection.status != 200)
        return (struct selection){selection.status, 0, 0};
    if (!range_applies(exchange, file->modified, now))
        return selection;
    switch (http_range_parse(field(exchange, "Range"), file->size, &first, &last)) {
    case HTTP_RANGE_PARTIAL:
        return (struct selection){206, first, last - first + 1};
    case HTTP_RANGE_UNSATISFIABLE:
        return (struct selection){416, 0, 0};
    case HTTP_RANGE_IGNORE:
        break;
    }
    return selection;
}

static void write_head(struct text *head, const struct http_exchange *exchange,
    const struct open_file *file, const struct selection *selection, const char *content_type)
{
    time_t now = time(NULL);
    char date[HTTP_DATE_SIZE];

    http_response_begin(head, exchange, selection->status);
    /* A date in the future would be no date of a version that exists (RFC 9110, 8.8.2.1). */
    if (http_date_format(file->modified < now ? file->modified : now, date) &&
        selection->status < 400)
        text_add(head, "Last-Modified: %s\r\n", date);
    if (selection->status == 200)
        text_add(head, "Accept-Ranges: bytes\r\n");
    if (selection->status == 206)
        text_add(head, "Content-Range: bytes %llu-%llu/%llu\r\n",
            (unsigned long long)selection->first,
            (unsigned long long)(selection->first + selection->length - 1),
            (unsigned long long)file->size);
    if (selection->status == 416)
        text_add(head, "Content-Range: bytes */%llu\r\n", (unsigned long long)file->size);
    if (content_type && (selection->status == 200 || selection->status == 206))
        text_add(head, "Content-Type: %s\r\n", content_type);
    if (selection->status != 304)
        text_add(head, "Content-Length: %llu\r\n", (unsigned long long)selection->length);
    text_add(head, "\r\n");
}

static bool is_field_value(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

static int misuse(const char *what)
{
    lwsl_warn("libwebsockets_serve_http_file: %s\n", what);
    errno = EINVAL;
    return -1;
}

static int answer_without_file(struct libwebsocket *wsi, int status)
{
    lwsl_info("connection %d: %s: answered with %d\n", wsi->transport.fd,
        http_head_text(&wsi->http->head, wsi->http->head.target), status);
    wsi->http->answer = HTTP_ANSWER_SENT;
    /* The exchange ends later: the callback may still be reading from it. */
    connection_schedule(wsi);
    return http_response_send_status(wsi, status) ? 0 : -1;
}

int http_file_serve(struct libwebsocket *wsi, const char *path, const char *content_type)
{
    struct http_exchange *exchange = wsi->http;
    char bytes[HTTP_RESPONSE_HEAD_MAX];
    struct open_file file = {.fd = -1};
    struct selection selection;
    struct text head;

    if (wsi->state != CONNECTION_HTTP_RESPONSE || exchange->answer != HTTP_ANSWER_NONE)
        return misuse("no request waits for an answer");
    if (!path || (content_type && !is_field_value(content_type)))
        return misuse("no path, or a content type that is none");
    switch (open_file(path, &file)) {
    case OPEN_FILE_GOOD:
        break;
    case OPEN_FILE_MISSING:
        return answer_without_file(wsi, 404);
    case OPEN_FILE_REFUSED:
        return answer_without_file(wsi, 403);
    case OPEN_FILE_NO_RESOURCES:
        lwsl_err("connection %d: cannot serve a file: %s\n", wsi->transport.fd, strerror(errno));
        exchange->keep_alive = false;
        (void)answer_without_file(wsi, 503);
        return -1;
    }
    selection = select_part(exchange, &file, time(NULL));
    text_init(&head, bytes, sizeof(bytes));
    write_head(&head, exchange, &file, &selection, content_type);
    if (head.overflow) {
        close(file.fd);
        return misuse("a content type that is too long");
    }
    if (engine_of(wsi)->keeps_file_path && !(exchange->file_path = strdup(path))) {
        close(file.fd);
        lwsl_err("connection %d: out of memory for a path\n", wsi->transport.fd);
        errno = ENOMEM;
        return -1;
    }
    exchange->answer = HTTP_ANSWER_FILE;
    exchange->file = file.fd;
    exchange->file_offset = (off_t)selection.first;
    exchange->file_remaining = exchange->without_body ? 0 : selection.length;
    if (!connection_send(wsi, head.bytes, head.length))
        return -1;
    connection_set_due(wsi, engine_of(wsi)->limits.http_stall_timeout);
    connection_schedule(wsi);
    return 0;
}

static void finish(struct libwebsocket *wsi)
{
    struct http_exchange *exchange = wsi->http;

    close(exchange->file);
    exchange->file = -1;
    exchange->answer = HTTP_ANSWER_SENT;
    connection_set_due(wsi, 0);
    if (connection_callback(wsi, LWS_CALLBACK_HTTP_FILE_COMPLETION, NULL, 0))
        exchange->keep_alive = false;
    if (wsi->state == CONNECTION_HTTP_RESPONSE)
        http_response_end(wsi);
}

void http_file_continue(struct libwebsocket *wsi)
{
    struct http_exchange *exchange = wsi->http;
    size_t budget = FILE_PIECE;

    if (wsi->state != CONNECTION_HTTP_RESPONSE || wsi->callbacks > 0)
        return;
    if (exchange->answer == HTTP_ANSWER_SENT) {
        http_response_end(wsi);
        return;
    }
    if (exchange->answer != HTTP_ANSWER_FILE || wsi->choked || !connection_flush(wsi))
        return;
    while (exchange->file_remaining > 0 && budget > 0) {
        size_t count =
            exchange->file_remaining < budget ? (size_t)exchange->file_remaining : budget;
        size_t moved = 0;

        switch (transport_send_file(
            &wsi->transport, exchange->file, &exchange->file_offset, count, &moved)) {
        case TRANSPORT_DONE:
            exchange->file_remaining -= moved;
            budget -= moved;
            connection_progress(wsi);
            break;
        case TRANSPORT_AGAIN:
            connection_choke(wsi);
            return;
        case TRANSPORT_END:
            lwsl_notice("connection %d: the file it was being sent has become shorter\n",
                wsi->transport.fd);
            connection_die(wsi);
            return;
        case TRANSPORT_FAILED:
            connection_send_failed(wsi);
            return;
        }
    }
    if (exchange->file_remaining > 0)
        connection_schedule(wsi);
    else
        finish(wsi);
}
