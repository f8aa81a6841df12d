#include "codec/http_head.h"

#include "codec/token_list.h"

enum {
    /* Before and in a request line; a status line starts in STATE_START too. */
    STATE_START,
    STATE_START_LF,
    STATE_START_LAST, /* the one empty line that is allowed has been */
    STATE_METHOD,
    STATE_TARGET_START,
    STATE_TARGET,
    STATE_REQUEST_END,
    /* The version, at the end of a request line and at the start of a status line. */
    STATE_VERSION_NAME,
    STATE_VERSION_MAJOR,
    STATE_VERSION_DOT,
    STATE_VERSION_MINOR,
    STATE_OTHER_VERSION_DOT,
    STATE_OTHER_VERSION_MINOR,
    /* The rest of a status line. */
    STATE_STATUS_START,
    STATE_STATUS,
    STATE_STATUS_END,
    STATE_REASON_START,
    STATE_REASON,
    STATE_START_LINE_LF,
    /* Field lines; they are the same behind any kind of start line. */
    STATE_FIELD_START,
    STATE_FIELD_NAME,
    STATE_FIELD_VALUE,
    STATE_FIELD_LF,
    STATE_END_LF,
    STATE_DONE,
    STATE_FAULT
};

static const char version_name[] = "HTTP/";

/* Offsets are of 32 bits, as storage_size is, so that storage_used cannot wrap. */
static bool store(struct http_head *head, unsigned char byte)
{
    if (head->storage_used >= head->storage_size)
        return false;
    head->storage[head->storage_used++] = (char)byte;
    return true;
}

/* MORE: the byte is taken and this state comes next. */
static enum http_head_status go_on(struct http_head *head, unsigned char state)
{
    head->state = state;
    return HTTP_HEAD_MORE;
}

/* Stores the byte and goes on; where there is no room nothing has changed. */
static enum http_head_status go_on_storing(
    struct http_head *head, unsigned char byte, unsigned char state)
{
    if (!store(head, byte))
        return HTTP_HEAD_STORAGE_FULL;
    return go_on(head, state);
}

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_visible(unsigned char byte)
{
    return byte > 0x20 && byte < 0x7f;
}

/* What a reason and a field's value are made of, but for the blanks. */
static bool is_text(unsigned char byte)
{
    return is_visible(byte) || byte >= 0x80;
}

static bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

static enum http_head_status request_line_byte(struct http_head *head, unsigned char byte)
{
    switch (head->state) {
    case STATE_START:
        if (byte == '\r')
            return go_on(head, STATE_START_LF);
        __attribute__((fallthrough));
    case STATE_START_LAST:
        head->method = head->storage_used;
        if (token_character(byte))
            return go_on_storing(head, byte, STATE_METHOD);
        break;
    case STATE_START_LF:
        if (byte == '\n')
            return go_on(head, STATE_START_LAST);
        break;
    case STATE_METHOD:
        if (token_character(byte))
            return go_on_storing(head, byte, STATE_METHOD);
        if (byte == ' ')
            return go_on_storing(head, '\0', STATE_TARGET_START);
        break;
    case STATE_TARGET_START:
        head->target = head->storage_used;
        if (is_visible(byte))
            return go_on_storing(head, byte, STATE_TARGET);
        break;
    case STATE_TARGET:
        if (is_visible(byte))
            return go_on_storing(head, byte, STATE_TARGET);
        if (byte == ' ') {
            head->mark = 0;
            return go_on_storing(head, '\0', STATE_VERSION_NAME);
        }
        break;
    case STATE_REQUEST_END:
        if (byte == '\r')
            return go_on(head, STATE_START_LINE_LF);
        break;
    default:
        break;
    }
    return HTTP_HEAD_BAD;
}

