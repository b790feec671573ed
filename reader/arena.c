/* SPDX-License-Identifier: MIT */
/* How memory is handed out: from the newest block while it has room, big requests in their own. */
#include "reader/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t n_used, n_bytes;
    alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK_BYTES = 64 * 1024 - sizeof(struct arena_block) };

static struct arena_block *add_block(struct arena *arena, size_t n_bytes)
{
    const size_t size = n_bytes > BLOCK_BYTES ? n_bytes : (size_t)BLOCK_BYTES;
    struct arena_block *const block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->n_bytes = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_new(struct arena *arena, size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2)
        return NULL;
    const size_t rounded = (n_bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block *block = arena->blocks;
    if (!block || block->n_bytes - block->n_used < rounded)
        block = add_block(arena, rounded);
    if (!block)
        return NULL;
    void *const memory = block->bytes + block->n_used;
    block->n_used += rounded;
    return memory;
}

void *arena_array(struct arena *arena, size_t n, size_t element_bytes)
{
    size_t n_bytes;
    return __builtin_mul_overflow(n, element_bytes, &n_bytes) ? NULL : arena_new(arena, n_bytes);
}

const char *arena_text(struct arena *arena, const char *bytes, size_t n_bytes)
{
    const size_t n = strnlen(bytes, n_bytes);
    char *const text = arena_new(arena, n + 1);
    if (text)
        memcpy(text, bytes, n);
    return text;
}

void arena_fini(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->blocks = NULL;
}
