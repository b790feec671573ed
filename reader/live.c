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

enum { FIRST_SLOTS = 64, HUGE_PAGE_BYTES = 2 << 20, HUGE_FROM_BYTES = 4 << 20 };

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

/* Small tables are kept emptier: each search that ends in its first slot spares a wrong guess of the
 * processor. */
static size_t most_blocks(size_t n_slots)
{
    return n_slots < LIVE_BIG_SLOTS ? n_slots / 2 : 2 * n_slots / 3;
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
            *live_seek(&wider, live->slots[i].address) = live->slots[i];
    free(live->slots);
    wider.n_most = most_blocks(wider.n_slots);
    *live = wider;
    return 0;
}

int live_add_unless(struct live *live, const struct block *block, struct block **there_out)
{
    if (live->n_used >= live->n_most) {
        const int error = grow(live);
        if (error)
            return error;
    }
    struct block *const slot = live_seek(live, block->address);
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

/* Whether an entry at `at` that belongs at `home` may move back into the hole. */
static bool may_move(const struct block *hole, const struct block *home, const struct block *at)
{
    return hole <= at ? home <= hole || home > at : home <= hole && home > at;
}

void live_close_gap(struct live *live, struct block *block)
{
    struct block *const end = live->slots + live->n_slots;
    struct block *hole = block;
    for (struct block *at = block;;) {
        at = at + 1 == end ? live->slots : at + 1;
        if (at->address == 0)
            break;
        if (!may_move(hole, live_home(live, at->address), at))
            continue;
        *hole = *at;
        hole = at;
    }
    hole->address = 0;
}

bool live_take(struct live *live, uint64_t address, struct block *block_out)
{
    struct block *const block = live_find(live, address);
    if (!block)
        return false;
    *block_out = *block;
    live_remove(live, block);
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
