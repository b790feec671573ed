/* SPDX-License-Identifier: MIT */
/* Entries are only ever written where both have agreed, and what is wrong with one ends all by a single store, so that
 * neither another thread nor a child or a handler that comes in between sees half of it. */
#include "preload/usable.h"

#include <stdbool.h>

#include "preload/real.h"

static usable_table known, none;
usable_table *_Atomic usable_now = &none;

/* jemalloc's: the usable bytes of an allocation of n_bytes, which are not 0. NULL: another allocator. */
static size_t (*nallocx)(size_t n_bytes, int flags);

void usable_start(void)
{
    /* gperftools has an nallocx() that promises less, but no mallocx(). A look-up in vain allocates. */
    const bool is_jemalloc = real.mallocx && real_beside_malloc("mallocx");
    *(void **)&nallocx = is_jemalloc ? real_beside_malloc("nallocx") : NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        atomic_store_explicit(&known[i], 0, memory_order_relaxed);
    atomic_store(&usable_now, nallocx ? &known : &none);
}

static size_t asked(const void *address)
{
    return real.malloc_usable_size((void *)(uintptr_t)address);
}

static void end(void)
{
    atomic_store(&usable_now, &none);
}

size_t usable_ask(const void *address, size_t n_bytes)
{
    if (n_bytes > USABLE_MOST_BYTES || atomic_load(&usable_now) == &none)
        return 0;
    const size_t entry = usable_entry(n_bytes);
    const size_t last = entry > 0 ? entry * USABLE_GRAIN : 1; /* of no bytes it promises nothing */
    const size_t first = entry > 0 ? last - USABLE_GRAIN + 1 : 1;
    const size_t usable = asked(address);
    const bool agreed = nallocx(first, 0) == usable && nallocx(last, 0) == usable;
    if (!agreed || usable > UINT16_MAX) {
        end();
        return 0;
    }
    atomic_store_explicit(&known[entry], (uint16_t)usable, memory_order_relaxed);
    return usable;
}

void usable_check(const void *address, size_t n_bytes)
{
    const size_t remembered = usable_known(n_bytes);
    if (remembered != 0 && remembered != asked(address))
        end();
}
