#include "codec/base64.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* EVP counts with int, so long inputs go through it in pieces of this many triples. */
enum { PIECE_TRIPLES = 1 << 20, TRIPLE = 3, QUANTUM = 4 };

ssize_t base64_encode(const unsigned char *in, size_t length, char *out, size_t size)
{
    size_t triples = length / TRIPLE + (length % TRIPLE != 0);
    size_t done = 0;

    if (triples > (SSIZE_MAX - 1) / QUANTUM || triples * QUANTUM + 1 > size)
        return -1;

    out[0] = '\0';
    while (length > 0) {
        size_t piece = length;
        int written;

        if (piece > (size_t)PIECE_TRIPLES * TRIPLE)
            piece = (size_t)PIECE_TRIPLES * TRIPLE;
        written = EVP_EncodeBlock((unsigned char *)out + done, in, (int)piece);
        if (written <= 0)
            return -1;
        done += (size_t)written;
        in += piece;
        length -= piece;
    }
    return (ssize_t)done;
}

static bool is_alphabet(unsigned char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';
}

/* EVP_DecodeBlock passes over white space and counts padding as zeros; neither comes to it. */
static bool is_base64(const unsigned char *text, size_t length)
{
    if (length % QUANTUM != 0)
        return false;
    if (length > 0 && text[length - 1] == '=')
        length -= text[length - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < length; i++) {
        if (!is_alphabet(text[i]))
            return false;
    }
    return true;
}

/* Decodes a text's last four characters, for which there may be no room for three bytes. */
static bool decode_last(const unsigned char *text, unsigned char *out, size_t bytes)
{
    unsigned char quantum[QUANTUM];
    unsigned char triple[TRIPLE];

    memcpy(quantum, text, QUANTUM);
    for (size_t i = bytes + 1; i < QUANTUM; i++)
        quantum[i] = 'A';
    if (EVP_DecodeBlock(triple, quantum, QUANTUM) != TRIPLE)
        return false;
    memcpy(out, triple, bytes);
    return true;
}

ssize_t base64_decode(const char *in, size_t length, unsigned char *out, size_t size)
{
    const unsigned char *text = (const unsigned char *)in;
    size_t last_bytes = TRIPLE;
    size_t quanta;
    size_t done = 0;

    if (!is_base64(text, length))
        return -1;
    if (length == 0)
        return 0;
    if (text[length - 1] == '=')
        last_bytes = text[length - 2] == '=' ? 1 : 2;
    quanta = length / QUANTUM - 1;
    if (quanta * TRIPLE + last_bytes > size)
        return -1;

    while (quanta > 0) {
        size_t piece = quanta < PIECE_TRIPLES ? quanta : PIECE_TRIPLES;

        if (EVP_DecodeBlock(out + done, text, (int)(piece * QUANTUM)) != (int)(piece * TRIPLE))
            return -1;
        done += piece * TRIPLE;
        text += piece * QUANTUM;
        quanta -= piece;
    }
    if (!decode_last(text, out + done, last_bytes))
        return -1;
    return (ssize_t)(done + last_bytes);
}
