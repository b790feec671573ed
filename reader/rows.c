/* SPDX-License-Identifier: MIT */
/* Which rows a report has: the sites of all processes, those of the same stack made one. "The same"
 * is decided after the frames that only ask for memory were left out, by module name, build-id and
 * offset, so the same run elsewhere gives the same ids. */
#include <errno.h>
#include <stdlib.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/freed_at.h"
#include "reader/habits_rows.h"
#include "reader/keysort.h"
#include "reader/rowstack.h"

/* A site with its stack without the allocator's frames. */
struct row {
    uint64_t id;
    uint32_t site;
    struct rowstack stack;
};

static void add_counts(const struct analysis *analysis, struct metrics *metrics,
                       const struct model_site *site)
{
    metrics->alloc_count += site->alloc_count;
    metrics->realloc_count += site->realloc_count;
    metrics->free_count += site->free_count;
    metrics->alloc_bytes = add_capped(metrics->alloc_bytes, site->alloc_bytes);
    metrics->temporary_count += site->temporary_count;
    metrics->copied_bytes += site->copied_bytes;
    metrics->slack_bytes += site->peak_slack_bytes;
    metrics->leaked_count += site->live_count;
    metrics->leaked_bytes = add_capped(metrics->leaked_bytes, site->live_bytes);
    metrics->events = metrics->alloc_count + metrics->realloc_count + metrics->free_count;
    if (site->process != analysis->peak_process)
        return;
    metrics->peak_count += site->peak_count;
    metrics->peak_bytes = add_capped(metrics->peak_bytes, site->peak_bytes);
}

/* Highest live counts: within a process the sum over its sites (an upper bound where two of them,
 * different only in allocator frames, peaked at different times), over processes the largest. */
static void add_max_live(const struct analysis *analysis, struct site *site, const struct row *rows,
                         size_t n_rows)
{
    uint64_t count = 0, bytes = 0;
    uint32_t process = 0;
    for (size_t i = 0; i < n_rows; i++) {
        const struct model_site *const source = model_site(analysis->model, rows[i].site);
        if (source->process != process)
            count = bytes = 0;
        process = source->process;
        count += source->max_live_count;
        bytes = add_capped(bytes, source->max_live_bytes);
        if (count > site->max_live_count)
            site->max_live_count = count;
        if (bytes > site->max_live_bytes)
            site->max_live_bytes = bytes;
    }
}

int rows_join(struct model_site *to, const struct model_site *from)
{
    int error = histogram_merge(&to->sizes, &from->sizes);
    if (error == 0)
        error = histogram_merge(&to->lifetime_ticks, &from->lifetime_ticks);
    if (error == 0)
        error = histogram_merge(&to->alloc_call_cycles, &from->alloc_call_cycles);
    if (error == 0)
        error = histogram_merge(&to->free_call_cycles, &from->free_call_cycles);
    return error ? error : idmap_join(&to->threads, &from->threads);
}

void rows_describe(const struct analysis *analysis, const struct model_site *source,
                   struct site *site)
{
    site->n_threads = (uint32_t)source->threads.n_used;
    site->sizes = histogram_quantiles(&source->sizes, 1);
    site->lifetime_ns = histogram_quantiles(&source->lifetime_ticks, analysis->ns_per_tick);
    site->alloc_call_ns = histogram_quantiles(&source->alloc_call_cycles, analysis->ns_per_cycle);
    site->free_call_ns = histogram_quantiles(&source->free_call_cycles, analysis->ns_per_cycle);
}

/* Gather threads and distributions in the group's first site, which no one needs alone any more. */
static int gather(const struct analysis *analysis, const struct row *rows, size_t n_rows)
{
    struct model_site *const first = model_site(analysis->model, rows[0].site);
    for (size_t i = 1; i < n_rows; i++) {
        const int error = rows_join(first, model_site(analysis->model, rows[i].site));
        if (error)
            return error;
        freed_at_join(analysis->model, rows[0].site, rows[i].site);
    }
    return 0;
}

static int add_habits(const struct analysis *analysis, const struct row *rows, size_t n_rows,
                      struct site *site)
{
    struct habits_row gathered;
    if (!analysis->model->habits.gathered)
        return 0;
    int error = habits_row_begin(&gathered, analysis);
    for (size_t i = 0; i < n_rows && error == 0; i++)
        habits_row_add(&gathered, rows[i].site);
    site->habits = gathered.habits;
    return error ? error : freed_at_fill(analysis, rows[0].site, gathered.habits);
}

static int make_site(const struct rowstacks *all, const struct row *rows, size_t n_rows,
                     struct site *site)
{
    const struct analysis *const analysis = all->analysis;
    struct rowstack_frames stack;
    int error = rowstacks_list(all, &rows[0].stack, &stack);
    if (error == 0)
        error = gather(analysis, rows, n_rows);
    if (error)
        return error;
    const struct model_site *const first = model_site(analysis->model, rows[0].site);
    rowstack_write_id(rows[0].id, site->id);
    site->frames = stack.frames;
    site->n_frames = stack.n_frames;
    site->place = stack.place;
    for (size_t i = 0; i < n_rows; i++)
        add_counts(analysis, &site->metrics, model_site(analysis->model, rows[i].site));
    add_max_live(analysis, site, rows, n_rows);
    rows_describe(analysis, first, site);
    return add_habits(analysis, rows, n_rows, site);
}

