/* SPDX-License-Identifier: MIT */
/* What a row says of habits: sums over its sites, and of what is the largest that of one process. */
#include "reader/habits_rows.h"

#include <errno.h>

#include "reader/array.h"

enum { FLEETING_BYTES_PER_NS = 64 };

static double seconds(const struct habits_row *row, uint64_t ticks)
{
    const struct analysis *const analysis = row->analysis;
    return (double)subtract_floored(ticks, analysis->model->start_ticks) * analysis->ns_per_tick /
           1e9;
}

int habits_row_begin(struct habits_row *row, const struct analysis *analysis)
{
    *row = (struct habits_row){.analysis = analysis,
                               .habits = storage_array(analysis->storage, 1, sizeof *row->habits)};
    return row->habits ? 0 : -ENOMEM;
}

static void add_times(struct habits_row *row, const struct model_site_habits *from)
{
    struct site_habits *const habits = row->habits;
    const double first = seconds(row, from->first_alloc_ticks);
    const double last = seconds(row, from->last_alloc_ticks);
    if (from->live_counts.n == 0)
        return;
    if (!row->timed || first < habits->first_alloc_seconds)
        habits->first_alloc_seconds = first;
    if (last > habits->last_alloc_seconds)
        habits->last_alloc_seconds = last;
    row->timed = true;
}

/* Within a process the sum over its sites, over processes the largest: as with max_live_count. */
static void add_slots(struct habits_row *row, const struct model_site_habits *from,
                      uint32_t process)
{
    if (process != row->process)
        row->slots_999 = 0;
    row->slots_999 += histogram_ceiling(&from->live_counts, 999);
    if (row->slots_999 > row->habits->slots_999)
        row->habits->slots_999 = row->slots_999;
}

static void add_bursts(const struct habits_row *row, const struct model_rare_habits *from,
                       uint32_t process)
{
    struct site_habits *const habits = row->habits;
    const struct model_run *const largest = &from->largest_burst;
    habits->burst_count += from->burst_count;
    habits->n_bursts += from->n_bursts;
    if (largest->count <= habits->largest_burst.count)
        return;
    habits->largest_burst =
        (struct burst){.id = largest->id,
                       .process_id = process,
                       .count = largest->count,
                       .bytes = largest->bytes,
                       .first_born_seconds = seconds(row, largest->first_born_ticks),
                       .last_born_seconds = seconds(row, largest->last_born_ticks),
                       .died_seconds = seconds(row, largest->died_ticks)};
}

static void add_growth(struct growth *growth, const struct growth *from)
{
    growth->steps += from->steps;
    growth->copied_bytes = add_capped(growth->copied_bytes, from->copied_bytes);
    growth->chains += from->chains;
    growth->final_sum_bytes = add_capped(growth->final_sum_bytes, from->final_sum_bytes);
    if (from->final_max_bytes > growth->final_max_bytes)
        growth->final_max_bytes = from->final_max_bytes;
    if (from->longest_steps > growth->longest_steps)
        growth->longest_steps = from->longest_steps;
}

/* Which of a site's blocks came from calloc was not noted one by one: it counts where all of them did. */
static void add_fleeting(const struct habits_row *row, const struct model_speeds *speeds)
{
    const double least = FLEETING_BYTES_PER_NS * HABITS_SPEED_UNITS * row->analysis->ns_per_tick;
    struct site_habits *const habits = row->habits;
    habits->fleeting_count += histogram_count_from(&speeds->counts, least);
    habits->fleeting_bytes =
        add_capped(habits->fleeting_bytes, histogram_count_from(&speeds->bytes, least));
}

static void add_rare(const struct habits_row *row, const struct model_rare_habits *from,
                     const struct model_site *site)
{
    struct site_habits *const habits = row->habits;
    const uint64_t alignment = from->alignment_bits ? UINT64_C(1) << (from->alignment_bits - 1) : 0;
    habits->aligned_count += from->aligned_count;
    if (alignment > habits->alignment_bytes)
        habits->alignment_bytes = alignment;
    for (unsigned i = 0; i < HABITS_EIGHTHS; i++) {
        habits->leaked_born[i] += from->leaked_born[i];
        habits->leaked_born_bytes[i] =
            add_capped(habits->leaked_born_bytes[i], from->leaked_born_bytes[i]);
    }
    add_bursts(row, from, site->process);
    add_growth(&habits->growth, &from->growth);
}

void habits_row_add(struct habits_row *row, uint32_t number)
{
    struct model *const model = row->analysis->model;
    const struct model_site *const site = model_site(model, number);
    const struct model_site_habits *const from = model_site_habits(model, number);
    row->habits->calloc_count += from->calloc_count;
    row->habits->freed_elsewhere_count += from->freed_elsewhere_count;
    add_times(row, from);
    add_slots(row, from, site->process);
    if (from->rare)
        add_rare(row, from->rare, site);
    if (from->rare && from->calloc_count == site->alloc_count && site->realloc_count == 0)
        add_fleeting(row, &from->rare->speeds);
    row->process = site->process;
}
