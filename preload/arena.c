/* SPDX-License-Identifier: MIT */
/* A bump allocator over static memory; each piece carries its size in the 16 bytes before it. */
#include "preload/arena.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

enum { PREFIX_BYTES = 16 };

alignas(64) uint8_t arena_memory[ARENA_BYTES];
static _Atomic size_t n_taken_bytes;

void *arena_take(size_t n_bytes, size_t alignment)
{
    if (alignment < PREFIX_BYTES)
        alignment = PREFIX_BYTES;
    if (n_bytes > ARENA_BYTES || alignment > ARENA_BYTES)
        return NULL;
    const size_t n_room = n_bytes + alignment + 2 * PREFIX_BYTES;
    size_t start = atomic_load(&n_taken_bytes);
    do {
        if (n_room > ARENA_BYTES - start)
            return NULL; /* and leaves what is left to smaller requests */
    } while (!atomic_compare_exchange_weak(&n_taken_bytes, &start, start + n_room));
    const uintptr_t first = (uintptr_t)arena_memory + start + PREFIX_BYTES;
    uint8_t *const at = (uint8_t *)((first + alignment - 1) & ~(uintptr_t)(alignment - 1));
    memcpy(at - PREFIX_BYTES, &n_bytes, sizeof n_bytes);
    return at;
}

size_t arena_usable_bytes(const void *address)
{
    size_t n_bytes;
    memcpy(&n_bytes, (const uint8_t *)address - PREFIX_BYTES, sizeof n_bytes);
    return n_bytes;
}

void *arena_resize(void *address, size_t n_bytes)
{
    const size_t n_old = arena_usable_bytes(address);
    if (n_bytes <= n_old)
        return address;
    void *const fresh = arena_take(n_bytes, PREFIX_BYTES);
    if (fresh)
        memcpy(fresh, address, n_old);
    return fresh;
}
