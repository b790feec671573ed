/* SPDX-License-Identifier: MIT */
/* How are habits put together? Counts are added, extremes compared, lists joined. */
#include "reader/habits_merge.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"

static bool is_empty(const struct site_habits *habits)
{
    return habits->last_alloc_seconds == 0 && habits->first_alloc_seconds == 0 &&
           habits->slots_999 == 0;
}

static void merge_times(struct site_habits *to, const struct site_habits *from)
{
    if (is_empty(to) || from->first_alloc_seconds < to->first_alloc_seconds)
        to->first_alloc_seconds = from->first_alloc_seconds;
    if (from->last_alloc_seconds > to->last_alloc_seconds)
        to->last_alloc_seconds = from->last_alloc_seconds;
}

/* Blocks that died in the same run of frees are one burst; else the larger one stays. */
static void merge_burst(struct burst *to, const struct burst *from)
{
    if (from->id == 0 || (to->id != from->id && from->count <= to->count))
        return;
    if (to->id != from->id) {
        *to = *from;
        return;
    }
    to->count += from->count;
    to->bytes = add_capped(to->bytes, from->bytes);
    if (from->first_born_seconds < to->first_born_seconds)
        to->first_born_seconds = from->first_born_seconds;
    if (from->last_born_seconds > to->last_born_seconds)
        to->last_born_seconds = from->last_born_seconds;
    if (from->died_seconds > to->died_seconds)
        to->died_seconds = from->died_seconds;
}

static void merge_growth(struct growth *to, const struct growth *from)
{
    to->steps += from->steps;
    to->copied_bytes = add_capped(to->copied_bytes, from->copied_bytes);
    to->chains += from->chains;
    to->final_sum_bytes = add_capped(to->final_sum_bytes, from->final_sum_bytes);
    if (from->final_max_bytes > to->final_max_bytes)
        to->final_max_bytes = from->final_max_bytes;
    if (from->longest_steps > to->longest_steps)
        to->longest_steps = from->longest_steps;
}

/* ---- where blocks are freed ---- */

static int compare_freed(const void *a_, const void *b_)
{
    const struct freed_at *const a = a_, *const b = b_;
    return (a->count < b->count) - (a->count > b->count);
}

static bool is_same_place(const struct freed_at *a, const struct freed_at *b)
{
    return a->n_frames && b->n_frames && a->frames[a->place] == b->frames[b->place];
}

static uint32_t add_freed(struct freed_at *list, uint32_t n, const struct freed_at *freed)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!is_same_place(&list[i], freed))
            continue;
        list[i].count += freed->count;
        return n;
    }
    list[n] = *freed;
    return n + 1;
}

static int merge_freed(struct storage *storage, struct site_habits *to,
                       const struct site_habits *from)
{
    struct freed_at both[2 * HABITS_FREED_AT];
    uint32_t n = 0;
    for (uint32_t i = 0; i < to->n_freed_at && i < HABITS_FREED_AT; i++)
        n = add_freed(both, n, &to->freed_at[i]);
    for (uint32_t i = 0; i < from->n_freed_at && i < HABITS_FREED_AT; i++)
        n = add_freed(both, n, &from->freed_at[i]);
    if (n == 0)
        return 0;
    qsort(both, n, sizeof *both, compare_freed);
    n = n < HABITS_FREED_AT ? n : HABITS_FREED_AT;
    struct freed_at *const list = storage_array(storage, n, sizeof *list);
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        list[i] = both[i];
    to->freed_at = list;
    to->n_freed_at = n;
    return 0;
}

/* ---- all of it ---- */

int habits_merge(struct storage *storage, struct site_habits *to, const struct site_habits *from)
{
    if (!from)
        return 0;
    merge_times(to, from);
    merge_burst(&to->largest_burst, &from->largest_burst);
    merge_growth(&to->growth, &from->growth);
    to->calloc_count += from->calloc_count;
    to->aligned_count += from->aligned_count;
    if (from->alignment_bytes > to->alignment_bytes)
        to->alignment_bytes = from->alignment_bytes;
    to->slots_999 += from->slots_999;
    to->freed_elsewhere_count += from->freed_elsewhere_count;
    to->burst_count += from->burst_count;
    to->n_bursts += from->n_bursts;
    to->fleeting_count += from->fleeting_count;
    to->fleeting_bytes = add_capped(to->fleeting_bytes, from->fleeting_bytes);
    to->freed_seen_count += from->freed_seen_count;
    for (unsigned i = 0; i < HABITS_EIGHTHS; i++) {
        to->leaked_born[i] += from->leaked_born[i];
        to->leaked_born_bytes[i] = add_capped(to->leaked_born_bytes[i], from->leaked_born_bytes[i]);
    }
    return merge_freed(storage, to, from);
}
