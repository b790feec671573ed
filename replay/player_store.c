/* SPDX-License-Identifier: MIT */
/* Pools, arenas and places on a stack, each as plainly as it would be written in a program. Address space is
 * set aside for all threads that will ask; each opens its part when it first does. */
#include "replay/player_store.h"

#include <errno.h>
#include <sys/mman.h>

enum {
    STACK_DEPTH = 64, /* places of one thread: calls inside each other */
    PAGE_BYTES = 4096,
};

#define MAX_REGION_BYTES (UINT64_C(1) << 44)

static uint64_t rounded_to(uint64_t n_bytes, uint64_t grain)
{
    return (n_bytes + grain - 1) & ~(grain - 1);
}

/* ---- setting up ---- */

static bool has_store(const struct ops_row *row)
{
    return row->technique == REPLAY_POOL || row->technique == REPLAY_ARENA ||
           row->technique == REPLAY_STACK;
}

static bool is_shared(const struct row_state *state)
{
    return state->row.is_shared && state->row.technique != REPLAY_STACK;
}

/* What a thread's part has to hold, or all threads' where it is shared; in whole pages. Neither factor is
 * above 2^48; a product that is too much becomes as much as that. */
static uint64_t part_bytes(const struct ops_row *row)
{
    const uint64_t n = row->technique == REPLAY_ARENA                      ? 1
                       : row->technique == REPLAY_STACK && row->slots == 0 ? STACK_DEPTH
                                                                           : row->slots;
    uint64_t n_bytes;
    if (__builtin_mul_overflow(store_object_bytes(row->bytes), n, &n_bytes) ||
        n_bytes > MAX_REGION_BYTES)
        return MAX_REGION_BYTES;
    return rounded_to(n_bytes, PAGE_BYTES);
}

/* Rows of a group may each be another thread's. */
static uint64_t n_parts(const struct player *player, const struct row_state *state)
{
    if (is_shared(state))
        return 1;
    return state->row.group ? player->head.n_threads : state->row.n_threads;
}

