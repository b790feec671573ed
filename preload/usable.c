/* SPDX-License-Identifier: MIT */
#include "preload/usable.h"

#include <stdbool.h>

#include "preload/real.h"

_Atomic uint16_t usable_table[USABLE_MOST_BYTES / USABLE_GRAIN + 1];

/* jemalloc's: the usable bytes of an allocation of n_bytes, which are not 0. NULL: another allocator. */
static size_t (*_Atomic promised)(size_t n_bytes, int flags);

static void forget(void)
{
    for (size_t i = 0; i < sizeof usable_table / sizeof *usable_table; i++)
        atomic_store_explicit(&usable_table[i], 0, memory_order_relaxed);
}

void usable_start(void)
{
    size_t (*nallocx)(size_t, int) = NULL;
    if (real.mallocx) /* a look-up in vain allocates */
        *(void **)&nallocx = real_beside_malloc("nallocx");
    atomic_store(&promised, nallocx);
    forget();
}

size_t usable_ask(const void *address, size_t n_bytes)
{
    size_t (*const nallocx)(size_t, int) = atomic_load_explicit(&promised, memory_order_relaxed);
    if (!nallocx || n_bytes > USABLE_MOST_BYTES)
        return 0;
    const size_t entry = (n_bytes + USABLE_GRAIN - 1) / USABLE_GRAIN;
    const size_t last = entry > 0 ? entry * USABLE_GRAIN : 1; /* of no bytes it promises nothing */
    const size_t first = entry > 0 ? last - USABLE_GRAIN + 1 : 1;
    const size_t usable = real.malloc_usable_size((void *)(uintptr_t)address);
    const bool kept = nallocx(first, 0) == usable && nallocx(last, 0) == usable;
    if (!kept || usable > UINT16_MAX) {
        atomic_store(&promised, NULL);
        forget();
        return 0;
    }
    atomic_store_explicit(&usable_table[entry], (uint16_t)usable, memory_order_relaxed);
    return usable;
}
