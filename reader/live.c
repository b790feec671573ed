/* SPDX-License-Identifier: MIT */
/* How blocks are found by address: linear probing from the slot that the address's product with the
 * golden ratio names. The table's size need not be a power of two (the high half of hash * n_slots
 * is the slot), so it grows by half and wastes less. A removal shifts later entries back: no marks. */
#include "reader/live.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

static size_t home(const struct live *live, uint64_t address)
{
    const uint64_t hash = address * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)((unsigned __int128)hash * live->n_slots >> 64);
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

static int grow(struct live *live)
{
    struct live wider = {.n_slots = live->n_slots ? live->n_slots + live->n_slots / 2 : FIRST_SLOTS,
                         .n_used = live->n_used};
    wider.slots = calloc(wider.n_slots, sizeof *wider.slots);
    if (!wider.slots)
        return -ENOMEM;
    for (size_t i = 0; i < live->n_slots; i++)
        if (live->slots[i].address)
            wider.slots[find(&wider, live->slots[i].address)] = live->slots[i];
    free(live->slots);
    *live = wider;
    return 0;
}

int live_add(struct live *live, const struct block *block)
{
    if (5 * (live->n_used + 1) > 4 * live->n_slots) {
        const int error = grow(live);
        if (error)
            return error;
    }
    live->slots[find(live, block->address)] = *block;
    live->n_used++;
    return 0;
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
