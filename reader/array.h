/* SPDX-License-Identifier: MIT */
/* How a growing array makes room: one function, so that no caller repeats the arithmetic. */
#ifndef HEAPWISE_READER_ARRAY_H
#define HEAPWISE_READER_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Make room for one element after the `n` that `array` holds.
 *
 * `capacity` counts elements and is moved on; grows by half. Returns the array, perhaps moved, or
 * NULL when out of memory (then the old one stands). */
static inline void *array_room(void *array, uint32_t n, uint32_t *capacity, size_t element_bytes)
{
    if (n < *capacity)
        return array;
    if (*capacity > UINT32_MAX / 2)
        return NULL;
    const uint32_t grown = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    void *const moved = reallocarray(array, grown, element_bytes);
    if (moved)
        *capacity = grown;
    return moved;
}

/* Sums of numbers from a trace stop at the top instead of wrapping. */
static inline uint64_t add_capped(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_expect(__builtin_add_overflow(a, b, &sum), false) ? UINT64_MAX : sum;
}

static inline uint64_t subtract_floored(uint64_t a, uint64_t b)
{
    return __builtin_expect(a >= b, true) ? a - b : 0;
}

#endif
