#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: client [OPTION...] ws://HOST[:PORT][/PATH] | wss://...\n"
    "Sends each line of standard input as a message, and prints the messages that come.\n"
    "\n"
    "  --subprotocol A,B    ask for one of these subprotocols\n"
    "  --header 'NAME: V'   add a field to the handshake; may be repeated\n"
    "  --origin URL         send an Origin, as a browser does\n"
    "  --host NAME          the Host to send, and the name to verify, in place of the URL's\n"
    "  --unix PATH          connect to a Unix-domain socket; the URL is only told to the server\n"
    "  --proxy [USER:PASSWORD@]HOST[:PORT]   go through an HTTP proxy\n"
    "  --ca FILE            trust these authorities only\n"
    "  --cert FILE          show this certificate to a server that asks for one\n"
    "  --key FILE           its private key\n"
    "  --insecure           accept a self-signed certificate (its name and dates must be right)\n"
    "  --binary             send what is read as it is, in binary messages\n"
    "  --ping SECONDS       send pings, and give up a server that does not answer\n"
    "  --count N            close when N messages have come, and not at the end of the input\n"
    "  --linger SECONDS     at the end of the input, wait so long before closing\n"
    "  --loop poll|uv|event the event loop to run on\n"
    "  --quiet              say only what went wrong\n"
    "  --verbose            show the library's log\n"
    "  --help               show this\n"
    "\n"
    "A user in the URL (ws://user:password@host/) is sent as Basic authentication. The end of\n"
    "the input (Ctrl-D) or Ctrl-C closes with 1000 when everything has been sent; a second\n"
    "Ctrl-C does not wait. On a terminal, Ctrl-R shows again what you were typing.\n"
    "\n"
    "The exit status is 0 after a close with 1000, 1001 or no code; 1 where there is no\n"
    "connection; 2 for a wrong command line; 3 where the connection broke, was closed with\n"
    "another code, or brought fewer than N messages.\n";

/* An option does what one of these asks for; the others are NULL. */
struct rule {
    const char *name;
    const char **text;
    int *number;
    bool *flag;
    bool (*parse)(const char *value, struct options *options);
};

static bool complain(const char *value, const char *wrong)
{
    fprintf(stderr, "client: %s: %s\n", value, wrong);
    return false;
}

static bool parse_number(const char *value, int *number)
{
    char *end;
    long parsed = strtol(value, &end, 10);

    if (end == value || *end || parsed < 1 || parsed > 1000000)
        return complain(value, "a number from 1 to 1000000 is needed");
    *number = (int)parsed;
    return true;
}

static bool parse_header(const char *value, struct options *options)
{
    const char *wrong = header_lines_add(&options->headers, value);

    return wrong ? complain(value, wrong) : true;
}

static bool parse_loop(const char *value, struct options *options)
{
    options->loop = loop_find(value);
    if (!options->loop)
        return complain(value, "the loops are poll, uv and event");
    return options->loop->run ? true : complain(value, "this program was built without that loop");
}

static bool parse_url(const char *value, struct options *options)
{
    const char *wrong = url_parse(value, &options->url);

    if (!wrong && options->url.credentials[0])
        wrong = header_lines_add_credentials(&options->headers, options->url.credentials);
    return wrong ? complain(value, wrong) : true;
}

static bool apply(
    const struct rule *rule, const char *word, const char *value, struct options *options)
{
    if (rule->flag) {
        *rule->flag = true;
        return value ? complain(word, "this option has no value") : true;
    }
    if (!value)
        return complain(word, "this option needs a value");
    if (rule->text)
        *rule->text = value;
    if (rule->number)
        return parse_number(value, rule->number);
    return rule->parse ? rule->parse(value, options) : true;
}

/* An option of its own, with "=VALUE" or the next word as its value. */
static bool parse_option(char **words, int *at, struct options *options, bool *help)
{
    const struct rule rules[] = {
        {"subprotocol", .text = &options->subprotocols},
        {"header", .parse = parse_header},
        {"origin", .text = &options->origin},
        {"host", .text = &options->host},
        {"unix", .text = &options->unix_path},
        {"proxy", .text = &options->proxy},
        {"ca", .text = &options->authorities},
        {"cert", .text = &options->certificate},
        {"key", .text = &options->key},
        {"insecure", .flag = &options->insecure},
        {"binary", .flag = &options->binary},
        {"ping", .number = &options->ping},
        {"count", .number = &options->count},
        {"linger", .number = &options->linger},
        {"loop", .parse = parse_loop},
        {"quiet", .flag = &options->quiet},
        {"verbose", .flag = &options->verbose},
        {"help", .flag = help},
    };
    const char *word = words[*at];
    const char *name = word + strspn(word, "-");
    size_t length = strcspn(name, "=");
    const char *value = name[length] ? name + length + 1 : NULL;

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];

        if (strlen(rule->name) != length || strncmp(rule->name, name, length) != 0)
            continue;
        if (!value && !rule->flag && words[*at + 1])
            value = words[++*at];
        return apply(rule, word, value, options);
    }
    return complain(word, "no such option; see --help");
}

enum options_result options_parse(int count, char **words, struct options *options)
{
    const char *url = NULL;
    bool help = false;

    *options = (struct options){.loop = loop_find("poll")};
    for (int i = 1; i < count; i++) {
        if (words[i][0] == '-' && words[i][1] == '-') {
            if (!parse_option(words, &i, options, &help))
                return OPTIONS_WRONG;
        } else if (strcmp(words[i], "-h") == 0) {
            help = true;
        } else if (url || words[i][0] == '-') {
            complain(words[i], "one URL is needed, and nothing else; see --help");
            return OPTIONS_WRONG;
        } else {
            url = words[i];
        }
    }
    if (help) {
        fputs(usage, stdout);
        return OPTIONS_HELP;
    }
    if (!url) {
        fputs("usage: client [OPTION...] URL; see --help\n", stderr);
        return OPTIONS_WRONG;
    }
    if (!options->certificate != !options->key) {
        complain("--cert, --key", "a certificate and its key go together");
        return OPTIONS_WRONG;
    }
    return parse_url(url, options) ? OPTIONS_GOOD : OPTIONS_WRONG;
}
