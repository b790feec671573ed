/* SPDX-License-Identifier: MIT */
/* What a program would do instead of calling the allocator, call by call. */
#include "replay/player.h"

#include <stdlib.h>
#include <string.h>

/* ---- blocks of the allocator that are kept or made larger ---- */

static bool reserve(struct player_thread *thread, const struct ops_op *op, struct player_slot *slot,
                    const struct row_state *state)
{
    struct player_slot *const old =
        thread->grown_slot ? &thread->player->slots[thread->grown_slot] : NULL;
    if (old && old->holder == REPLAY_RESERVE && op->bytes <= old->capacity_bytes) {
        slot->block = old->block;
        slot->capacity_bytes = old->capacity_bytes;
        old->is_moved = true;
        return true;
    }
    slot->capacity_bytes = op->bytes > state->row.bytes ? op->bytes : state->row.bytes;
    slot->block = malloc(slot->capacity_bytes);
    return slot->block;
}

static bool take_kept(struct row_local *local, struct player_slot *slot, uint64_t n_bytes,
                      uint64_t least_bytes)
{
    if (atomic_load_explicit(&local->is_busy, memory_order_acquire))
        return false;
    if (!local->kept || local->kept_bytes < n_bytes) {
        const uint64_t wanted = n_bytes > least_bytes ? n_bytes : least_bytes;
        free(local->kept);
        local->kept = malloc(wanted);
        local->kept_bytes = local->kept ? wanted : 0;
    }
    if (!local->kept)
        return false;
    atomic_store_explicit(&local->is_busy, true, memory_order_relaxed);
    slot->block = local->kept;
    slot->from = local;
    return true;
}

/* ---- calls ---- */

bool player_row_acquire(struct player_thread *thread, const struct ops_op *op,
                        struct player_slot *slot)
{
    const struct row_state *const state = &thread->player->rows[op->row - 1];
    struct row_local *const local = &thread->locals[op->row - 1];
    bool is_served = false;
    if (op->kind == OPS_ALIGNED)
        return false;
    switch (state->row.technique) {
    case REPLAY_RESERVE: is_served = reserve(thread, op, slot, state); break;
    case REPLAY_REUSE: is_served = take_kept(local, slot, op->bytes, state->row.bytes); break;
    case REPLAY_POOL:
    case REPLAY_ARENA:
    case REPLAY_STACK: is_served = player_store_take(thread, op->row, op->bytes, slot); break;
    default: break;
    }
    if (is_served)
        slot->holder = state->row.technique;
    if (is_served && op->kind == OPS_CALLOC)
        memset(slot->block, 0, op->bytes);
    return is_served;
}

/* How many bytes a block may have where it is. */
static uint64_t room(const struct row_state *state, const struct player_slot *slot)
{
    switch (slot->holder) {
    case REPLAY_RESERVE: return slot->capacity_bytes;
    case REPLAY_REUSE: return slot->from->kept_bytes;
    case REPLAY_POOL:
    case REPLAY_STACK: return state->row.bytes;
    case REPLAY_ARENA: return slot->bytes;
    default: return 0;
    }
}

static void give_back(struct player_thread *thread, const struct ops_op *op,
                      struct player_slot *slot)
{
    switch (slot->holder) {
    case REPLAY_POOL:
    case REPLAY_STACK:
    case REPLAY_ARENA: player_store_give(thread, op->row, slot); break;
    case REPLAY_REUSE:
        atomic_store_explicit(&slot->from->is_busy, false, memory_order_release);
        break;
    default: free(slot->block); break;
    }
}

/* One that a row meets at its first resize only
 * gets its room then. */
enum player_resized player_row_resize(struct player_thread *thread, const struct ops_op *op,
                                      struct player_slot *slot)
{
    const struct row_state *const state = &thread->player->rows[op->row - 1];
    const uint64_t wanted = op->bytes > state->row.bytes ? op->bytes : state->row.bytes;
    if (op->bytes <= room(state, slot))
        return PLAYER_SERVED;
    if (slot->holder == REPLAY_NONE && state->row.technique != REPLAY_RESERVE)
        return PLAYER_LEFT;
    const bool is_allocators = slot->holder == REPLAY_NONE || slot->holder == REPLAY_RESERVE;
    const uint64_t n_bytes = state->row.technique == REPLAY_RESERVE ? wanted : op->bytes;
    uint8_t *const block = is_allocators ? realloc(slot->block, n_bytes) : malloc(n_bytes);
    if (!block)
        return PLAYER_NO_MEMORY;
    if (!is_allocators) {
        memcpy(block, slot->block, slot->bytes < op->bytes ? slot->bytes : op->bytes);
        give_back(thread, op, slot);
    }
    slot->block = block;
    slot->capacity_bytes = n_bytes;
    slot->holder = is_allocators ? REPLAY_RESERVE : REPLAY_NONE;
    return is_allocators ? PLAYER_SERVED : PLAYER_MOVED;
}

void player_row_release(struct player_thread *thread, const struct ops_op *op,
                        struct player_slot *slot)
{
    if (!slot->is_moved)
        give_back(thread, op, slot);
    slot->is_moved = false;
    slot->holder = REPLAY_NONE;
}
