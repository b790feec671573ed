/* SPDX-License-Identifier: MIT */
/* How blocks are found by address: linear probing from the slot that the address's hash names (the
 * plain product with the golden ratio is not enough: with blocks at equal distances, some table sizes
 * gave runs of 1800 slots). The table's size need not be a power of two (the high half of hash * n_slots
 * is the slot), so it grows by a half and wastes less. A removal shifts later entries back: no marks. */
#include "reader/live.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "reader/array.h"

enum { FIRST_SLOTS = 64, HUGE_PAGE_BYTES = 2 << 20, MAPPED_FROM_SLOTS = 1 << 17 };

/* From 4 MiB on a table is a mapping of its own, which grows where it is: a second one beside it would be
 * the reader's peak of memory, and clearing its pages a third of the growth's time. */
static bool is_mapped(size_t n_slots)
{
    return n_slots >= MAPPED_FROM_SLOTS;
}

static size_t mapped_bytes(size_t n_slots)
{
    const size_t n_bytes = n_slots * sizeof(struct block);
    return (n_bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
}

/* A look-up is one cache miss and, in a big table of small pages, one or two more in the page tables:
 * huge pages spare those. A hint: without it all works the same. */
static struct block *hint(void *slots, size_t n_bytes)
{
    if (slots == MAP_FAILED)
        return NULL;
    madvise(slots, n_bytes, MADV_HUGEPAGE);
    return slots;
}

/* Zeroed memory for a table. */
static struct block *new_slots(size_t n_slots)
{
    if (!is_mapped(n_slots))
        return calloc(n_slots, sizeof(struct block));
    const size_t n_bytes = mapped_bytes(n_slots);
    return hint(mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                n_bytes);
}

static void free_slots(struct block *slots, size_t n_slots)
{
    if (slots && is_mapped(n_slots))
        munmap(slots, mapped_bytes(n_slots));
    else
        free(slots);
}

/* Small tables are kept emptier: each search that ends in its first slot spares a wrong guess of the
 * processor. */
static size_t most_blocks(size_t n_slots)
{
    return n_slots < LIVE_BIG_SLOTS ? n_slots / 2 : 2 * n_slots / 3;
}

/* Blocks that found no place of their own yet while a table grows. */
struct crowd {
    struct block *blocks;
    uint32_t n, capacity;
};

static int join(struct crowd *crowd, const struct block *block)
{
    struct block *const blocks =
        array_room(crowd->blocks, crowd->n, &crowd->capacity, sizeof *blocks);
    if (!blocks)
        return -ENOMEM;
    crowd->blocks = blocks;
    blocks[crowd->n++] = *block;
    return 0;
}

/* Move each block of the first n_old slots up to its new place, from the last one down: what lies above
 * is settled then, what lies below untouched.
 *
 *     [ still as they were ] i [ settled, or empty ............ ]
 *                             \____________________^ home
 *
 * Who would not go up (a few, near the beginning) or finds no place before the end waits in the crowd. */
static int settle(struct live *live, size_t n_old, struct crowd *crowd)
{
    struct block *const end = live->slots + live->n_slots;
    int error = 0;
    for (size_t i = n_old; i-- > 0 && error == 0;) {
        struct block *const from = &live->slots[i];
        if (from->address == 0)
            continue;
        struct block *to = live_home(live, from->address);
        while (to > from && to < end && to->address)
            to++;
        if (to <= from || to == end)
            error = join(crowd, from);
        else
            *to = *from;
        from->address = 0;
    }
    return error;
}

static int grow_in_place(struct live *live, size_t n_slots)
{
    const size_t n_old = live->n_slots, n_bytes = mapped_bytes(n_slots);
    struct block *const slots =
        hint(mremap(live->slots, mapped_bytes(n_old), n_bytes, MREMAP_MAYMOVE), n_bytes);
    struct crowd crowd = {0};
    if (!slots)
        return -ENOMEM;
    live->slots = slots;
    live->n_slots = n_slots;
    live->n_most = most_blocks(n_slots);
    const int error = settle(live, n_old, &crowd);
    for (uint32_t i = 0; i < crowd.n; i++)
        *live_seek(live, crowd.blocks[i].address) = crowd.blocks[i];
    free(crowd.blocks);
    return error;
}

/* Slots are in the order of their hashes but for collisions, so this walks both tables forwards. */
static int grow(struct live *live)
{
    const size_t n_slots = !live->n_slots                   ? FIRST_SLOTS
                           : live->n_slots < LIVE_BIG_SLOTS ? 2 * live->n_slots
                                                            : live->n_slots + live->n_slots / 2;
    if (is_mapped(live->n_slots))
        return grow_in_place(live, n_slots);
    struct live wider = {.slots = new_slots(n_slots),
                         .n_slots = n_slots,
                         .n_used = live->n_used,
                         .n_most = most_blocks(n_slots)};
    if (!wider.slots)
        return -ENOMEM;
    for (size_t i = 0; i < live->n_slots; i++)
        if (live->slots[i].address)
            *live_seek(&wider, live->slots[i].address) = live->slots[i];
    free_slots(live->slots, live->n_slots);
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
    free_slots(live->slots, live->n_slots);
    *live = (struct live){0};
}
