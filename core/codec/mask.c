#include "codec/mask.h"

#include <stdint.h>
#include <string.h>

/* A word is a whole number of keys, so one pattern fits at every word's start. */
enum { WORD = sizeof(uint64_t), BLOCK = 4 * WORD };

unsigned int mask_apply(
    unsigned char *bytes, size_t length, const unsigned char key[4], unsigned int at)
{
    unsigned char pattern[WORD];
    uint64_t key_word;
    size_t i = 0;

    for (unsigned int k = 0; k < WORD; k++)
        pattern[k] = key[(at + k) & 3];
    memcpy(&key_word, pattern, WORD);

    for (; length - i >= BLOCK; i += BLOCK) {
        uint64_t words[BLOCK / WORD];

        memcpy(words, bytes + i, BLOCK);
        words[0] ^= key_word;
        words[1] ^= key_word;
        words[2] ^= key_word;
        words[3] ^= key_word;
        memcpy(bytes + i, words, BLOCK);
    }
    for (; length - i >= WORD; i += WORD) {
        uint64_t word;

        memcpy(&word, bytes + i, WORD);
        word ^= key_word;
        memcpy(bytes + i, &word, WORD);
    }
    for (; i < length; i++)
        bytes[i] ^= pattern[i % WORD];
    return (unsigned int)((at + length) & 3);
}
