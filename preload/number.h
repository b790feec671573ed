/* SPDX-License-Identifier: MIT */
/* A number as decimal text: stdio is not for the shim. */
#ifndef HEAPWISE_PRELOAD_NUMBER_H
#define HEAPWISE_PRELOAD_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT_BYTES = 21 };

/* Write `number` and a NUL, at most NUMBER_TEXT_BYTES; returns the NUL's place. */
static inline char *number_text(char *text_out, uint64_t number)
{
    char digits[NUMBER_TEXT_BYTES];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (n > 0)
        *text_out++ = digits[--n];
    *text_out = '\0';
    return text_out;
}

#endif
