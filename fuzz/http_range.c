/* A Range field: eight bytes of size, then the field's value. */
#include "codec/http_range.h"

#include "fuzz.h"

#include <inttypes.h>
#include <strings.h>

static void check_partial(uint64_t size, uint64_t first, uint64_t last)
{
    char text[64];
    uint64_t again_first;
    uint64_t again_last;

    REQUIRE(first <= last && last < size);
    snprintf(text, sizeof(text), "bytes=%" PRIu64 "-%" PRIu64, first, last);
    REQUIRE(http_range_parse(text, size, &again_first, &again_last) == HTTP_RANGE_PARTIAL);
    REQUIRE(again_first == first && again_last == last);
    snprintf(text, sizeof(text), "Bytes= %" PRIu64 "- ,", first);
    if (http_range_parse(text, size, &again_first, &again_last) == HTTP_RANGE_PARTIAL)
        REQUIRE(again_first == first && again_last == size - 1);
    snprintf(text, sizeof(text), "bytes=-%" PRIu64, size - first);
    REQUIRE(http_range_parse(text, size, &again_first, &again_last) == HTTP_RANGE_PARTIAL);
    REQUIRE(again_first == first && again_last == size - 1);
    snprintf(text, sizeof(text), "bytes=%" PRIu64 "-", size);
    REQUIRE(http_range_parse(text, size, &again_first, &again_last) == HTTP_RANGE_UNSATISFIABLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t length = fuzz_take_number(&data, &size);
    char *value = fuzz_text(data, size);
    uint64_t first = 1;
    uint64_t last = 1;
    enum http_range_status status = http_range_parse(value, length, &first, &last);
    uint64_t none_first;
    uint64_t none_last;

    if (status == HTTP_RANGE_PARTIAL)
        check_partial(length, first, last);
    /* What begins behind the end of something begins behind the end of less, too. */
    if (status == HTTP_RANGE_UNSATISFIABLE)
        REQUIRE(http_range_parse(value, length / 2, &none_first, &none_last) == status);
    /* Whether it is to be ignored is a matter of syntax, except where there are no bytes. */
    if (length > 0) {
        REQUIRE((http_range_parse(value, UINT64_MAX, &none_first, &none_last) ==
                    HTTP_RANGE_IGNORE) == (status == HTTP_RANGE_IGNORE));
    }
    if (strncasecmp(value, "bytes=", 6) != 0)
        REQUIRE(status == HTTP_RANGE_IGNORE);
    free(value);
    return 0;
}
