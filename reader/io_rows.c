/* SPDX-License-Identifier: MIT */
/* Which rows of I/O a report has: the sites of all processes, those of one stack and one kind of call
 * made one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/io_habits_rows.h"
#include "reader/io_reports.h"
#include "reader/members.h"
#include "reader/rowstack.h"
#include "trace/io_ops.h"

struct row {
    uint64_t id;
    uint32_t site;
    uint8_t op, layer;
};

static int compare_kinds(const struct row *a, const struct row *b)
{
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    if (a->op != b->op)
        return a->op < b->op ? -1 : 1;
    return (a->layer > b->layer) - (a->layer < b->layer);
}

static int compare_rows(const void *a_, const void *b_)
{
    const struct row *const a = a_, *const b = b_;
    const int kinds = compare_kinds(a, b);
    return kinds ? kinds : (a->site > b->site) - (a->site < b->site);
}

/* The files of both, in the first one: a table only where there are two. */
static int join_files(struct model_io_site *site, const struct model_io_site *from)
{
    int error = 0;
    if (from->file == 0 || (site->file == from->file && from->files.n_used == 0))
        return 0;
    if (site->file == 0)
        site->file = from->file;
    else if (site->files.n_used == 0)
        error = idmap_put(&site->files, site->file, 1);
    if (error == 0 && (site->file != from->file || site->files.n_used))
        error = idmap_put(&site->files, from->file, 1);
    return error ? error : idmap_join(&site->files, &from->files);
}

static void add_counts(struct model_io_site *site, const struct model_io_site *from)
{
    static const size_t added[] = {
        offsetof(struct model_io_site, calls),
        offsetof(struct model_io_site, bytes),
        offsetof(struct model_io_site, ticks),
        offsetof(struct model_io_site, logical_calls),
        offsetof(struct model_io_site, failed),
        offsetof(struct model_io_site, would_block),
        offsetof(struct model_io_site, interrupted),
        offsetof(struct model_io_site, short_calls),
        offsetof(struct model_io_site, empty),
        offsetof(struct model_io_site, heap_calls),
        offsetof(struct model_io_site, fresh_calls),
        offsetof(struct model_io_site, single_calls),
        offsetof(struct model_io_site, copied_calls),
        offsetof(struct model_io_site, copied_bytes),
        offsetof(struct model_io_site, pattern.consecutive),
        offsetof(struct model_io_site, pattern.strided),
        offsetof(struct model_io_site, pattern.random),
    };
    members_add(site, from, added, sizeof added / sizeof *added);
}

/* Gather all of a group in its first site, which no one needs alone any more. */
static int gather(const struct model_io *io, const struct row *rows, size_t n_rows)
{
    struct model_io_site *const first = io_site(io, rows[0].site);
    int error = 0;
    for (size_t i = 1; i < n_rows && error == 0; i++) {
        const struct model_io_site *const other = io_site(io, rows[i].site);
        add_counts(first, other);
        error = histogram_merge(&first->sizes, &other->sizes);
        if (error == 0)
            error = histogram_merge(&first->latency_ticks, &other->latency_ticks);
        if (error == 0)
            error = idmap_join(&first->threads, &other->threads);
        if (error == 0)
            error = join_files(first, other);
    }
    return error;
}

uint64_t *io_reports_inner_allocs(const struct model *model)
{
    const struct stacks *const stacks = &model->stacks;
    uint64_t *const counts = calloc(stacks->n_nodes + (size_t)1, sizeof *counts);
    if (!counts)
        return NULL;
    for (uint32_t i = 0; i < model->n_sites; i++)
        if (model_shows(model, model->sites[i].process))
            counts[model->sites[i].node] += model->sites[i].alloc_count;
    for (uint32_t id = stacks->n_nodes; id > 0; id--) /* callers have smaller ids */
        counts[stacks_at(stacks, id)->parent] += counts[id];
    counts[0] = 0;
    return counts;
}

static const char *path_of(const struct analysis *analysis, const struct model_io_site *site)
{
    return site->files.n_used > 1 ? "" : io_reports_path(analysis, site->file);
}

/* Blocks allocated inside of calls of a group; processes share the nodes of a program. */
static uint64_t inner_allocs(const struct model_io *io, const uint64_t *inner,
                             const struct row *rows, size_t n_rows)
{
    uint64_t n = 0;
    uint32_t before = 0;
    for (size_t i = 0; i < n_rows && rows[0].layer == IO_LAYER_STDIO; i++) {
        const uint32_t node = io_site(io, rows[i].site)->node;
        n += node != before ? inner[node] : 0;
        before = node;
    }
    return n;
}