static uint64_t count_calls(const struct analysis *analysis, const struct row *rows, size_t n_rows)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_rows; i++) {
        const struct model_site *const site = model_site(analysis->model, rows[i].site);
        n += site->alloc_count + site->realloc_count;
    }
    return n;
}

/* Which rows become one: those of the same id, which stand together. Most calls first, then by id, as
 * sorting keeps the order. Item i stands for rows[value .. value + extra). */
static int group(const struct analysis *analysis, const struct row *rows, size_t n_rows,
                 struct keysort_item *groups, size_t *n_out)
{
    size_t n = 0;
    for (size_t i = 0, end; i < n_rows; i = end) {
        for (end = i + 1; end < n_rows && rows[end].id == rows[i].id;)
            end++;
        groups[n++] = (struct keysort_item){.key = ~count_calls(analysis, &rows[i], end - i),
                                            .value = (uint32_t)i,
                                            .extra = (uint32_t)(end - i)};
    }
    *n_out = n;
    return keysort(groups, n);
}

/* Which model sites the profile's sites are made of, for those analyses that need more of them. */
static int keep_sources(struct analysis *analysis, const struct row *rows,
                        const struct keysort_item *groups, size_t n_sites)
{
    if (!analysis->options->habits)
        return 0;
    analysis->site_sources = calloc(n_sites + 1, sizeof *analysis->site_sources);
    if (!analysis->site_sources)
        return -ENOMEM;
    for (size_t i = 0; i < n_sites; i++)
        analysis->site_sources[i] = rows[groups[i].value].site;
    return 0;
}

/* Which of the profile's sites each model site became part of. */
static int number_rows(const struct analysis *analysis, const struct row *rows,
                       const struct keysort_item *groups, size_t n_sites)
{
    const uint32_t n_numbers = analysis->model->n_sites;
    uint32_t *const row_of_site = storage_array(analysis->storage, n_numbers, sizeof *row_of_site);
    if (!row_of_site)
        return -ENOMEM;
    for (uint32_t i = 0; i < n_numbers; i++)
        row_of_site[i] = (uint32_t)n_sites;
    for (size_t i = 0; i < n_sites; i++)
        for (uint32_t j = 0; j < groups[i].extra; j++)
            row_of_site[rows[groups[i].value + j].site - 1] = (uint32_t)i;
    analysis->profile->row_of_site = row_of_site;
    analysis->profile->n_site_rows = n_numbers;
    return 0;
}

static int make_sites(struct analysis *analysis, const struct row *rows, size_t n_rows,
                      struct keysort_item *groups)
{
    const struct rowstacks *const all = analysis->rowstacks;
    struct profile *const profile = analysis->profile;
    size_t n_sites = 0;
    int error = group(analysis, rows, n_rows, groups, &n_sites);
    struct site *const sites =
        error ? NULL : storage_array(analysis->storage, n_sites, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    for (size_t i = 0; i < n_sites && error == 0; i++)
        error = make_site(all, &rows[groups[i].value], groups[i].extra, &sites[i]);
    if (error == 0)
        error = keep_sources(analysis, rows, groups, n_sites);
    if (error == 0)
        error = number_rows(analysis, rows, groups, n_sites);
    profile->sites = sites;
    profile->n_sites = n_sites;
    return error;
}

/* List the rows by id, then by site; `items` is room for as many. Returns 0 or -ENOMEM. */
static int list_rows(struct rowstacks *all, struct row *rows, struct keysort_item *items,
                     size_t *n_out)
{
    struct model *const model = all->analysis->model;
    struct row *const found = calloc(model->n_sites + (size_t)1, sizeof *found);
    size_t n = 0;
    if (!found)
        return -ENOMEM;
    for (uint32_t i = 1; i <= model->n_sites; i++) {
        if (!model_shows(model, model_site(model, i)->process))
            continue;
        struct row *const row = &found[n];
        row->site = i;
        row->stack =
            rowstacks_strip(all, model_site(model, i)->process, model_site(model, i)->node);
        row->id = rowstacks_id(all, row->stack.node);
        items[n] = (struct keysort_item){.key = row->id, .value = (uint32_t)n};
        n++;
    }
    const int error = keysort(items, n);
    for (size_t i = 0; i < n && error == 0; i++)
        rows[i] = found[items[i].value];
    free(found);
    *n_out = n;
    return error;
}

int rows_analyse(struct analysis *analysis)
{
    const size_t n_most = analysis->model->n_sites + (size_t)1;
    struct row *const rows = calloc(n_most, sizeof *rows);
    struct keysort_item *const items = calloc(n_most, sizeof *items);
    size_t n_rows = 0;
    int error = rows && items ? 0 : -ENOMEM;
    if (error == 0)
        error = list_rows(analysis->rowstacks, rows, items, &n_rows);
    if (error == 0)
        error = make_sites(analysis, rows, n_rows, items);
    free(items);
    free(rows);
    return error;
}
