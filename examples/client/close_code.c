#include "close_code.h"

#include <stddef.h>

static const struct {
    int code;
    const char *text;
} codes[] = {
    {1000, "normal closure"},
    {1001, "going away"},
    {1002, "protocol error"},
    {1003, "unsupported data"},
    {1005, "no code"},
    {1006, "connection lost"},
    {1007, "invalid data"},
    {1008, "policy violation"},
    {1009, "message too big"},
    {1010, "extension required"},
    {1011, "internal error"},
    {1012, "service restart"},
    {1013, "try again later"},
    {1014, "bad gateway"},
};

const char *close_code_text(int code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].code == code)
            return codes[i].text;
    return code >= 3000 ? "the server's own code" : "unknown code";
}
