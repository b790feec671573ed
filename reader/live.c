/* SPDX-License-Identifier: MIT */
/* How blocks are found by address: linear probing from the slot that the address's hash names (the
 * plain product with the golden ratio is not enough: with blocks at equal distances, some table sizes
 * gave runs of 1800 slots). The table's size need not be a power of two (the high half of hash * n_slots
 * is the slot), so it grows by a quarter and wastes less. A removal shifts later entries back: no marks. */
#include "reader/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "reader/hash.h"

enum { FIRST_SLOTS = 64, HUGE_PAGE_BYTES = 2 << 20, HUGE_FROM_BYTES = 4 << 20 };

static size_t home(const struct live *live, uint64_t address)
{
    return (size_t)((unsigned __int128)hash_mix(address) * live->n_slots >> 64);
}

static size_t after(const struct live *live, size_t at)
{
    return at + 1 == live->n_slots ? 0 : at + 1;
}

/* The slot that holds the address, or the empty one where it belongs. */
static size_t find(const struct live *live, uint64_t address)
{
    size_t at = home(live, address);
    while (live->slots[at].address && live->slots[at].address != address)
        at = after(live, at);
    return at;
}

/* Zeroed memory for a table. A look-up is one cache miss and, in a big table of small pages, one or
 * two more in the page tables: huge pages spare those. */
static struct block *new_slots(size_t n_slots)
{
    const size_t n_bytes = n_slots * sizeof(struct block);
    if (n_bytes < HUGE_FROM_BYTES)
        return calloc(n_slots, sizeof(struct block));
    const size_t rounded = (n_bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    struct block *const slots = aligned_alloc(HUGE_PAGE_BYTES, rounded);
    if (!slots)
        return NULL;
    madvise(slots, rounded, MADV_HUGEPAGE); /* a hint: without it all works the same */
    return memset(slots, 0, n_bytes);
}

/* Slots are in the order of their hashes but for collisions, so this walks both tables forwards. */
static int grow(struct live *live)
{
    struct live wider = {.n_slots = live->n_slots ? live->n_slots + live->n_slots / 4 : FIRST_SLOTS,
                         .n_used = live->n_used};
    wider.slots = new_slots(wider.n_slots);
    if (!wider.slots)
        return -ENOMEM;
    for (size_t i = 0; i < live->n_slots; i++)
        if (live->slots[i].address)
            wider.slots[find(&wider, live->slots[i].address)] = live->slots[i];
    free(live->slots);
    *live = wider;
    return 0;
}

int live_add_unless(struct live *live, const struct block *block, struct block **there_out)
{
    if (3 * (live->n_used + 1) > 2 * live->n_slots) {
        const int error = grow(live);
        if (error)
            return error;
    }
    struct block *const slot = &live->slots[find(live, block->address)];
    *there_out = slot->address ? slot : NULL;
    if (*there_out)
        return 0;
    *slot = *block;
    live->n_used++;
    return 0;
}

int live_add(struct live *live, const struct block *block)
{
    struct block *there;
    return live_add_unless(live, block, &there);
}

void live_prefetch(const struct live *live, uint64_t address)
{
    if (live->n_used)
        __builtin_prefetch(&live->slots[home(live, address)], 1);
}

struct block *live_find(const struct live *live, uint64_t address)
{
    if (live->n_used == 0 || address == 0)
        return NULL;
    struct block *const block = &live->slots[find(live, address)];
    return block->address ? block : NULL;
}

/* Whether an entry at `at` whose home is `wanted` may move back into the hole at `hole`. */
static bool may_move(size_t hole, size_t wanted, size_t at)
{
    return hole <= at ? wanted <= hole || wanted > at : wanted <= hole && wanted > at;
}

bool live_take(struct live *live, uint64_t address, struct block *block_out)
{
    if (live->n_used == 0 || address == 0)
        return false;
    size_t hole = find(live, address);
    if (!live->slots[hole].address)
        return false;
    *block_out = live->slots[hole];
    for (size_t at = after(live, hole); live->slots[at].address; at = after(live, at)) {
        if (!may_move(hole, home(live, live->slots[at].address), at))
            continue;
        live->slots[hole] = live->slots[at];
        hole = at;
    }
    live->slots[hole].address = 0;
    live->n_used--;
    return true;
}

const struct block *live_next(const struct live *live, size_t *at)
{
    while (*at < live->n_slots) {
        const struct block *const block = &live->slots[(*at)++];
        if (block->address)
            return block;
    }
    return NULL;
}

void live_fini(struct live *live)
{
    free(live->slots);
    *live = (struct live){0};
}
