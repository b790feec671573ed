/* SPDX-License-Identifier: MIT */
/* The usual case of a pool or an arena, inline as it would be in a program: any detour here would be
 * counted as the technique's. */
#ifndef HEAPWISE_REPLAY_PLAYER_STORE_H
#define HEAPWISE_REPLAY_PLAYER_STORE_H

#include "replay/player.h"

enum { STORE_GRAIN = 16 }; /* what malloc aligns to */

static inline uint64_t store_object_bytes(uint64_t n_bytes)
{
    return n_bytes ? (n_bytes + STORE_GRAIN - 1) & ~(uint64_t)(STORE_GRAIN - 1) : STORE_GRAIN;
}

/* Take a block of the thread's own, if one is there. False: player_row_acquire() knows more. */
static inline bool store_take_own(const struct row_state *state, struct row_local *own,
                                  const struct ops_op *op, struct player_slot *slot)
{
    if (!state->is_lone || op->kind != OPS_MALLOC)
        return false;
    if (state->row.technique == REPLAY_ARENA) {
        const uint64_t n_bytes = store_object_bytes(op->bytes);
        const uint64_t n_live = atomic_load_explicit(&own->n_live, memory_order_relaxed);
        uint8_t *const block = n_live ? own->next : own->base;
        if (n_bytes > (uint64_t)(own->end - block))
            return false;
        own->next = block + n_bytes;
        atomic_store_explicit(&own->n_live, n_live + 1, memory_order_relaxed);
        slot->from = own;
        slot->block = block;
    } else {
        if (!own->free_blocks || op->bytes > state->row.bytes)
            return false;
        slot->block = own->free_blocks;
        own->free_blocks = *(void **)own->free_blocks;
    }
    slot->holder = state->row.technique;
    return true;
}

/* Give one back. False: player_row_release() knows more. */
static inline bool store_give_own(const struct row_state *state, struct row_local *own,
                                  struct player_slot *slot)
{
    if (!state->is_lone || slot->holder != state->row.technique)
        return false;
    if (slot->holder == REPLAY_ARENA) {
        const uint64_t n_live = atomic_load_explicit(&own->n_live, memory_order_relaxed);
        atomic_store_explicit(&own->n_live, n_live - 1, memory_order_relaxed);
    } else {
        *(void **)(void *)slot->block = own->free_blocks;
        own->free_blocks = slot->block;
    }
    slot->holder = REPLAY_NONE;
    return true;
}

#endif
