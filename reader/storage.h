/* SPDX-License-Identifier: MIT */
/* Where things that live as long as a profile are kept: handed out in order, released at once. */
#ifndef HEAPWISE_READER_STORAGE_H
#define HEAPWISE_READER_STORAGE_H

#include <stddef.h>

struct storage_block;

/* Zero it to begin. */
struct storage {
    struct storage_block *blocks;
};

/* Zeroed memory, aligned for any type; NULL when out of memory. n_bytes may be 0. */
void *storage_new(struct storage *storage, size_t n_bytes);

/* The same for n elements; NULL also when the product overflows. */
void *storage_array(struct storage *storage, size_t n, size_t element_bytes);

/* A terminated copy of bytes[0..n), cut at the first NUL; NULL when out of memory. */
const char *storage_text(struct storage *storage, const char *bytes, size_t n_bytes);

void storage_fini(struct storage *storage);

#endif
