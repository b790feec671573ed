/* SPDX-License-Identifier: MIT */
/* Memory for allocations that the shim itself causes (dlsym's error text, the unwinder): never the
 * program's heap, so its numbers and its addresses stay what they were. Never given back. */
#ifndef HEAPWISE_PRELOAD_ARENA_H
#define HEAPWISE_PRELOAD_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARENA_BYTES = 256 * 1024 };

extern uint8_t arena_memory[ARENA_BYTES] __attribute__((visibility("hidden")));

/* Get zeroed memory, aligned to 16 or to `alignment` (a power of two). NULL once all is used up.
 * Thread-safe and async-signal-safe. */
void *arena_take(size_t n_bytes, size_t alignment);

/* Tell whether an address came from arena_take(). */
static inline bool arena_owns(const void *address)
{
    return (uintptr_t)address - (uintptr_t)arena_memory < ARENA_BYTES;
}

/* Bytes that may be used at an address of the arena. */
size_t arena_usable_bytes(const void *address);

/* Grow an allocation of the arena, by copying. */
void *arena_resize(void *address, size_t n_bytes);

#endif
