/* SPDX-License-Identifier: MIT */
/* How memory is handed out: from the newest block while it has room, big requests in their own. */
#include "reader/storage.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct storage_block {
    struct storage_block *next;
    size_t n_used, n_bytes;
    alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK_BYTES = 64 * 1024 - sizeof(struct storage_block) };

static struct storage_block *add_block(struct storage *storage, size_t n_bytes)
{
    const size_t size = n_bytes > BLOCK_BYTES ? n_bytes : (size_t)BLOCK_BYTES;
    struct storage_block *const block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->n_bytes = size;
    block->next = storage->blocks;
    storage->blocks = block;
    return block;
}

void *storage_new(struct storage *storage, size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2)
        return NULL;
    const size_t rounded = (n_bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct storage_block *block = storage->blocks;
    if (!block || block->n_bytes - block->n_used < rounded)
        block = add_block(storage, rounded);
    if (!block)
        return NULL;
    void *const memory = block->bytes + block->n_used;
    block->n_used += rounded;
    return memory;
}

void *storage_array(struct storage *storage, size_t n, size_t element_bytes)
{
    size_t n_bytes;
    return __builtin_mul_overflow(n, element_bytes, &n_bytes) ? NULL
                                                              : storage_new(storage, n_bytes);
}

const char *storage_text(struct storage *storage, const char *bytes, size_t n_bytes)
{
    const size_t n = strnlen(bytes, n_bytes);
    char *const text = storage_new(storage, n + 1);
    if (text)
        memcpy(text, bytes, n);
    return text;
}

void storage_fini(struct storage *storage)
{
    for (struct storage_block *block = storage->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    storage->blocks = NULL;
}
