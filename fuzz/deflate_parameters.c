/*
 * permessage-deflate's parameters: what a server wants and what a client wants, a byte for the
 * takeovers and one for the windows of each, then a Sec-WebSocket-Extensions field. Each of its
 * extensions is taken for an offer and for an answer.
 */
#include "codec/deflate_parameters.h"

#include "fuzz.h"

static bool same(const struct deflate_parameters *first, const struct deflate_parameters *second)
{
    return first->server_no_context_takeover == second->server_no_context_takeover &&
           first->client_no_context_takeover == second->client_no_context_takeover &&
           first->server_max_window_bits == second->server_max_window_bits &&
           first->client_max_window_bits == second->client_max_window_bits;
}

static struct deflate_parameters take_wishes(const uint8_t **data, size_t *size)
{
    static const unsigned char bits[] = {0, 8, 9, 10, 11, 12, 13, 14, 15};
    unsigned int takeovers = fuzz_take_byte(data, size);
    unsigned int windows = fuzz_take_byte(data, size);

    return (struct deflate_parameters){
        takeovers & 1, takeovers & 2, bits[windows % 9], bits[windows / 9 % 9]};
}

/* A parameter as a text: its name and, behind '=', its value. */
static char *parameter_text(const struct extension_parameter *parameter)
{
    size_t room = parameter->name_length + parameter->value_length + 2;
    char *bytes = fuzz_allocate(room);
    size_t length = parameter->name_length;

    memcpy(bytes, parameter->name, length);
    bytes[length] = '\0';
    if (parameter->value) {
        bytes[length++] = '=';
        extension_value_copy(parameter, bytes + length, room - length);
    }
    return bytes;
}

/* The bits of "NAME=BITS" for one of the numbers that are allowed; else 0. */
static unsigned char plain_bits(const char *text, const char *name)
{
    char allowed[64];

    for (unsigned char bits = 8; bits <= 15; bits++) {
        snprintf(allowed, sizeof(allowed), "%s=%d", name, bits);
        if (strcmp(text, allowed) == 0)
            return bits;
    }
    return 0;
}

/* Each parameter compared with all that it may be. */
static bool read_plainly(
    struct extension_element element, bool is_answer, struct deflate_parameters *parameters)
{
    struct extension_parameter parameter;
    int seen[4] = {0};
    int known = 0, count = 0;

    *parameters = (struct deflate_parameters){0};
    while (extension_parameter_next(&element, &parameter)) {
        char *text = parameter_text(&parameter);
        unsigned char server_bits = plain_bits(text, "server_max_window_bits");
        unsigned char client_bits = plain_bits(text, "client_max_window_bits");

        if (!is_answer && strcmp(text, "client_max_window_bits") == 0)
            client_bits = DEFLATE_WINDOW_ANY;
        if (strcmp(text, "server_no_context_takeover") == 0)
            known += seen[0]++ == 0;
        if (strcmp(text, "client_no_context_takeover") == 0)
            known += seen[1]++ == 0;
        if (server_bits) {
            known += seen[2]++ == 0;
            parameters->server_max_window_bits = server_bits;
        }
        if (client_bits) {
            known += seen[3]++ == 0;
            parameters->client_max_window_bits = client_bits;
        }
        count++;
        free(text);
    }
    parameters->server_no_context_takeover = seen[0] > 0;
    parameters->client_no_context_takeover = seen[1] > 0;
    return known == count;
}

static void check_written(const struct deflate_parameters *parameters, bool is_answer)
{
    char bytes[256];
    const char *cursor = bytes;
    struct text text, cut;
    struct extension_element element;
    struct deflate_parameters read;
    char *less;

    text_init(&text, bytes, sizeof(bytes));
    REQUIRE(deflate_parameters_write(parameters, &text));
    REQUIRE(extension_list_is_valid(bytes));
    REQUIRE(extension_list_next(&cursor, &element));
    REQUIRE(extension_element_is(&element, deflate_extension_name));
    REQUIRE(deflate_parameters_read(element, is_answer, &read));
    REQUIRE(same(&read, parameters));
    REQUIRE(!extension_list_next(&cursor, &element));

    less = fuzz_allocate(text.length);
    text_init(&cut, less, text.length);
    REQUIRE(!deflate_parameters_write(parameters, &cut));
    REQUIRE(cut.overflow && cut.length == 0 && less[0] == '\0');
    free(less);
}

static void check_fit(
    const struct deflate_agreement *sender, const struct deflate_agreement *receiver)
{
    REQUIRE(sender->send_window_bits >= DEFLATE_WINDOW_MIN);
    REQUIRE(sender->send_window_bits <= receiver->receive_window_bits);
    REQUIRE(receiver->receive_window_bits <= DEFLATE_WINDOW_MAX);
    REQUIRE(!sender->send_keeps_context || receiver->receive_keeps_context);
}

/* An answer that is acceptable keeps to the offer, and leaves both ends able to read the other. */
static void check_pair(
    const struct deflate_parameters *offer, const struct deflate_parameters *answer)
{
    struct deflate_agreement client = deflate_parameters_settle(answer, true, offer);
    struct deflate_agreement server = deflate_parameters_settle(answer, false, NULL);

    REQUIRE(!offer->server_no_context_takeover || answer->server_no_context_takeover);
    if (offer->server_max_window_bits)
        REQUIRE(answer->server_max_window_bits &&
                answer->server_max_window_bits <= offer->server_max_window_bits);
    REQUIRE(offer->client_max_window_bits || !answer->client_max_window_bits);
    check_fit(&client, &server);
    check_fit(&server, &client);
}

static void check_offer(
    const struct deflate_parameters *offer, const struct deflate_parameters *servers)
{
    struct deflate_parameters answer;

    if (!deflate_parameters_agree(servers, offer, &answer)) {
        REQUIRE(!offer->client_max_window_bits && servers->client_max_window_bits);
        return;
    }
    REQUIRE(answer.client_max_window_bits <= offer->client_max_window_bits);
    REQUIRE(deflate_parameters_acceptable(offer, &answer));
    check_pair(offer, &answer);
    check_written(&answer, true);
}

static void check_answer(
    const struct deflate_parameters *answer, const struct deflate_parameters *own)
{
    struct deflate_parameters offer;

    for (unsigned int i = 0; deflate_parameters_offer(own, i, &offer); i++) {
        if (deflate_parameters_acceptable(&offer, answer))
            check_pair(&offer, answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct deflate_parameters servers = take_wishes(&data, &size);
    struct deflate_parameters own = take_wishes(&data, &size);
    char *list = fuzz_text(data, size);
    const char *cursor = list;
    bool valid = extension_list_is_valid(list);
    struct extension_element element;
    struct deflate_parameters read, plain;

    for (unsigned int i = 0; deflate_parameters_offer(&own, i, &read); i++) {
        check_written(&read, false);
        check_offer(&read, &servers);
    }
    while (valid && extension_list_next(&cursor, &element)) {
        bool good = deflate_parameters_read(element, false, &read);

        REQUIRE(good == read_plainly(element, false, &plain));
        if (good) {
            REQUIRE(same(&read, &plain));
            check_written(&read, false);
            check_offer(&read, &servers);
        }
        good = deflate_parameters_read(element, true, &read);
        REQUIRE(good == read_plainly(element, true, &plain));
        if (good) {
            REQUIRE(same(&read, &plain));
            check_written(&read, true);
            check_answer(&read, &own);
        }
    }
    free(list);
    return 0;
}