static enum http_head_status version_byte(struct http_head *head, unsigned char byte)
{
    switch (head->state) {
    case STATE_VERSION_NAME:
        if (byte != (unsigned char)version_name[head->mark])
            break;
        head->mark++;
        if (version_name[head->mark] != '\0')
            return HTTP_HEAD_MORE;
        return go_on(head, STATE_VERSION_MAJOR);
    case STATE_VERSION_MAJOR:
        if (byte == '1')
            return go_on(head, STATE_VERSION_DOT);
        if (is_digit(byte))
            return go_on(head, STATE_OTHER_VERSION_DOT);
        break;
    case STATE_VERSION_DOT:
        if (byte == '.')
            return go_on(head, STATE_VERSION_MINOR);
        break;
    case STATE_VERSION_MINOR:
        if (!is_digit(byte))
            break;
        head->version_minor = (unsigned char)(byte - '0');
        return go_on(head, head->response ? STATE_STATUS_START : STATE_REQUEST_END);
    case STATE_OTHER_VERSION_DOT:
        if (byte == '.')
            return go_on(head, STATE_OTHER_VERSION_MINOR);
        break;
    case STATE_OTHER_VERSION_MINOR:
        if (is_digit(byte))
            return HTTP_HEAD_BAD_VERSION;
        break;
    default:
        break;
    }
    return HTTP_HEAD_BAD;
}

/* The first digit is not 0, so that a status of 100 and more has all three. */
static enum http_head_status status_digit(struct http_head *head, unsigned char byte)
{
    if (!is_digit(byte) || (head->status == 0 && (byte < '1' || byte > '5')))
        return HTTP_HEAD_BAD;
    if (!store(head, byte))
        return HTTP_HEAD_STORAGE_FULL;
    head->status = (uint16_t)(head->status * 10 + (byte - '0'));
    return go_on(head, head->status < 100 ? STATE_STATUS : STATE_STATUS_END);
}

static enum http_head_status status_line_byte(struct http_head *head, unsigned char byte)
{
    switch (head->state) {
    case STATE_START:
        if (byte != (unsigned char)version_name[0])
            break;
        head->mark = 1;
        return go_on(head, STATE_VERSION_NAME);
    case STATE_STATUS_START:
        if (byte != ' ')
            break;
        head->reason = head->storage_used;
        return go_on(head, STATE_STATUS);
    case STATE_STATUS:
        return status_digit(head, byte);
    case STATE_STATUS_END:
        if (byte == ' ')
            return go_on_storing(head, byte, STATE_REASON_START);
        if (byte == '\r')
            return go_on_storing(head, '\0', STATE_START_LINE_LF);
        break;
    case STATE_REASON_START:
        /* There is no reason, and the space that was to go before it makes room for the NUL. */
        if (byte == '\r') {
            head->storage_used--;
            return go_on_storing(head, '\0', STATE_START_LINE_LF);
        }
        __attribute__((fallthrough));
    case STATE_REASON:
        if (is_text(byte) || is_blank(byte))
            return go_on_storing(head, byte, STATE_REASON);
        if (byte == '\r')
            return go_on_storing(head, '\0', STATE_START_LINE_LF);
        break;
    default:
        break;
    }
    return HTTP_HEAD_BAD;
}

static enum http_head_status start_line_byte(struct http_head *head, unsigned char byte)
{
    if (head->state == STATE_START_LINE_LF)
        return byte == '\n' ? go_on(head, STATE_FIELD_START) : HTTP_HEAD_BAD;
    if (head->state >= STATE_VERSION_NAME && head->state <= STATE_OTHER_VERSION_MINOR)
        return version_byte(head, byte);
    return head->response ? status_line_byte(head, byte) : request_line_byte(head, byte);
}

static enum http_head_status field_start(struct http_head *head, unsigned char byte)
{
    if (head->fields_count >= head->fields_max)
        return HTTP_HEAD_FIELDS_FULL;
    head->fields[head->fields_count].name = head->storage_used;
    return go_on_storing(head, byte, STATE_FIELD_NAME);
}

static enum http_head_status field_name_end(struct http_head *head)
{
    struct http_field *field = &head->fields[head->fields_count];
    uint32_t end = head->storage_used;

    if (!store(head, '\0'))
        return HTTP_HEAD_STORAGE_FULL;
    field->name_length = end - field->name;
    field->value = head->storage_used;
    head->mark = field->value;
    return go_on(head, STATE_FIELD_VALUE);
}