static void set_aside(const struct player *player, struct row_state *state)
{
    const uint64_t n_bytes = part_bytes(&state->row), n = n_parts(player, state);
    if (n == 0 || n_bytes > MAX_REGION_BYTES / n)
        return;
    void *const base =
        mmap(NULL, n_bytes * n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return;
    state->base = base;
    state->end = state->base + n_bytes * n;
    state->next = state->base;
}

/* Open the next part for `local`; one of no bytes where there is none any more. */
static void open_part(struct row_state *state, struct row_local *local)
{
    const uint64_t n_bytes = part_bytes(&state->row);
    local->base = local->next = local->end = state->base;
    if (!state->base)
        return;
    uint8_t *const part = atomic_fetch_add(&state->next, (ptrdiff_t)n_bytes);
    if (part >= state->end || mprotect(part, n_bytes, PROT_READ | PROT_WRITE))
        return;
    local->base = local->next = part;
    local->end = part + n_bytes;
}

static uint32_t find_group(const struct player *player, uint32_t i)
{
    const struct ops_row *const row = &player->rows[i].row;
    for (uint32_t j = 0; j < i && row->group; j++) {
        const struct ops_row *const other = &player->rows[j].row;
        if (other->technique == REPLAY_ARENA && other->group == row->group)
            return j;
    }
    return i;
}

/* Facts of the rows of a group are gathered in its first. */
static void join_groups(struct player *player)
{
    for (uint32_t i = 0; i < player->head.n_rows; i++) {
        struct row_state *const state = &player->rows[i];
        state->group = state->row.technique == REPLAY_ARENA ? find_group(player, i) : i;
        state->is_on = player->row < 0 || player->row == (int64_t)state->group + 1;
        state->grain = store_object_bytes(state->row.bytes);
        struct row_state *const first = &player->rows[state->group];
        first->needs_lock |= state->row.is_met_by_several || state->row.crosses || first != state;
        first->crosses |= state->row.crosses;
    }
}

void player_stores_init(struct player *player)
{
    join_groups(player);
    for (uint32_t i = 0; i < player->head.n_rows; i++) {
        struct row_state *const state = &player->rows[i];
        const bool is_arena = state->row.technique == REPLAY_ARENA;
        if (!has_store(&state->row) || !state->is_on)
            continue;
        state->is_lone = !is_shared(&player->rows[state->group]) &&
                         !(is_arena && player->rows[state->group].crosses);
        if (state->group != i)
            continue;
        set_aside(player, state);
        if (is_shared(state))
            open_part(state, &state->common);
    }
}

/* ---- giving out ---- */

/* Only where several threads come here; a program with one would not lock. */
static void lock(struct row_state *state)
{
    if (!is_shared(state) || !state->needs_lock)
        return;
    while (atomic_flag_test_and_set_explicit(&state->is_locked, memory_order_acquire))
        __builtin_ia32_pause();
}

static void unlock(struct row_state *state)
{
    if (is_shared(state) && state->needs_lock)
        atomic_flag_clear_explicit(&state->is_locked, memory_order_release);
}

static void *take_object(struct row_local *store, uint64_t n_bytes)
{
    uint8_t *const block = store->free_blocks ? store->free_blocks : store->next;
    if (store->free_blocks)
        store->free_blocks = *(void **)store->free_blocks;
    else if (n_bytes > (uint64_t)(store->end - store->next))
        return NULL;
    else
        store->next += n_bytes;
    return block;
}

static void add_live(const struct row_state *state, struct row_local *store, uint64_t n)
{
    if (state->crosses && !is_shared(state)) {
        atomic_fetch_add_explicit(&store->n_live, n, memory_order_acq_rel);
        return;
    }
    const uint64_t live = atomic_load_explicit(&store->n_live, memory_order_relaxed);
    atomic_store_explicit(&store->n_live, live + n, memory_order_relaxed);
}

/* Once its last block has died, an arena is filled from the front again. */
static void *take_from_arena(const struct row_state *state, struct row_local *store,
                             uint64_t n_bytes)
{
    if (atomic_load_explicit(&store->n_live, memory_order_acquire) == 0)
        store->next = store->base;
    uint8_t *const block = store->next;
    if (n_bytes > (uint64_t)(store->end - block))
        return NULL;
    store->next = block + n_bytes;
    add_live(state, store, 1);
    return block;
}

bool player_store_take(struct player_thread *thread, uint16_t row, uint64_t n_bytes,
                       struct player_slot *slot)
{
    const struct ops_row *const facts = &thread->player->rows[row - 1].row;
    const uint32_t group = thread->player->rows[row - 1].group;
    struct row_state *const state = &thread->player->rows[group];
    struct row_local *const store = is_shared(state) ? &state->common : &thread->locals[group];
    if (facts->technique != REPLAY_ARENA && n_bytes > facts->bytes)
        return false;
    if (!state->base)
        return false;
    if (!store->base)
        open_part(state, store); /* one that is shared was opened */
    lock(state);
    if (facts->technique == REPLAY_ARENA) {
        slot->block = take_from_arena(state, store, store_object_bytes(n_bytes));
        slot->from = store;
    } else {
        slot->block = take_object(store, state->grain);
    }
    unlock(state);
    return slot->block;
}

/* A pool's block goes to whoever gives it back: what threads do with lists of their own. */
void player_store_give(struct player_thread *thread, uint16_t row, const struct player_slot *slot)
{
    const uint32_t group = thread->player->rows[row - 1].group;
    struct row_state *const state = &thread->player->rows[group];
    struct row_local *const store = is_shared(state) ? &state->common : &thread->locals[group];
    lock(state);
    if (state->row.technique == REPLAY_ARENA) {
        add_live(state, slot->from, UINT64_MAX);
    } else {
        *(void **)(void *)slot->block = store->free_blocks;
        store->free_blocks = slot->block;
    }
    unlock(state);
}
