#include "display.h"

#include <string.h>

enum { ROW = sizeof(((struct dump *)0)->row), DUMP_MOST = 1024 };

/* U+0080 to U+009F are control characters, too: 0xc2 and a byte below 0xa0. */
void display_text(FILE *file, bool *lead, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool after_lead = *lead;

        *lead = byte == 0xc2;
        if (*lead)
            continue;
        if (after_lead && byte >= 0xa0)
            putc(0xc2, file);
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f ||
            (after_lead && byte < 0xa0))
            fprintf(file, "\\x%02x", byte);
        else
            putc(byte, file);
    }
}

static void write_row(const struct dump *dump, FILE *file, unsigned long long start, size_t count)
{
    fprintf(file, "  %08llx ", start);
    for (size_t i = 0; i < ROW; i++) {
        if (i % 8 == 0)
            putc(' ', file);
        if (i < count)
            fprintf(file, "%02x ", dump->row[i]);
        else
            fputs("   ", file);
    }
    fputs(" |", file);
    for (size_t i = 0; i < count; i++)
        putc(dump->row[i] >= ' ' && dump->row[i] <= '~' ? dump->row[i] : '.', file);
    fputs("|\n", file);
}

void dump_add(struct dump *dump, FILE *file, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length && dump->length + i < DUMP_MOST; i++) {
        unsigned long long at = dump->length + i;

        dump->row[at % ROW] = bytes[i];
        if (at % ROW == ROW - 1)
            write_row(dump, file, at - (ROW - 1), ROW);
    }
    dump->length += length;
}

void dump_end(struct dump *dump, FILE *file)
{
    if (dump->length < DUMP_MOST && dump->length % ROW > 0)
        write_row(dump, file, dump->length - dump->length % ROW, dump->length % ROW);
    fprintf(file, "  %s%llu bytes\n", dump->length > DUMP_MOST ? "... " : "", dump->length);
    *dump = (struct dump){.length = 0};
}
