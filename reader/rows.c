/* SPDX-License-Identifier: MIT */
/* Which rows a report has: the sites of all processes, those of the same stack made one. "The same"
 * is decided after the frames that only ask for memory were left out, by module name, build-id and
 * offset, so the same run elsewhere gives the same ids. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/classify.h"
#include "reader/hash.h"

/* A site with its stack without the allocator's frames. */
struct row {
    uint64_t id;
    uint32_t site;
    uint32_t node;        /* innermost one kept */
    uint32_t first_frame; /* frames of that node to leave out: inlined operator new */
};

/* How many of a node's frames, from its innermost, are the allocator's. */
static uint32_t count_allocator_frames(const struct analysis *analysis, uint32_t id,
                                       const struct model_image *image)
{
    const struct analysis_node *const node = &analysis->nodes[id - 1];
    uint32_t n = 0;
    while (n < node->n_frames && classify_is_allocator(&analysis->frames[node->first_frame + n],
                                                       image->allocator, image->executable))
        n++;
    return n;
}

/* Find where the caller's part of a stack begins. A stack of allocator frames alone stays whole. */
static void strip(const struct analysis *analysis, struct row *row)
{
    const struct model *const model = analysis->model;
    const struct model_site *const site = model_site(analysis->model, row->site);
    const uint32_t image = model_process(model, site->process)->image;
    row->node = site->node;
    for (uint32_t id = site->node; id && image; id = stacks_at(&model->stacks, id)->parent) {
        const uint32_t n = count_allocator_frames(analysis, id, model_image(model, image));
        if (n == analysis->nodes[id - 1].n_frames)
            continue;
        row->node = id;
        row->first_frame = n;
        return;
    }
}

/* What a module's name and its build-id contribute to the ids of its frames, by object number;
 * [0] is for addresses in no module. */
struct object_hash {
    uint64_t name, build_id;
};

static struct object_hash *hash_objects(const struct model *model)
{
    const uint32_t n = model->stacks.n_objects;
    struct object_hash *const hashes = calloc(n + (size_t)1, sizeof *hashes);
    for (uint32_t i = 0; i <= n && hashes; i++) {
        const struct stack_object none = {0};
        const struct stack_object *const object = i ? &model->stacks.objects[i - 1] : &none;
        const char *const name = classify_basename(strtab_text(&model->texts, object->path));
        const char *const build_id = strtab_text(&model->texts, object->build_id);
        hashes[i] = (struct object_hash){.name = hash_bytes(name, strlen(name)),
                                         .build_id = hash_bytes(build_id, strlen(build_id))};
    }
    return hashes;
}

static uint64_t identify(const struct analysis *analysis, const struct object_hash *hashes,
                         uint32_t node)
{
    uint64_t id = UINT64_C(0x68656170776973);
    for (; node; node = stacks_at(&analysis->model->stacks, node)->parent) {
        const struct analysis_place place = analysis_place(analysis, node);
        id = hash_pair(id, hashes[place.object].name);
        id = hash_pair(id, hashes[place.object].build_id);
        id = hash_pair(id, place.offset);
    }
    return id;
}

static int compare_rows(const void *a_, const void *b_)
{
    const struct row *const a = a_, *const b = b_;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->site > b->site) - (a->site < b->site);
}

/* Write a stack's frame numbers, innermost first; frames_out NULL: only count them. */
static uint32_t list_frames(const struct analysis *analysis, const struct row *row,
                            uint32_t *frames_out)
{
    uint32_t n = 0, skipped = row->first_frame;
    for (uint32_t id = row->node; id; id = stacks_at(&analysis->model->stacks, id)->parent) {
        const struct analysis_node *const node = &analysis->nodes[id - 1];
        for (uint32_t i = skipped; i < node->n_frames; i++, n++)
            if (frames_out)
                frames_out[n] = node->first_frame + i;
        skipped = 0;
    }
    return n;
}

