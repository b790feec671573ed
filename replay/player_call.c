/* SPDX-License-Identifier: MIT */
/* How a call is done, timed, and its block touched.
 *
 * The clock costs more than most calls, so one call in some is timed by itself and the rest only as part
 * of the whole. Touching is outside of that: a store into each page of a block, as the program is taken to
 * have made. It does take part in the whole, for whether a page is a fresh one is the allocator's doing. */
#include "replay/player_store.h"

#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

enum { PAGE_BYTES = 4096, CALIBRATIONS = 2000 };

static uint64_t begin_timing(void)
{
    _mm_lfence();
    const uint64_t cycles = __rdtsc();
    _mm_lfence();
    return cycles;
}

static uint64_t end_timing(void)
{
    unsigned processor;
    const uint64_t cycles = __rdtscp(&processor);
    _mm_lfence();
    return cycles;
}

uint64_t player_timing_cycles(void)
{
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < CALIBRATIONS; i++) {
        const uint64_t begin = begin_timing(), took = end_timing() - begin;
        if (took < least)
            least = took;
    }
    return least;
}

/* ---- the calls ---- */

static uint8_t *ask(const struct ops_op *op)
{
    void *block = NULL;
    const unsigned alignment_log2 = op->flags & OPS_ALIGNMENT_MASK;
    if (op->kind == OPS_MALLOC)
        return malloc(op->bytes);
    if (op->kind == OPS_CALLOC)
        return calloc(1, op->bytes);
    const size_t alignment = (size_t)1 << (alignment_log2 < 3 ? 3 : alignment_log2);
    return posix_memalign(&block, alignment, op->bytes) ? NULL : block;
}

/* An empty run has blocks for what could be had. */
static uint8_t *fake(const struct player_thread *thread, const struct ops_op *op)
{
    return op->bytes < thread->player->too_many_bytes ? thread->fake : NULL;
}

/* What a program does itself when a container of its grows: the old block's bytes go into the new one. An empty
 * run has neither. */
static void copy_grown(const struct player_thread *thread, const struct ops_op *op,
                       const struct player_slot *slot)
{
    const struct player *const player = thread->player;
    const struct player_slot *const old = &player->slots[thread->grown_slot];
    if (player->is_empty || !slot->block || !old->block || slot->block == old->block)
        return;
    memcpy(slot->block, old->block, old->bytes < op->bytes ? old->bytes : op->bytes);
}

static bool acquire(struct player_thread *thread, const struct ops_op *op, struct player_slot *slot)
{
    if (player_row_is_on(thread->player, op->row)) {
        const struct row_state *const state = &thread->player->rows[op->row - 1];
        if (store_take_own(state, &thread->locals[state->group], op, slot) ||
            player_row_acquire(thread, op, slot))
            return true;
    }
    slot->block = thread->player->is_empty ? fake(thread, op) : ask(op);
    return false;
}

static bool acquire_and_fill(struct player_thread *thread, const struct ops_op *op,
                             struct player_slot *slot)
{
    const bool is_served = acquire(thread, op, slot);
    if (__builtin_expect(thread->grown_slot != 0, 0))
        copy_grown(thread, op, slot);
    return is_served;
}

/* Resize; the block stays what it was where there is no memory. Returns whether a technique served it.
 *
 * Only some allocators keep a block that is resized to nothing, and only then it is recorded as a resize; glibc
 * would free it. */
static bool resize(struct player_thread *thread, const struct ops_op *op, struct player_slot *slot)
{
    const struct player *const player = thread->player;
    enum player_resized done = PLAYER_LEFT;
    if (player_row_is_on(player, op->row))
        done = player_row_resize(thread, op, slot);
    if (done == PLAYER_LEFT) {
        uint8_t *const block =
            player->is_empty ? fake(thread, op) : realloc(slot->block, op->bytes ? op->bytes : 1);
        if (block)
            slot->block = block;
        else
            done = PLAYER_NO_MEMORY;
    }
    thread->n_failed += done == PLAYER_NO_MEMORY;
    return done == PLAYER_SERVED;
}

static bool release(struct player_thread *thread, const struct ops_op *op, struct player_slot *slot)
{
    if (slot->holder == REPLAY_NONE && !slot->is_moved) {
        if (!thread->player->is_empty)
            free(slot->block);
        return false;
    }
    const struct row_state *const state = &thread->player->rows[op->row - 1];
    if (!store_give_own(state, &thread->locals[state->group], slot))
        player_row_release(thread, op, slot);
    return true;
}

