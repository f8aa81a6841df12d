/* What two ends make of each other's parameters, over every combination of them. */
#include "deflate_cases.h"
#include "suites.h"

#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* What RFC 7692 says an answer must have, sentence by sentence. */
static bool may_answer(
    const struct deflate_parameters *offer, const struct deflate_parameters *answer)
{
    /* 7.1.1.1: accepting an offer with it is to include it. */
    if (offer->server_no_context_takeover && !answer->server_no_context_takeover)
        return false;
    /* 7.1.2.1: likewise, "with the same or smaller value as the offer". */
    if (offer->server_max_window_bits != 0) {
        if (answer->server_max_window_bits == 0)
            return false;
        if (answer->server_max_window_bits > offer->server_max_window_bits)
            return false;
    }
    /* 7.1.2.2: not in an answer if it was not in the offer. */
    if (answer->client_max_window_bits != 0 && offer->client_max_window_bits == 0)
        return false;
    return true;
}

START_TEST(every_answer_to_every_offer)
{
    for (int i = 0; i < OFFERS; i++) {
        for (int j = 0; j < ANSWERS; j++) {
            struct deflate_parameters offer = numbered(i);
            struct deflate_parameters answer = numbered(j);

            EXPECT(deflate_parameters_acceptable(&offer, &answer) == may_answer(&offer, &answer),
                &offer, &answer);
        }
    }
}
END_TEST

static bool is_limit(int bits)
{
    return bits >= 8 && bits < 15;
}

static int limit_or_most(int bits)
{
    return is_limit(bits) ? bits : 15;
}

/* Every wish of a server for every offer. */
START_TEST(every_agreement)
{
    int declined = 0;

    for (int i = 0; i < OFFERS; i++) {
        for (int j = 0; j < WISHES; j++) {
            struct deflate_parameters offer = numbered(i);
            struct deflate_parameters own = numbered(j);
            struct deflate_parameters answer;
            struct deflate_agreement server;
            bool can = offer.client_max_window_bits || !is_limit(own.client_max_window_bits);

            memset(&answer, 0x5a, sizeof(answer));
            EXPECT(deflate_parameters_agree(&own, &offer, &answer) == can, &offer, &own);
            if (!can) {
                declined++;
                continue;
            }
            EXPECT(may_answer(&offer, &answer), &offer, &answer);
            EXPECT(deflate_parameters_acceptable(&offer, &answer), &offer, &answer);
            /* Never more than the client said it would use. */
            EXPECT(!answer.client_max_window_bits ||
                       answer.client_max_window_bits <= offer.client_max_window_bits,
                &offer, &answer);
            EXPECT(answer.client_max_window_bits != ANY, &offer, &answer);

            server = deflate_parameters_settle(&answer, false, NULL);
            EXPECT(server.send_window_bits <= limit_or_most(own.server_max_window_bits), &own,
                &answer);
            EXPECT(server.receive_window_bits <= limit_or_most(own.client_max_window_bits), &own,
                &answer);
            EXPECT(!own.server_no_context_takeover || !server.send_keeps_context, &own, &answer);
            EXPECT(!own.client_no_context_takeover || !server.receive_keeps_context, &own, &answer);
            /* What the client gives away unasked is taken. */
            EXPECT(!offer.client_no_context_takeover || !server.receive_keeps_context, &offer,
                &answer);
            EXPECT(server.receive_window_bits <= limit_or_most(offer.client_max_window_bits),
                &offer, &answer);
            /* And nothing else is given away. */
            EXPECT(answer.server_no_context_takeover ==
                       (offer.server_no_context_takeover || own.server_no_context_takeover),
                &offer, &answer);
            EXPECT(server.send_window_bits == limit_or_most(own.server_max_window_bits) ||
                       server.send_window_bits == limit_or_most(offer.server_max_window_bits),
                &offer, &answer);
            EXPECT(server.receive_window_bits == limit_or_most(own.client_max_window_bits) ||
                       server.receive_window_bits == limit_or_most(offer.client_max_window_bits),
                &offer, &answer);
        }
    }
    ck_assert_int_eq(declined, (2 * 2 * 9) * (2 * 2 * 9 * 7));
}
END_TEST

