/* SPDX-License-Identifier: MIT */
/* Sums of structs, member by member: which ones is a table of offsets at the caller. */
#ifndef HEAPWISE_READER_MEMBERS_H
#define HEAPWISE_READER_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "reader/array.h"

/* Add to the uint64_t members of *to, at offsets[0..n), those of *from; sums stop at the top. */
static inline void members_add(void *to, const void *from, const size_t *offsets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t *const sum = (uint64_t *)(void *)((char *)to + offsets[i]);
        *sum = add_capped(*sum, *(const uint64_t *)(const void *)((const char *)from + offsets[i]));
    }
}

#endif