static int make_site(const struct rowstacks *all, const uint64_t *inner, const struct row *rows,
                     size_t n_rows, struct io_site *site)
{
    const struct analysis *const analysis = all->analysis;
    const struct model_io *const io = &analysis->model->io;
    struct model_io_site *const source = io_site(io, rows[0].site);
    const struct rowstack stack = {.node = source->node};
    struct rowstack_frames shown;
    int error = rowstacks_list(all, &stack, &shown);
    if (error == 0)
        error = gather(io, rows, n_rows);
    if (error)
        return error;
    const enum io_class class = io_op_class(source->op);
    *site = (struct io_site){
        .n_frames = shown.n_frames,
        .frames = shown.frames,
        .place = shown.place,
        .layer = (enum io_layer)source->layer,
        .op = io_op_kernel_call(source->op),
        .reads = class == IO_CLASS_READ || class == IO_CLASS_COPY,
        .writes = class == IO_CLASS_WRITE || class == IO_CLASS_COPY,
        .path = path_of(analysis, source),
        .n_files = source->files.n_used ? (uint32_t)source->files.n_used : source->file != 0,
        .calls = source->calls,
        .bytes = source->bytes,
        .seconds = io_reports_seconds(analysis, source->ticks),
        .logical_calls = source->logical_calls,
        .sizes = histogram_quantiles(&source->sizes, 1),
        .latency_ns = histogram_quantiles(&source->latency_ticks, analysis->ns_per_tick),
        .failed = source->failed,
        .would_block = source->would_block,
        .interrupted = source->interrupted,
        .short_calls = source->short_calls,
        .empty = source->empty,
        .pattern = source->pattern,
        .n_threads = (uint32_t)source->threads.n_used,
        .heap_calls = source->heap_calls,
        .fresh_calls = source->fresh_calls,
        .single_calls = source->single_calls,
        .inner_allocs = inner_allocs(io, inner, rows, n_rows),
        .copied_calls = source->copied_calls,
        .copied_bytes = source->copied_bytes,
    };
    rowstack_write_id(rows[0].id, site->id);
    return 0;
}

static int compare_sites(const void *a_, const void *b_)
{
    const struct io_site *const a = a_, *const b = b_;
    if (a->seconds != b->seconds)
        return a->seconds > b->seconds ? -1 : 1;
    const int ids = strcmp(a->id, b->id);
    if (ids)
        return ids;
    return a->layer != b->layer ? (a->layer > b->layer) - (a->layer < b->layer)
                                : strcmp(a->op, b->op);
}

static size_t end_of_group(const struct row *rows, size_t n_rows, size_t begin)
{
    size_t end = begin + 1;
    while (end < n_rows && compare_kinds(&rows[end], &rows[begin]) == 0)
        end++;
    return end;
}

/* The place, plus 1, that the row of a group got; its sums are in the first site. */
static uint32_t find_site(const struct analysis *analysis, const struct row *row)
{
    const struct profile *const profile = analysis->profile;
    const uint64_t ticks = io_site(&analysis->model->io, row->site)->ticks;
    struct io_site key = {.seconds = io_reports_seconds(analysis, ticks),
                          .layer = (enum io_layer)row->layer,
                          .op = io_op_kernel_call(row->op)};
    rowstack_write_id(row->id, key.id);
    const struct io_site *const found =
        bsearch(&key, profile->io_sites, profile->n_io_sites, sizeof key, compare_sites);
    return found ? (uint32_t)(found - profile->io_sites) + 1 : 0;
}

static int make_habits(struct analysis *analysis, const struct row *rows, size_t n_rows,
                       struct io_site *sites)
{
    const struct model_io *const io = &analysis->model->io;
    uint32_t *const row_of_site = calloc(io->n_sites, sizeof *row_of_site);
    analysis->io_site_sources =
        calloc(analysis->profile->n_io_sites + 1, sizeof *analysis->io_site_sources);
    if (!row_of_site || !analysis->io_site_sources) {
        free(row_of_site);
        return -ENOMEM;
    }
    for (size_t i = 0, end; i < n_rows; i = end) {
        const uint32_t number = find_site(analysis, &rows[i]);
        end = end_of_group(rows, n_rows, i);
        if (number)
            analysis->io_site_sources[number - 1] = rows[i].site;
        for (size_t j = i; j < end; j++)
            row_of_site[rows[j].site - 1] = number;
    }
    const int error =
        io_habits_rows_fill(analysis, sites, analysis->profile->n_io_sites, row_of_site);
    free(row_of_site);
    return error;
}

static int make_sites(struct analysis *analysis, const uint64_t *inner, const struct row *rows,
                      size_t n_rows)
{
    const struct rowstacks *const all = analysis->rowstacks;
    struct profile *const profile = analysis->profile;
    size_t n_sites = 0, n_made = 0;
    for (size_t i = 0; i < n_rows; i++)
        n_sites += i == 0 || compare_kinds(&rows[i], &rows[i - 1]) != 0;
    struct io_site *const sites = storage_array(analysis->storage, n_sites, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    for (size_t i = 0, end; i < n_rows; i = end) {
        end = end_of_group(rows, n_rows, i);
        const int error = make_site(all, inner, &rows[i], end - i, &sites[n_made++]);
        if (error)
            return error;
    }
    if (n_sites)
        qsort(sites, n_sites, sizeof *sites, compare_sites);
    profile->io_sites = sites;
    profile->n_io_sites = n_sites;
    return analysis->model->io.habits ? make_habits(analysis, rows, n_rows, sites) : 0;
}

int io_rows_analyse(struct analysis *analysis)
{
    const struct rowstacks *const all = analysis->rowstacks;
    const struct model_io *const io = &analysis->model->io;
    size_t n_rows = 0;
    if (io->n_sites == 0)
        return 0;
    struct row *const rows = calloc(io->n_sites, sizeof *rows);
    uint64_t *const inner = io_reports_inner_allocs(analysis->model);
    int error = rows && inner ? 0 : -ENOMEM;
    for (uint32_t i = 1; i <= io->n_sites && error == 0; i++) {
        const struct model_io_site *const site = io_site(io, i);
        if (model_shows(analysis->model, site->process))
            rows[n_rows++] = (struct row){.id = rowstacks_id(all, site->node),
                                          .site = i,
                                          .op = site->op,
                                          .layer = site->layer};
    }
    if (n_rows)
        qsort(rows, n_rows, sizeof *rows, compare_rows);
    if (error == 0)
        error = make_sites(analysis, inner, rows, n_rows);
    free(inner);
    free(rows);
    return error;
}
