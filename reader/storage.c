/* SPDX-License-Identifier: MIT */
/* How memory is handed out: from the newest block while it has room, big requests in their own. The
 * biggest, for the sites of 90,000 stacks, are mapped in huge pages, which spares page faults. */
#include "reader/storage.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct storage_block {
    struct storage_block *next;
    size_t n_used, n_bytes;
    alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK_BYTES = 64 * 1024 - sizeof(struct storage_block) };

/* From here on a block is a mapping of its own. */
#define MAPPED_BYTES ((size_t)4 << 20)

static struct storage_block *map_block(size_t n_bytes)
{
    void *const memory =
        mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, n_bytes, MADV_HUGEPAGE); /* a hint: without it all works the same */
    return memory;
}

static void free_block(struct storage_block *block)
{
    if (sizeof *block + block->n_bytes >= MAPPED_BYTES)
        munmap(block, sizeof *block + block->n_bytes);
    else
        free(block);
}

static struct storage_block *add_block(struct storage *storage, size_t n_bytes)
{
    const size_t size = n_bytes > BLOCK_BYTES ? n_bytes : (size_t)BLOCK_BYTES;
    const size_t n_whole = sizeof(struct storage_block) + size;
    struct storage_block *const block =
        n_whole >= MAPPED_BYTES ? map_block(n_whole) : calloc(1, n_whole);
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
        free_block(block);
    }
    storage->blocks = NULL;
}
