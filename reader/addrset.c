/* SPDX-License-Identifier: MIT */
/* How addresses are found: linear probing, at most two thirds full; a removal shifts later ones
 * back, so no marks are needed. */
#include "reader/addrset.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/hash.h"

static size_t find(const struct addrset *set, uint64_t address)
{
    size_t at = hash_mix(address) & (set->n_slots - 1);
    while (set->slots[at] && set->slots[at] != address)
        at = (at + 1) & (set->n_slots - 1);
    return at;
}

static int grow(struct addrset *set)
{
    struct addrset wider = {.n_slots = set->n_slots ? 2 * set->n_slots : 64, .n_used = set->n_used};
    wider.slots = calloc(wider.n_slots, sizeof *wider.slots);
    if (!wider.slots)
        return -ENOMEM;
    for (size_t i = 0; i < set->n_slots; i++)
        if (set->slots[i])
            wider.slots[find(&wider, set->slots[i])] = set->slots[i];
    free(set->slots);
    *set = wider;
    return 0;
}

int addrset_add(struct addrset *set, uint64_t address)
{
    if (3 * (set->n_used + 1) > 2 * set->n_slots) {
        const int error = grow(set);
        if (error)
            return error;
    }
    uint64_t *const slot = &set->slots[find(set, address)];
    set->n_used += *slot == 0;
    *slot = address;
    return 0;
}

bool addrset_take(struct addrset *set, uint64_t address)
{
    if (set->n_used == 0 || address == 0)
        return false;
    const size_t mask = set->n_slots - 1;
    size_t hole = find(set, address);
    if (!set->slots[hole])
        return false;
    for (size_t at = (hole + 1) & mask; set->slots[at]; at = (at + 1) & mask) {
        const size_t home = hash_mix(set->slots[at]) & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        set->slots[hole] = set->slots[at];
        hole = at;
    }
    set->slots[hole] = 0;
    set->n_used--;
    return true;
}

int addrset_add_all(struct addrset *set, const struct addrset *from)
{
    int error = 0;
    for (size_t i = 0; i < from->n_slots && error == 0; i++)
        if (from->slots[i])
            error = addrset_add(set, from->slots[i]);
    return error;
}

void addrset_fini(struct addrset *set)
{
    free(set->slots);
    *set = (struct addrset){0};
}
