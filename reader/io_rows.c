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

int io_reports_join(struct model_io_site *to, const struct model_io_site *from)
{
    add_counts(to, from);
    int error = histogram_merge(&to->sizes, &from->sizes);
    if (error == 0)
        error = histogram_merge(&to->latency_ticks, &from->latency_ticks);
    if (error == 0)
        error = idmap_join(&to->threads, &from->threads);
    return error ? error : join_files(to, from);
}

/* Gather all of a group in its first site, which no one needs alone any more. */
static int gather(const struct model_io *io, const struct row *rows, size_t n_rows)
{
    int error = 0;
    for (size_t i = 1; i < n_rows && error == 0; i++)
        error = io_reports_join(io_site(io, rows[0].site), io_site(io, rows[i].site));
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

void io_reports_describe(const struct analysis *analysis, const struct model_io_site *source,
                         struct io_site *site)
{
    const enum io_class class = io_op_class(source->op);
    site->layer = (enum io_layer)source->layer;
    site->op = io_op_kernel_call(source->op);
    site->reads = class == IO_CLASS_READ || class == IO_CLASS_COPY;
    site->writes = class == IO_CLASS_WRITE || class == IO_CLASS_COPY;
    site->path = path_of(analysis, source);
    site->n_files = source->files.n_used ? (uint32_t)source->files.n_used : source->file != 0;
    site->calls = source->calls;
    site->bytes = source->bytes;
    site->seconds = io_reports_seconds(analysis, source->ticks);
    site->logical_calls = source->logical_calls;
    site->sizes = histogram_quantiles(&source->sizes, 1);
    site->latency_ns = histogram_quantiles(&source->latency_ticks, analysis->ns_per_tick);
    site->failed = source->failed;
    site->would_block = source->would_block;
    site->interrupted = source->interrupted;
    site->short_calls = source->short_calls;
    site->empty = source->empty;
    site->pattern = source->pattern;
    site->n_threads = (uint32_t)source->threads.n_used;
    site->heap_calls = source->heap_calls;
    site->fresh_calls = source->fresh_calls;
    site->single_calls = source->single_calls;
    site->copied_calls = source->copied_calls;
    site->copied_bytes = source->copied_bytes;
}

static int make_site(const struct rowstacks *all, const uint64_t *inner, const struct row *rows,
                     size_t n_rows, struct io_site *site)
{
    const struct analysis *const analysis = all->analysis;
    const struct model_io *const io = &analysis->model->io;
    const struct model_io_site *const source = io_site(io, rows[0].site);
    const struct rowstack stack = {.node = source->node};
    struct rowstack_frames shown;
    int error = rowstacks_list(all, &stack, &shown);
    if (error == 0)
        error = gather(io, rows, n_rows);
    if (error)
        return error;
    *site = (struct io_site){
        .n_frames = shown.n_frames,
        .frames = shown.frames,
        .place = shown.place,
        .inner_allocs = inner_allocs(io, inner, rows, n_rows),
    };
    io_reports_describe(analysis, source, site);
    rowstack_write_id(rows[0].id, site->id);
    return 0;
}

int io_reports_compare(const void *a_, const void *b_)
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

/* A row of the report, and the group that it is made of. */
struct made {
    struct io_site site; /* first: io_reports_compare() looks at it */
    const struct row *rows;
    size_t n_rows;
};

static int make_habits(struct analysis *analysis, const struct made *made, size_t n_made,
                       struct io_site *sites)
{
    const struct model_io *const io = &analysis->model->io;
    uint32_t *const row_of_site = calloc(io->n_sites, sizeof *row_of_site);
    analysis->io_site_sources = calloc(n_made + 1, sizeof *analysis->io_site_sources);
    if (!row_of_site || !analysis->io_site_sources) {
        free(row_of_site);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n_made; i++) {
        analysis->io_site_sources[i] = made[i].rows[0].site;
        for (size_t j = 0; j < made[i].n_rows; j++)
            row_of_site[made[i].rows[j].site - 1] = (uint32_t)i + 1;
    }
    const int error = io_habits_rows_fill(analysis, sites, n_made, row_of_site);
    free(row_of_site);
    return error;
}

/* Make a row of each group, most seconds first. `made` has room for as many as there are groups. */
static int make_rows(const struct rowstacks *all, const uint64_t *inner, const struct row *rows,
                     size_t n_rows, struct made *made)
{
    size_t n_made = 0;
    for (size_t i = 0; i < n_rows; i += made[n_made++].n_rows) {
        const size_t n = end_of_group(rows, n_rows, i) - i;
        const int error = make_site(all, inner, &rows[i], n, &made[n_made].site);
        if (error)
            return error;
        made[n_made].rows = &rows[i];
        made[n_made].n_rows = n;
    }
    if (n_made)
        qsort(made, n_made, sizeof *made, io_reports_compare);
    return 0;
}

static int keep_sites(struct analysis *analysis, const struct made *made, size_t n_made)
{
    struct io_site *const sites = storage_array(analysis->storage, n_made, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    for (size_t i = 0; i < n_made; i++)
        sites[i] = made[i].site;
    analysis->profile->io_sites = sites;
    analysis->profile->n_io_sites = n_made;
    return analysis->model->io.habits ? make_habits(analysis, made, n_made, sites) : 0;
}

static int make_sites(struct analysis *analysis, const uint64_t *inner, const struct row *rows,
                      size_t n_rows)
{
    size_t n_made = 0;
    for (size_t i = 0; i < n_rows; i = end_of_group(rows, n_rows, i))
        n_made++;
    struct made *const made = calloc(n_made + 1, sizeof *made);
    int error = made ? make_rows(analysis->rowstacks, inner, rows, n_rows, made) : -ENOMEM;
    if (error == 0)
        error = keep_sites(analysis, made, n_made);
    free(made);
    return error;
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