/* The mark is behind the last byte that is not white space. */
static enum http_head_status field_value_byte(struct http_head *head, unsigned char byte)
{
    struct http_field *field = &head->fields[head->fields_count];

    if (is_blank(byte)) {
        if (head->storage_used == field->value)
            return HTTP_HEAD_MORE;
        return go_on_storing(head, byte, STATE_FIELD_VALUE);
    }
    if (is_text(byte)) {
        if (!store(head, byte))
            return HTTP_HEAD_STORAGE_FULL;
        head->mark = head->storage_used;
        return HTTP_HEAD_MORE;
    }
    if (byte != '\r')
        return HTTP_HEAD_BAD;
    head->storage_used = head->mark;
    field->value_length = head->mark - field->value;
    return go_on_storing(head, '\0', STATE_FIELD_LF);
}

static enum http_head_status field_line_byte(struct http_head *head, unsigned char byte)
{
    switch (head->state) {
    case STATE_FIELD_START:
        if (byte == '\r')
            return go_on(head, STATE_END_LF);
        if (token_character(byte))
            return field_start(head, byte);
        break;
    case STATE_FIELD_NAME:
        if (token_character(byte))
            return go_on_storing(head, byte, STATE_FIELD_NAME);
        if (byte == ':')
            return field_name_end(head);
        break;
    case STATE_FIELD_VALUE:
        return field_value_byte(head, byte);
    case STATE_FIELD_LF:
        if (byte != '\n')
            break;
        head->fields_count++;
        return go_on(head, STATE_FIELD_START);
    case STATE_END_LF:
        if (byte != '\n')
            break;
        head->state = STATE_DONE;
        return HTTP_HEAD_DONE;
    default:
        break;
    }
    return HTTP_HEAD_BAD;
}

void http_head_init(struct http_head *head, char *storage, uint32_t storage_size,
    struct http_field *fields, uint32_t fields_max)
{
    *head = (struct http_head){.storage = storage,
        .storage_size = storage_size,
        .fields = fields,
        .fields_max = fields_max,
        .state = STATE_START};
}

void http_head_init_response(struct http_head *head, char *storage, uint32_t storage_size,
    struct http_field *fields, uint32_t fields_max)
{
    http_head_init(head, storage, storage_size, fields, fields_max);
    head->response = true;
}

enum http_head_status http_head_parse(
    struct http_head *head, const unsigned char *in, size_t length, size_t *used)
{
    enum http_head_status status = HTTP_HEAD_MORE;
    size_t at = 0;

    if (head->state == STATE_DONE)
        status = HTTP_HEAD_DONE;
    else if (head->state == STATE_FAULT)
        status = HTTP_HEAD_BAD;
    while (status == HTTP_HEAD_MORE && at < length) {
        if (head->state < STATE_FIELD_START)
            status = start_line_byte(head, in[at]);
        else
            status = field_line_byte(head, in[at]);
        if (status == HTTP_HEAD_MORE || status == HTTP_HEAD_DONE)
            at++;
    }
    if (status != HTTP_HEAD_MORE && status != HTTP_HEAD_DONE && status != HTTP_HEAD_STORAGE_FULL)
        head->state = STATE_FAULT;
    *used = at;
    return status;
}

bool http_head_started(const struct http_head *head)
{
    return head->state >= STATE_METHOD;
}

bool http_head_in_target(const struct http_head *head)
{
    return head->state == STATE_TARGET;
}

void http_head_move(struct http_head *head, char *storage, uint32_t storage_size)
{
    head->storage = storage;
    head->storage_size = storage_size;
}

const struct http_field *http_head_find(
    const struct http_head *head, const char *name, uint32_t *at)
{
    while (*at < head->fields_count) {
        const struct http_field *field = &head->fields[(*at)++];

        if (token_equal(http_head_text(head, field->name), field->name_length, name))
            return field;
    }
    return NULL;
}

uint32_t http_head_count(const struct http_head *head, const char *name)
{
    uint32_t at = 0;
    uint32_t count = 0;

    while (http_head_find(head, name, &at) != NULL)
        count++;
    return count;
}
