/* SPDX-License-Identifier: MIT */
/* Which blocks are live in one process image: address -> block.
 *
 * Open addressing over 32-byte entries, 44 to 67 % full in a big table, so at most 72 bytes a live block;
 * such a table grows in place. */
#ifndef HEAPWISE_READER_LIVE_H
#define HEAPWISE_READER_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes are held in 48 bits: more than an x86-64 process can address. */
#define LIVE_MAX_SIZE_BYTES  ((UINT64_C(1) << 48) - 1)
#define LIVE_MAX_SLACK_BYTES ((UINT64_C(1) << 27) - 1)
#define LIVE_THREAD_MASK     ((UINT32_C(1) << 20) - 1)

struct block {
    uint64_t address;     /* never 0 */
    uint64_t start_ticks; /* of the original allocation; a resize keeps it */
    union {
        struct {
            uint64_t size_bytes : 48;
            uint64_t slack_low : 16; /* usable less requested bytes, by live_slack() */
            uint32_t site;
            uint32_t thread : 20; /* low bits of the number of the thread that allocated it */
            uint32_t slack_high : 11;
            uint32_t superseded : 1; /* that thread has allocated again since, whatever else says */
        };
        uint64_t words[2]; /* the same, for live_describe() */
    };
};
_Static_assert(sizeof(struct block) == 32, "the reader's memory is live blocks");

static inline uint32_t live_slack(const struct block *block)
{
    return (uint32_t)block->slack_high << 16 | (uint32_t)block->slack_low;
}

/* Set what is known of a block beside its address and time: whole words, for gcc 12 puts bit-fields
 * together one by one. Size and slack are at most LIVE_MAX_*, the thread is cut to LIVE_THREAD_MASK. */
static inline void live_describe(struct block *block, uint64_t size_bytes, uint64_t slack_bytes,
                                 uint32_t site, uint32_t thread)
{
    block->words[0] = size_bytes | slack_bytes << 48;
    block->words[1] = site | (uint64_t)(thread & LIVE_THREAD_MASK) << 32 | slack_bytes >> 16 << 52;
}

enum live_sizes {
    LIVE_FETCH_SLOTS = 4096, /* a smaller table is in a cache all the time: 128 KiB */
    LIVE_BIG_SLOTS = 65536,  /* 2 MiB: from here on memory counts more than speed */
};

/* Zero it to begin. */
struct live {
    struct block *slots;
    size_t n_slots, n_used;
    size_t n_most; /* blocks that may be there before it grows */
};

/* Add a block unless one is at its address already, which *there_out then points to until the next
 * change (else NULL). Returns 0 or -ENOMEM. */
int live_add_unless(struct live *live, const struct block *block, struct block **there_out);

/* Add a block whose address is not there yet. Returns 0 or -ENOMEM. */
int live_add(struct live *live, const struct block *block);

/* The slot that the search for an address begins at; the table is not empty. Two products with a fold
 * between them spread addresses at equal distances as evenly as hash_mix() does, in half the
 * instructions. */
static inline struct block *live_home(const struct live *live, uint64_t address)
{
    uint64_t hash = address * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32) * UINT64_C(0xc4ceb9fe1a85ec53);
    return &live->slots[(size_t)((unsigned __int128)hash * live->n_slots >> 64)];
}

/* The slot that holds the address, or the empty one where it belongs; the table is not empty. */
static inline struct block *live_seek(const struct live *live, uint64_t address)
{
    struct block *slot = live_home(live, address);
    while (slot->address && slot->address != address)
        slot = slot + 1 == live->slots + live->n_slots ? live->slots : slot + 1;
    return slot;
}

/* The block at an address, NULL where none is. Valid until the next change. */
static inline struct block *live_find(const struct live *live, uint64_t address)
{
    if (live->n_used == 0 || address == 0)
        return NULL;
    struct block *const slot = live_seek(live, address);
    return slot->address ? slot : NULL;
}

/* A place for a block where that needs neither growing nor a decision, else NULL. All of it but the
 * address, which is set, is the caller's to fill in at once. */
static inline struct block *live_claim(struct live *live, uint64_t address)
{
    if (live->n_used >= live->n_most)
        return NULL;
    struct block *const slot = live_seek(live, address);
    if (slot->address)
        return NULL;
    slot->address = address;
    live->n_used++;
    return slot;
}

/* Whether the table is too big to be in a cache all the time. */
static inline bool live_is_far(const struct live *live)
{
    return live->n_slots >= LIVE_FETCH_SLOTS;
}

/* An address that will be asked for soon in a table that is far: begin to fetch its slot, and the one after
 * the next, which half of all searches touch. */
static inline __attribute__((always_inline)) void live_prefetch(const struct live *live,
                                                                uint64_t address)
{
    const struct block *const slot = live_home(live, address);
    __builtin_prefetch(slot, 1);
    __builtin_prefetch(slot + 2, 1);
}

/* Remove a block that live_find() gave; move later ones up that were crowded out of its place. */
void live_close_gap(struct live *live, struct block *block);
static inline void live_remove(struct live *live, struct block *block)
{
    const struct block *const next = block + 1;
    live->n_used--;
    block->address = 0;
    if (next == live->slots + live->n_slots || next->address)
        live_close_gap(live, block);
}

/* Remove the block at an address. Returns whether there was one. */
bool live_take(struct live *live, uint64_t address, struct block *block_out);

/* Go through all blocks in no order: begin with *at = 0; NULL after the last one. */
const struct block *live_next(const struct live *live, size_t *at);

void live_fini(struct live *live);

#endif
