/* SPDX-License-Identifier: MIT */
/* Strings kept once and for as long as the pool lives.
 *
 * Thousands of frames share a few hundred file and function names; callers keep the pointers. */
#ifndef HEAPWISE_SYMBOLS_STRPOOL_H
#define HEAPWISE_SYMBOLS_STRPOOL_H

#include <stddef.h>

struct strpool {
    char **slots;   /* open addressing; NULL is free */
    size_t n_slots; /* 0 or a power of two, at least twice n_used */
    size_t n_used;
};

/* Keep a copy of text[0..n_bytes) and return it, NUL-terminated; the same pointer for the same text.
 * Returns "" when out of memory: a lost name must not lose the frame. Cost: O(n_bytes). */
const char *strpool_keep(struct strpool *pool, const char *text, size_t n_bytes);

void strpool_fini(struct strpool *pool);

#endif