/* A server without wishes answers with what it has to and with what it was given. */
START_TEST(answers_without_wishes)
{
    for (int i = 0; i < OFFERS; i++) {
        struct deflate_parameters offer = numbered(i);
        struct deflate_parameters expected = offer;
        const struct deflate_parameters wishes[] = {{false, false, 0, 0}, {false, false, 15, 15}};
        struct deflate_parameters answer;

        if (!is_limit(expected.client_max_window_bits))
            expected.client_max_window_bits = 0;
        for (int j = 0; j < COUNT(wishes); j++) {
            ck_assert(deflate_parameters_agree(&wishes[j], &offer, &answer));
            EXPECT(equal(&answer, &expected), &answer, &expected);
        }
    }
}
END_TEST

START_TEST(every_offer_of_a_client)
{
    for (int i = 0; i < WISHES; i++) {
        struct deflate_parameters own = numbered(i);
        struct deflate_parameters expected = own;
        struct deflate_parameters offer;
        bool second = is_limit(own.server_max_window_bits);

        expected.server_max_window_bits = second ? own.server_max_window_bits : 0;
        expected.client_max_window_bits =
            is_limit(own.client_max_window_bits) ? own.client_max_window_bits : ANY;
        EXPECT(deflate_parameters_offer(&own, 0, &offer), &own, &own);
        EXPECT(equal(&offer, &expected), &offer, &expected);
        EXPECT(deflate_parameters_offer(&own, 1, &offer) == second, &own, &own);
        if (second) {
            expected.server_max_window_bits = 0;
            EXPECT(equal(&offer, &expected), &offer, &expected);
        }
        EXPECT(!deflate_parameters_offer(&own, 2, &offer), &own, &own);
        EXPECT(!deflate_parameters_offer(&own, (unsigned int)-1, &offer), &own, &own);
    }
}
END_TEST

/* Whether what one sends can be read by the other. */
static bool fits(const struct deflate_agreement *sender, const struct deflate_agreement *receiver)
{
    return sender->send_window_bits >= 8 && sender->send_window_bits <= 15 &&
           sender->send_window_bits <= receiver->receive_window_bits &&
           receiver->receive_window_bits <= 15 &&
           (!sender->send_keeps_context || receiver->receive_keeps_context);
}

/* Whatever a client and a server want, each can read what the other sends, as each understands what
 * they have agreed on. */
START_TEST(both_ends_understand_each_other)
{
    for (int i = 0; i < WISHES; i++) {
        for (int j = 0; j < WISHES; j++) {
            struct deflate_parameters own = numbered(i);
            struct deflate_parameters servers = numbered(j);
            struct deflate_parameters offer, answer;
            struct deflate_agreement client, server;

            for (unsigned int k = 0; deflate_parameters_offer(&own, k, &offer); k++) {
                EXPECT(deflate_parameters_agree(&servers, &offer, &answer), &servers, &offer);
                EXPECT(deflate_parameters_acceptable(&offer, &answer), &offer, &answer);
                client = deflate_parameters_settle(&answer, true, &offer);
                server = deflate_parameters_settle(&answer, false, &offer);
                EXPECT(fits(&client, &server), &offer, &answer);
                EXPECT(fits(&server, &client), &offer, &answer);
                /* The client gets what it wants, of its own side with either alternative. */
                EXPECT(client.send_window_bits <= limit_or_most(own.client_max_window_bits), &own,
                    &answer);
                EXPECT(
                    !own.client_no_context_takeover || !client.send_keeps_context, &own, &answer);
                EXPECT(!own.server_no_context_takeover || !client.receive_keeps_context, &own,
                    &answer);
                if (k == 0)
                    EXPECT(client.receive_window_bits <= limit_or_most(own.server_max_window_bits),
                        &own, &answer);
            }
        }
    }
}
END_TEST