static bool call(struct player_thread *thread, const struct ops_op *op, struct player_slot *slot)
{
    switch (op->kind) {
    case OPS_RESIZE: return resize(thread, op, slot);
    case OPS_RELEASE: return release(thread, op, slot);
    default: return acquire_and_fill(thread, op, slot);
    }
}

/* ---- timing ---- */

static enum ops_call_class class_of(const struct ops_op *op)
{
    return op->kind == OPS_RELEASE  ? OPS_RELEASES
           : op->kind == OPS_RESIZE ? OPS_RESIZES
                                    : OPS_ACQUIRES;
}

/* The distance to the next timed call varies, for programs have rhythms: from half the usual one to one
 * and a half. */
static uint32_t next_distance(struct player_thread *thread)
{
    const uint32_t usual = (uint32_t)thread->player->head.sample_every;
    thread->random = thread->random * 1664525 + 1013904223;
    return usual / 2 + 1 + (uint32_t)((uint64_t)thread->random * usual >> 32);
}

static bool timed_call(struct player_thread *thread, const struct ops_op *op,
                       struct player_slot *slot)
{
    const uint64_t begin = begin_timing();
    const bool is_served = call(thread, op, slot);
    const uint64_t took = end_timing() - begin;
    struct ops_samples *const samples = &thread->figures[op->row].samples[class_of(op)];
    const uint64_t own = thread->player->timing_cycles;
    samples->n++;
    samples->cycles += took > own ? took - own : 0;
    thread->countdown = next_distance(thread);
    return is_served;
}

/* ---- touching ---- */

/* Store into the block's bytes [from, to): the first, the last, and the first of each page between. */
static void touch(const struct player *player, const uint8_t *block, uint64_t from, uint64_t to)
{
    const uintptr_t start = (uintptr_t)block + from, end = (uintptr_t)block + to;
    const uintptr_t base = player->touch_base, mask = player->touch_mask;
    if (!block || from >= to)
        return;
    *(volatile uint8_t *)(base + (start & mask)) = 1;
    for (uintptr_t at = (start | (PAGE_BYTES - 1)) + 1; at < end; at += PAGE_BYTES)
        *(volatile uint8_t *)(base + (at & mask)) = 1;
    *(volatile uint8_t *)(base + ((end - 1) & mask)) = 1;
}

/* ---- all of it ---- */

static void count(struct player_thread *thread, const struct ops_op *op, bool is_served)
{
    struct ops_row_figures *const figures = &thread->figures[op->row];
    thread->n_calls[op->kind]++;
    if (op->row == 0)
        return;
    figures->n_releases += op->kind == OPS_RELEASE;
    figures->n_served += op->kind != OPS_RELEASE && is_served;
    figures->n_overflowed += op->kind != OPS_RELEASE && !is_served;
}

/* The sum goes by what the program asked for, also where a technique served it. */
static void add_live(struct player_thread *thread, int64_t bytes)
{
    const int64_t live = atomic_load_explicit(&thread->live_bytes, memory_order_relaxed);
    atomic_store_explicit(&thread->live_bytes, live + bytes, memory_order_relaxed);
}

void player_call(struct player_thread *thread, const struct ops_op *op)
{
    struct player_slot *const slot = &thread->player->slots[op->slot];
    const uint64_t failed_before = thread->n_failed;
    const bool is_new = op->kind < OPS_RESIZE;
    const uint64_t old_bytes = is_new ? 0 : slot->bytes;
    const bool is_served =
        --thread->countdown ? call(thread, op, slot) : timed_call(thread, op, slot);
    count(thread, op, is_served);
    if (is_new && !slot->block) {
        thread->n_failed++;
        slot->bytes = 0;
    } else if (thread->n_failed == failed_before) {
        slot->bytes = op->bytes; /* 0 in a release */
        touch(thread->player, slot->block, old_bytes, op->bytes);
    }
    add_live(thread, (int64_t)(slot->bytes - old_bytes));
    const uint32_t turn = atomic_load_explicit(&slot->turn, memory_order_relaxed);
    atomic_store_explicit(&slot->turn, turn + 1, memory_order_release);
}