static int set_frames(const struct analysis *analysis, const struct row *row, struct site *site)
{
    const uint32_t n = list_frames(analysis, row, NULL);
    uint32_t *const frames = storage_array(analysis->storage, n, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    list_frames(analysis, row, frames);
    site->n_frames = n;
    site->frames = frames;
    for (uint32_t i = 0; i < n; i++) {
        if (classify_is_runtime(&analysis->frames[frames[i]]))
            continue;
        site->place = i;
        break;
    }
    return 0;
}

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

/* Gather threads and distributions in the group's first site, which no one needs alone any more. */
static int gather(const struct analysis *analysis, const struct row *rows, size_t n_rows)
{
    struct model_site *const first = model_site(analysis->model, rows[0].site);
    for (size_t i = 1; i < n_rows; i++) {
        const struct model_site *const other = model_site(analysis->model, rows[i].site);
        int error = histogram_merge(&first->sizes, &other->sizes);
        if (error == 0)
            error = histogram_merge(&first->lifetime_ticks, &other->lifetime_ticks);
        if (error == 0)
            error = histogram_merge(&first->alloc_call_ticks, &other->alloc_call_ticks);
        if (error == 0)
            error = histogram_merge(&first->free_call_ticks, &other->free_call_ticks);
        for (size_t j = 0; j < other->threads.n_slots && error == 0; j++)
            if (other->threads.entries[j].value)
                error = idmap_put(&first->threads, other->threads.entries[j].key, 1);
        if (error)
            return error;
    }
    return 0;
}

static int make_site(const struct analysis *analysis, const struct row *rows, size_t n_rows,
                     struct site *site)
{
    int error = set_frames(analysis, &rows[0], site);
    if (error == 0)
        error = gather(analysis, rows, n_rows);
    if (error)
        return error;
    const struct model_site *const first = model_site(analysis->model, rows[0].site);
    snprintf(site->id, sizeof site->id, "%016llx", (unsigned long long)rows[0].id);
    for (size_t i = 0; i < n_rows; i++)
        add_counts(analysis, &site->metrics, model_site(analysis->model, rows[i].site));
    add_max_live(analysis, site, rows, n_rows);
    site->n_threads = (uint32_t)first->threads.n_used;
    site->sizes = histogram_quantiles(&first->sizes, 1);
    const double scale = analysis->ns_per_tick;
    site->lifetime_ns = histogram_quantiles(&first->lifetime_ticks, scale);
    site->alloc_call_ns = histogram_quantiles(&first->alloc_call_ticks, scale);
    site->free_call_ns = histogram_quantiles(&first->free_call_ticks, scale);
    return 0;
}

static int compare_sites(const void *a_, const void *b_)
{
    const struct site *const a = a_, *const b = b_;
    const uint64_t a_calls = a->metrics.alloc_count + a->metrics.realloc_count;
    const uint64_t b_calls = b->metrics.alloc_count + b->metrics.realloc_count;
    if (a_calls != b_calls)
        return a_calls > b_calls ? -1 : 1;
    return strcmp(a->id, b->id);
}

static int make_sites(struct analysis *analysis, const struct row *rows, size_t n_rows)
{
    size_t n_sites = 0;
    for (size_t i = 0; i < n_rows; i++)
        n_sites += i == 0 || rows[i].id != rows[i - 1].id;
    struct site *const sites = storage_array(analysis->storage, n_sites, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    size_t n_made = 0;
    for (size_t i = 0, end; i < n_rows; i = end) {
        for (end = i + 1; end < n_rows && rows[end].id == rows[i].id;)
            end++;
        const int error = make_site(analysis, &rows[i], end - i, &sites[n_made++]);
        if (error)
            return error;
    }
    if (n_sites)
        qsort(sites, n_sites, sizeof *sites, compare_sites);
    analysis->profile->sites = sites;
    analysis->profile->n_sites = n_sites;
    return 0;
}

int rows_analyse(struct analysis *analysis)
{
    struct model *const model = analysis->model;
    struct object_hash *const hashes = hash_objects(model);
    struct row *const rows = calloc(model->n_sites + (size_t)1, sizeof *rows);
    size_t n_rows = 0;
    int error = hashes && rows ? 0 : -ENOMEM;
    for (uint32_t i = 1; i <= model->n_sites && error == 0; i++) {
        if (!model_shows(model, model_site(model, i)->process))
            continue;
        struct row *const row = &rows[n_rows++];
        row->site = i;
        strip(analysis, row);
        row->id = identify(analysis, hashes, row->node);
    }
    if (n_rows)
        qsort(rows, n_rows, sizeof *rows, compare_rows);
    if (error == 0)
        error = make_sites(analysis, rows, n_rows);
    free(rows);
    free(hashes);
    return error;
}
