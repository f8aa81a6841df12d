/* Hexadecimal digits, without the locale. */
#ifndef LWSLOOP_CODEC_HEXADECIMAL_H
#define LWSLOOP_CODEC_HEXADECIMAL_H

/* The value of a digit, given as a character, or -1 where it is none. */
static inline int hexadecimal_value(int byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

#endif
