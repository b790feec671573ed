/* SPDX-License-Identifier: MIT */
/* Where things that live as long as a profile are kept: handed out in order, released at once. */
#ifndef HEAPWISE_READER_ARENA_H
#define HEAPWISE_READER_ARENA_H

#include <stddef.h>

struct arena_block;

/* Zero it to begin. */
struct arena {
    struct arena_block *blocks;
};

/* Zeroed memory, aligned for any type; NULL when out of memory. n_bytes may be 0. */
void *arena_new(struct arena *arena, size_t n_bytes);

/* The same for n elements; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t n, size_t element_bytes);

/* A terminated copy of bytes[0..n), cut at the first NUL; NULL when out of memory. */
const char *arena_text(struct arena *arena, const char *bytes, size_t n_bytes);

void arena_fini(struct arena *arena);

#endif
