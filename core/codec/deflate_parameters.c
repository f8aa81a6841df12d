#include "codec/deflate_parameters.h"

const char deflate_extension_name[] = "permessage-deflate";

static const char server_takeover[] = "server_no_context_takeover";
static const char client_takeover[] = "client_no_context_takeover";
static const char server_window[] = "server_max_window_bits";
static const char client_window[] = "client_max_window_bits";

/* A number from 8 to 15 without leading zeros; 0 for anything else. */
static unsigned char window_bits(const struct extension_parameter *parameter)
{
    char text[3];
    size_t length = extension_value_copy(parameter, text, sizeof(text));

    if (length == 1 && (text[0] == '8' || text[0] == '9'))
        return (unsigned char)(text[0] - '0');
    if (length == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5')
        return (unsigned char)(10 + text[1] - '0');
    return 0;
}

static bool read_flag(const struct extension_parameter *parameter, bool *flag)
{
    if (parameter->value || *flag)
        return false;
    *flag = true;
    return true;
}

static bool read_bits(
    const struct extension_parameter *parameter, bool needs_value, unsigned char *bits)
{
    if (*bits || (needs_value && !parameter->value))
        return false;
    *bits = parameter->value ? window_bits(parameter) : DEFLATE_WINDOW_ANY;
    return *bits != 0;
}

bool deflate_parameters_read(
    struct extension_element element, bool is_answer, struct deflate_parameters *parameters)
{
    struct extension_parameter parameter;
    bool good = true;

    *parameters = (struct deflate_parameters){0};
    while (good && extension_parameter_next(&element, &parameter)) {
        if (extension_parameter_is(&parameter, server_takeover))
            good = read_flag(&parameter, &parameters->server_no_context_takeover);
        else if (extension_parameter_is(&parameter, client_takeover))
            good = read_flag(&parameter, &parameters->client_no_context_takeover);
        else if (extension_parameter_is(&parameter, server_window))
            good = read_bits(&parameter, true, &parameters->server_max_window_bits);
        else if (extension_parameter_is(&parameter, client_window))
            good = read_bits(&parameter, is_answer, &parameters->client_max_window_bits);
        else
            good = false;
    }
    return good && element.at == element.end;
}

/* How far a window may go at most: a limit, or the format's own. */
static unsigned char most(unsigned char bits)
{
    return bits > 0 && bits < DEFLATE_WINDOW_MAX ? bits : DEFLATE_WINDOW_MAX;
}

static unsigned char lower(unsigned char first, unsigned char second)
{
    return most(first) < most(second) ? most(first) : most(second);
}

static bool limits(unsigned char bits)
{
    return most(bits) < DEFLATE_WINDOW_MAX;
}

bool deflate_parameters_offer(const struct deflate_parameters *own, unsigned int alternative,
    struct deflate_parameters *offer)
{
    bool limits_server = limits(own->server_max_window_bits);

    if (alternative > 1 || (alternative == 1 && !limits_server))
        return false;
    *offer = *own;
    if (alternative == 1 || !limits_server)
        offer->server_max_window_bits = 0;
    /* Mentioned in any case, or the server may not limit the client's window (7.1.2.2). */
    if (!limits(own->client_max_window_bits))
        offer->client_max_window_bits = DEFLATE_WINDOW_ANY;
    return true;
}

bool deflate_parameters_agree(const struct deflate_parameters *own,
    const struct deflate_parameters *offer, struct deflate_parameters *answer)
{
    unsigned char server_bits = lower(own->server_max_window_bits, offer->server_max_window_bits);
    unsigned char client_bits = lower(own->client_max_window_bits, offer->client_max_window_bits);

    if (limits(own->client_max_window_bits) && !offer->client_max_window_bits)
        return false;
    /* What the client says of its own side is a hint (7.1.1.2, 7.1.2.2). Repeated in the answer it
     * is a promise. */
    answer->server_no_context_takeover =
        own->server_no_context_takeover || offer->server_no_context_takeover;
    answer->client_no_context_takeover =
        own->client_no_context_takeover || offer->client_no_context_takeover;
    /* A limit that was asked for has to be in the answer; without one, a smaller window is worth
     * telling, for it saves the client memory (7.1.2.1). */
    answer->server_max_window_bits =
        offer->server_max_window_bits || limits(server_bits) ? server_bits : 0;
    answer->client_max_window_bits = limits(client_bits) ? client_bits : 0;
    return true;
}

bool deflate_parameters_acceptable(
    const struct deflate_parameters *offer, const struct deflate_parameters *answer)
{
    if (offer->server_no_context_takeover && !answer->server_no_context_takeover)
        return false;
    if (offer->server_max_window_bits &&
        (!answer->server_max_window_bits ||
            answer->server_max_window_bits > offer->server_max_window_bits))
        return false;
    /* A server may ignore the value that was offered, and so tell a limit above it: the client
     * keeps to its own then (7.1.2.2). */
    return !answer->client_max_window_bits || offer->client_max_window_bits;
}

struct deflate_agreement deflate_parameters_settle(
    const struct deflate_parameters *answer, bool is_client, const struct deflate_parameters *offer)
{
    struct deflate_agreement agreement;

    if (!is_client) {
        agreement.send_window_bits = most(answer->server_max_window_bits);
        agreement.receive_window_bits = most(answer->client_max_window_bits);
        agreement.send_keeps_context = !answer->server_no_context_takeover;
        agreement.receive_keeps_context = !answer->client_no_context_takeover;
        return agreement;
    }
    /* What the client has said of its own side holds whether it was repeated or not. */
    agreement.send_window_bits =
        lower(answer->client_max_window_bits, offer->client_max_window_bits);
    agreement.receive_window_bits = most(answer->server_max_window_bits);
    agreement.send_keeps_context =
        !answer->client_no_context_takeover && !offer->client_no_context_takeover;
    agreement.receive_keeps_context = !answer->server_no_context_takeover;
    return agreement;
}

static void add_flag(struct text *text, const char *name, bool flag)
{
    if (flag)
        extension_text_add_parameter(text, name, NULL);
}

static void add_bits(struct text *text, const char *name, unsigned char bits)
{
    char digits[4];
    struct text value;

    text_init(&value, digits, sizeof(digits));
    text_add(&value, "%u", (unsigned int)bits);
    if (bits)
        extension_text_add_parameter(text, name, bits == DEFLATE_WINDOW_ANY ? NULL : digits);
}

bool deflate_parameters_write(const struct deflate_parameters *parameters, struct text *text)
{
    size_t before = text->length;

    extension_text_add_name(text, deflate_extension_name);
    add_flag(text, server_takeover, parameters->server_no_context_takeover);
    add_flag(text, client_takeover, parameters->client_no_context_takeover);
    add_bits(text, server_window, parameters->server_max_window_bits);
    add_bits(text, client_window, parameters->client_max_window_bits);
    if (text->overflow && text->size > 0) {
        text->length = before;
        text->bytes[before] = '\0';
    }
    return !text->overflow;
}