/* Answers of servers that decide otherwise than this one does: all that are legal. */
START_TEST(client_after_any_answer)
{
    for (int i = 0; i < OFFERS; i++) {
        for (int j = 0; j < ANSWERS; j++) {
            struct deflate_parameters offer = numbered(i);
            struct deflate_parameters answer = numbered(j);
            struct deflate_agreement client, server;
            int window = limit_or_most(offer.client_max_window_bits);

            if (!may_answer(&offer, &answer))
                continue;
            if (answer.client_max_window_bits && answer.client_max_window_bits < window)
                window = answer.client_max_window_bits;
            client = deflate_parameters_settle(&answer, true, &offer);
            server = deflate_parameters_settle(&answer, false, &offer);
            EXPECT(client.send_window_bits == window, &offer, &answer);
            EXPECT(client.receive_window_bits == limit_or_most(answer.server_max_window_bits),
                &offer, &answer);
            EXPECT(client.send_keeps_context ==
                       (!offer.client_no_context_takeover && !answer.client_no_context_takeover),
                &offer, &answer);
            EXPECT(client.receive_keeps_context == !answer.server_no_context_takeover, &offer,
                &answer);
            EXPECT(fits(&client, &server), &offer, &answer);
            EXPECT(fits(&server, &client), &offer, &answer);
        }
    }
}
END_TEST

/* Whole negotiations, as texts. "-" is a server that declines. */
static const struct {
    const char *offers;
    struct deflate_parameters own;
    const char *answer;
} negotiations[] = {
    {"permessage-deflate", {false, false, 0, 0}, "permessage-deflate"},
    /* What browsers offer. */
    {"permessage-deflate; client_max_window_bits", {false, false, 0, 0}, "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits", {true, true, 9, 10},
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        "server_max_window_bits=9; client_max_window_bits=10"},
    /* RFC 7692 section 7.1.3. */
    {"permessage-deflate; client_max_window_bits; server_max_window_bits=10", {false, false, 0, 0},
        "permessage-deflate; server_max_window_bits=10"},
    {"permessage-deflate; server_max_window_bits=10, permessage-deflate", {false, false, 0, 0},
        "permessage-deflate; server_max_window_bits=10"},
    /* A limit for clients that know of it. */
    {"permessage-deflate", {false, false, 0, 12}, "-"},
    {"permessage-deflate, permessage-deflate; client_max_window_bits", {false, false, 0, 12},
        "permessage-deflate; client_max_window_bits=12"},
    {"permessage-deflate; client_max_window_bits=10", {false, false, 0, 12},
        "permessage-deflate; client_max_window_bits=10"},
    {"permessage-deflate; client_max_window_bits=15", {false, false, 0, 12},
        "permessage-deflate; client_max_window_bits=12"},
    /* Offers that are passed over. */
    {"permessage-deflate; x, permessage-deflate; server_max_window_bits=7, x, permessage-deflate",
        {false, false, 0, 0}, "permessage-deflate"},
    {"permessage-deflate; client_no_context_takeover=1, Permessage-Deflate, x-webkit-deflate-frame",
        {false, false, 0, 0}, "-"},
};

START_TEST(whole_negotiations)
{
    const char *cursor = negotiations[_i].offers;
    struct extension_element element;
    struct deflate_parameters offer, answer;
    char field[256] = "-";
    struct text text;

    while (strcmp(field, "-") == 0 && extension_list_next(&cursor, &element)) {
        if (!extension_element_is(&element, deflate_extension_name) ||
            !deflate_parameters_read(element, false, &offer) ||
            !deflate_parameters_agree(&negotiations[_i].own, &offer, &answer))
            continue;
        text_init(&text, field, sizeof(field));
        ck_assert(deflate_parameters_write(&answer, &text));
    }
    ck_assert_str_eq(field, negotiations[_i].answer);
}
END_TEST

Suite *deflate_negotiation_suite(void)
{
    Suite *suite = suite_create("deflate negotiation");
    TCase *tests = tcase_create("deflate negotiation");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_answer_to_every_offer);
    tcase_add_test(tests, every_agreement);
    tcase_add_test(tests, answers_without_wishes);
    tcase_add_test(tests, every_offer_of_a_client);
    tcase_add_test(tests, both_ends_understand_each_other);
    tcase_add_test(tests, client_after_any_answer);
    tcase_add_loop_test(tests, whole_negotiations, 0, COUNT(negotiations));
    suite_add_tcase(suite, tests);
    return suite;
}
