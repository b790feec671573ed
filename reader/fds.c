/* SPDX-License-Identifier: MIT */
/* How descriptors are found: linear probing by number; a removal shifts later entries back. */
#include "reader/fds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"
#include "reader/hash.h"
#include "trace/trace_format.h"

enum {
    FIRST_SLOTS = 16,
    COPY_EFFORT = 16, /* of a slot: it takes memory, too */
};

/* ---- descriptions ---- */

static int new_description(struct fds_pool *pool, uint32_t *number_out)
{
    uint32_t number = pool->first_free;
    if (number) {
        pool->first_free = fds_description(pool, number)->file;
    } else {
        struct fds_description *const all =
            array_room(pool->all, pool->n, &pool->capacity, sizeof *all);
        if (!all)
            return -ENOMEM;
        pool->all = all;
        number = ++pool->n;
    }
    *fds_description(pool, number) = (struct fds_description){
        .serial = ++pool->n_serials, .offset_bytes = -1, .end_bytes = -1, .kind = TRACE_FD_OTHER};
    *number_out = number;
    return 0;
}

static void leave(struct fds_pool *pool, uint32_t number)
{
    struct fds_description *const description = fds_description(pool, number);
    if (--description->n_slots)
        return;
    description->file = pool->first_free;
    pool->first_free = number;
}

/* ---- the table ---- */

static uint32_t home(const struct fds *fds, uint32_t key)
{
    return (uint32_t)hash_mix(key) & (fds->n_slots - 1);
}

/* The slot of a key, or the empty one where it belongs; the table is not empty. */
static struct fds_slot *seek(const struct fds *fds, uint32_t key)
{
    uint32_t at = home(fds, key);
    while (fds->slots[at].key && fds->slots[at].key != key)
        at = (at + 1) & (fds->n_slots - 1);
    return &fds->slots[at];
}

static int grow(struct fds *fds)
{
    struct fds wider = {.n_slots = fds->n_slots ? 2 * fds->n_slots : FIRST_SLOTS,
                        .n_used = fds->n_used};
    wider.slots = calloc(wider.n_slots, sizeof *wider.slots);
    if (!wider.slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < fds->n_slots; i++)
        if (fds->slots[i].key)
            *seek(&wider, fds->slots[i].key) = fds->slots[i];
    free(fds->slots);
    *fds = wider;
    return 0;
}

struct fds_slot *fds_find(const struct fds *fds, int32_t fd)
{
    if (fd < 0 || fds->n_used == 0)
        return NULL;
    struct fds_slot *const slot = seek(fds, (uint32_t)fd + 1);
    return slot->key ? slot : NULL;
}

/* Returns 0, -ENOMEM, or -EMFILE where the descriptor is not to be followed. */
static int place(struct fds *fds, struct fds_pool *pool, const struct fds_slot *slot)
{
    if (slot->key == 0 || slot->key > INT32_MAX || fds->n_used >= FDS_MAX_OPEN)
        return -EMFILE;
    const int error = 2 * (fds->n_used + 1) > fds->n_slots ? grow(fds) : 0;
    if (error)
        return error;
    *seek(fds, slot->key) = *slot;
    fds->n_used++;
    fds_description(pool, slot->description)->n_slots++;
    return 0;
}

int fds_open(struct fds *fds, struct fds_pool *pool, int32_t fd, uint32_t opener,
             uint32_t *description_out)
{
    struct fds_slot slot = {.key = fd < 0 ? 0 : (uint32_t)fd + 1, .opener = opener};
    *description_out = 0;
    int error = new_description(pool, &slot.description);
    if (error)
        return error;
    fds_description(pool, slot.description)->n_slots = 1;
    error = place(fds, pool, &slot);
    if (error == 0)
        *description_out = slot.description;
    leave(pool, slot.description); /* the slot's own reference remains */
    return error == -EMFILE ? 0 : error;
}

int fds_share(struct fds *fds, struct fds_pool *pool, int32_t fd, const struct fds_slot *with)
{
    const struct fds_slot slot = {.key = fd < 0 ? 0 : (uint32_t)fd + 1,
                                  .description = with->description,
                                  .opener = with->opener};
    const int error = place(fds, pool, &slot);
    return error == -EMFILE ? 0 : error;
}

/* Whether an entry at `at` that belongs at `wanted` may move back into the hole. */
static bool may_move(uint32_t hole, uint32_t wanted, uint32_t at)
{
    return hole <= at ? wanted <= hole || wanted > at : wanted <= hole && wanted > at;
}

static void take(struct fds *fds, struct fds_pool *pool, uint32_t hole)
{
    leave(pool, fds->slots[hole].description);
    fds->n_used--;
    for (uint32_t at = hole;;) {
        at = (at + 1) & (fds->n_slots - 1);
        if (fds->slots[at].key == 0)
            break;
        if (!may_move(hole, home(fds, fds->slots[at].key), at))
            continue;
        fds->slots[hole] = fds->slots[at];
        hole = at;
    }
    fds->slots[hole] = (struct fds_slot){.key = 0};
}

/* A narrow range is looked up number by number, `*at` counting them; for a wide one the table is gone
 * through, a place again after something was taken from it, as a later entry may have moved there. */
bool fds_close_next(struct fds *fds, struct fds_pool *pool, uint32_t first, uint32_t last,
                    uint32_t *at, struct fds_slot *closed_out)
{
    if (first > last || first > INT32_MAX)
        return false;
    const bool is_wide = last - first >= fds->n_slots;
    const uint32_t end = is_wide ? fds->n_slots : last - first + 1;
    const bool is_one = first == last;
    for (; *at < end && fds->n_used && (is_one || pool->effort < FDS_MAX_EFFORT); ++*at) {
        const struct fds_slot *const slot = is_wide ? &fds->slots[*at] : seek(fds, first + *at + 1);
        if (slot->key == 0 || slot->key - 1 < first || slot->key - 1 > last) {
            pool->effort += !is_one;
            continue;
        }
        *closed_out = *slot;
        take(fds, pool, (uint32_t)(slot - fds->slots));
        return true;
    }
    return false;
}

int fds_copy(struct fds *fds, struct fds_pool *pool, const struct fds *from)
{
    const uint64_t effort = pool->effort + COPY_EFFORT * (uint64_t)from->n_slots;
    if (from->n_used == 0 || effort > FDS_MAX_EFFORT)
        return 0;
    struct fds_slot *const slots = calloc(from->n_slots, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    pool->effort = effort;
    *fds = (struct fds){.slots = slots, .n_slots = from->n_slots, .n_used = from->n_used};
    memcpy(slots, from->slots, from->n_slots * sizeof *slots);
    for (uint32_t i = 0; i < fds->n_slots; i++) {
        slots[i].opener = 0;
        if (slots[i].key)
            fds_description(pool, slots[i].description)->n_slots++;
    }
    return 0;
}

void fds_fini(struct fds *fds, struct fds_pool *pool)
{
    for (uint32_t i = 0; i < fds->n_slots; i++)
        if (fds->slots[i].key)
            leave(pool, fds->slots[i].description);
    free(fds->slots);
    *fds = (struct fds){.n_slots = 0};
}

void fds_pool_fini(struct fds_pool *pool)
{
    free(pool->all);
    *pool = (struct fds_pool){.n = 0};
}
