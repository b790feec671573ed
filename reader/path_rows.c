/* SPDX-License-Identifier: MIT */
/* Which calls that name a path a report has: those of one stack and one kind, of all processes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/habits.h"
#include "reader/io_habits.h"
#include "reader/io_reports.h"
#include "reader/rowstack.h"
#include "trace/io_ops.h"

/* A site of the model; the first of a group becomes the row. */
struct row {
    uint64_t id;
    uint8_t op;
    uint32_t site; /* index */
    struct path_site made;
};

static int compare_rows(const void *a_, const void *b_)
{
    const struct row *const a = a_, *const b = b_;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    if (a->op != b->op)
        return a->op < b->op ? -1 : 1;
    return (a->site > b->site) - (a->site < b->site);
}

static int compare_made(const void *a_, const void *b_)
{
    const struct row *const a = a_, *const b = b_;
    if (a->made.calls != b->made.calls)
        return a->made.calls > b->made.calls ? -1 : 1;
    return compare_rows(a, b);
}

/* Calls that named a path again; what a site named first is told apart by process. */
static uint64_t repeated_calls(const struct path_sites_site *site)
{
    const uint64_t n_followed = subtract_floored(site->calls, site->n_unfollowed);
    return subtract_floored(n_followed, path_sites_n_paths(site));
}

static void add_counts(const struct analysis *analysis, struct path_site *made,
                       const struct path_sites_site *site)
{
    made->calls += site->calls;
    made->failed += site->failed;
    made->repeated_calls += repeated_calls(site);
    made->seconds += io_reports_seconds(analysis, site->ticks);
}

/* All paths of another site, too, in the first one. */
static int join(struct path_sites_site *first, const struct path_sites_site *other)
{
    int error = other->n_zeros > first->n_zeros ? path_sites_thin(first, other->n_zeros) : 0;
    for (size_t i = 0; i < other->paths.n_slots && error == 0; i++) {
        const struct idmap_entry *const entry = &other->paths.entries[i];
        if (entry->value)
            error = path_sites_count(first, (uint32_t)entry->key, entry->value);
    }
    if (error == 0 && other->favourite_calls > first->favourite_calls) {
        first->favourite = other->favourite;
        first->favourite_calls = other->favourite_calls;
    }
    return error;
}

static int make_row(const struct rowstacks *all, const struct row *rows, size_t n_rows,
                    struct path_site *made)
{
    const struct analysis *const analysis = all->analysis;
    struct path_sites_site *const sites = analysis->model->io.habits->paths.sites;
    struct path_sites_site *const first = &sites[rows[0].site];
    const struct rowstack stack = {.node = first->node};
    struct rowstack_frames shown;
    int error = rowstacks_list(all, &stack, &shown);
    *made = (struct path_site){.op = io_op_kernel_call(first->op)};
    for (size_t i = 0; i < n_rows && error == 0; i++) {
        add_counts(analysis, made, &sites[rows[i].site]);
        error = i ? join(first, &sites[rows[i].site]) : 0;
    }
    if (error)
        return error;
    made->n_frames = shown.n_frames;
    made->frames = shown.frames;
    made->place = shown.place;
    made->path = io_reports_path(analysis, first->favourite);
    made->path_calls = first->favourite_calls;
    made->n_paths = path_sites_n_paths(first);
    return 0;
}

/* Make each group's row in its first element, and move these to the front. */
static int make_rows(const struct rowstacks *all, struct row *rows, size_t n_rows, size_t *n_out)
{
    size_t n = 0;
    int error = 0;
    for (size_t i = 0, end; i < n_rows && error == 0; i = end) {
        for (end = i + 1; end < n_rows && rows[end].id == rows[i].id && rows[end].op == rows[i].op;)
            end++;
        error = make_row(all, &rows[i], end - i, &rows[i].made);
        rows[n++] = rows[i];
    }
    *n_out = n;
    return error;
}

static int keep_rows(struct analysis *analysis, const struct row *rows, size_t n)
{
    struct path_site *const sites = storage_array(analysis->storage, n, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sites[i] = rows[i].made;
    analysis->profile->path_sites = sites;
    analysis->profile->n_path_sites = n;
    return 0;
}

int path_sites_analyse(struct analysis *analysis)
{
    const struct io_habits_book *const book = analysis->model->io.habits;
    const size_t n_sites = book ? book->paths.n_sites : 0;
    size_t n = 0;
    if (n_sites == 0)
        return 0;
    struct row *const rows = calloc(n_sites, sizeof *rows);
    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < n_sites; i++)
        rows[i] = (struct row){
            .id = rowstacks_id(analysis->rowstacks, book->paths.sites[i].node),
            .op = book->paths.sites[i].op,
            .site = (uint32_t)i,
        };
    qsort(rows, n_sites, sizeof *rows, compare_rows);
    int error = make_rows(analysis->rowstacks, rows, n_sites, &n);
    if (error == 0) {
        qsort(rows, n, sizeof *rows, compare_made);
        error = keep_rows(analysis, rows, n);
    }
    free(rows);
    return error;
}
