/* SPDX-License-Identifier: MIT */
/* Which rows a report has: the sites of all processes, those of the same stack made one. "The same"
 * is decided after the frames that only ask for memory were left out, by module name, build-id and
 * offset, so the same run elsewhere gives the same ids. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/classify.h"
#include "reader/hash.h"
#include "reader/keysort.h"

/* A site with its stack without the allocator's frames. */
struct row {
    uint64_t id;
    uint32_t site;
    uint32_t node;        /* innermost one kept */
    uint32_t first_frame; /* frames of that node to leave out: inlined operator new */
};

/* What a call contributes to every stack through it, found out once. */
struct call_facts {
    uint64_t name, build_id, offset; /* to the stack's id: second halves of hash_pair() */
    uint32_t n_allocator;            /* of its frames, from the innermost: the allocator's */
    uint32_t asker;                  /* of rows, that this was found out for */
};

/* What all rows need. */
struct rows {
    const struct analysis *analysis;
    struct call_facts *calls; /* as analysis.calls */
    bool *is_runtime;         /* by frame */
    const char *allocator, *executable;
    uint32_t asker; /* counts how often those two changed */
};

/* How many of a call's frames, from its innermost, are the allocator's of rows->allocator. */
static uint32_t count_allocator_frames(struct rows *rows, uint32_t number)
{
    const struct analysis_call *const call = &rows->analysis->calls[number];
    struct call_facts *const facts = &rows->calls[number];
    if (facts->asker == rows->asker)
        return facts->n_allocator;
    uint32_t n = 0;
    while (n < call->n_frames &&
           classify_is_allocator(&rows->analysis->frames[call->first_frame + n], rows->allocator,
                                 rows->executable))
        n++;
    facts->asker = rows->asker;
    return facts->n_allocator = n;
}

/* Turn to the process whose allocator decides. Texts are kept once, so pointers tell them apart. */
static void ask_for(struct rows *rows, const struct model_image *image)
{
    if (rows->allocator == image->allocator && rows->executable == image->executable)
        return;
    rows->allocator = image->allocator;
    rows->executable = image->executable;
    rows->asker++;
}

/* Find where the caller's part of a stack begins. A stack of allocator frames alone stays whole. */
static void strip(struct rows *rows, struct row *row)
{
    const struct analysis *const analysis = rows->analysis;
    const struct model *const model = analysis->model;
    const struct model_site *const site = model_site(analysis->model, row->site);
    const uint32_t image = model_process(model, site->process)->image;
    row->node = site->node;
    if (!image)
        return;
    ask_for(rows, model_image(model, image));
    for (uint32_t id = site->node; id; id = stacks_at(&model->stacks, id)->parent) {
        const uint32_t call = analysis_call_at(analysis, id);
        const uint32_t n = count_allocator_frames(rows, call);
        if (n == analysis->calls[call].n_frames)
            continue;
        row->node = id;
        row->first_frame = n;
        return;
    }
}

static uint64_t second_of_text(const struct rows *rows, uint32_t id)
{
    const char *const text = strtab_text(&rows->analysis->model->texts, id);
    return hash_second(hash_bytes(text, strlen(text)));
}

static uint64_t second_of_base(const struct rows *rows, uint32_t path)
{
    const char *const name = classify_basename(strtab_text(&rows->analysis->model->texts, path));
    return hash_second(hash_bytes(name, strlen(name)));
}

static int rows_init(struct rows *rows, const struct analysis *analysis)
{
    *rows = (struct rows){.analysis = analysis, .asker = 1, .allocator = "", .executable = ""};
    rows->calls = calloc(analysis->n_calls + (size_t)1, sizeof *rows->calls);
    rows->is_runtime = calloc(analysis->n_frames + (size_t)1, sizeof *rows->is_runtime);
    if (!rows->calls || !rows->is_runtime)
        return -ENOMEM;
    for (uint32_t i = 0; i < analysis->n_calls; i++) {
        const struct analysis_place *const place = &analysis->calls[i].place;
        rows->calls[i] = (struct call_facts){.name = second_of_base(rows, place->path),
                                             .build_id = second_of_text(rows, place->build_id),
                                             .offset = hash_second(place->offset)};
    }
    for (uint32_t i = 0; i < analysis->n_frames; i++)
        rows->is_runtime[i] = classify_is_runtime(&analysis->frames[i]);
    return 0;
}

static void rows_fini(struct rows *rows)
{
    free(rows->calls);
    free(rows->is_runtime);
}

static uint64_t identify(const struct rows *rows, uint32_t node)
{
    const struct stacks *const stacks = &rows->analysis->model->stacks;
    uint64_t id = UINT64_C(0x68656170776973);
    for (; node; node = stacks_at(stacks, node)->parent) {
        const struct call_facts *const call = &rows->calls[analysis_call_at(rows->analysis, node)];
        id = hash_join(id, call->name);
        id = hash_join(id, call->build_id);
        id = hash_join(id, call->offset);
    }
    return id;
}

/* Write a stack's frame numbers, innermost first; frames_out NULL: only count them. */
static uint32_t list_frames(const struct analysis *analysis, const struct row *row,
                            uint32_t *frames_out)
{
    uint32_t n = 0, skipped = row->first_frame;
    for (uint32_t id = row->node; id; id = stacks_at(&analysis->model->stacks, id)->parent) {
        const struct analysis_call *const call = &analysis->calls[analysis_call_at(analysis, id)];
        for (uint32_t i = skipped; i < call->n_frames; i++, n++)
            if (frames_out)
                frames_out[n] = call->first_frame + i;
        skipped = 0;
    }
    return n;
}

static int set_frames(const struct rows *rows, const struct row *row, struct site *site)
{
    const struct analysis *const analysis = rows->analysis;
    const uint32_t n = list_frames(analysis, row, NULL);
    uint32_t *const frames = storage_array(analysis->storage, n, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    list_frames(analysis, row, frames);
    site->n_frames = n;
    site->frames = frames;
    for (uint32_t i = 0; i < n; i++) {
        if (rows->is_runtime[frames[i]])
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

static void write_id(uint64_t id, char text[17])
{
    for (unsigned i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[id >> (60 - 4 * i) & 15];
    text[16] = 0;
}

static int make_site(const struct rows *all, const struct row *rows, size_t n_rows,
                     struct site *site)
{
    const struct analysis *const analysis = all->analysis;
    int error = set_frames(all, &rows[0], site);
    if (error == 0)
        error = gather(analysis, rows, n_rows);
    if (error)
        return error;
    const struct model_site *const first = model_site(analysis->model, rows[0].site);
    write_id(rows[0].id, site->id);
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

static int make_sites(const struct rows *all, const struct row *rows, size_t n_rows,
                      struct keysort_item *groups)
{
    struct profile *const profile = all->analysis->profile;
    size_t n_sites = 0;
    int error = group(all->analysis, rows, n_rows, groups, &n_sites);
    struct site *const sites =
        error ? NULL : storage_array(all->analysis->storage, n_sites, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    for (size_t i = 0; i < n_sites && error == 0; i++)
        error = make_site(all, &rows[groups[i].value], groups[i].extra, &sites[i]);
    profile->sites = sites;
    profile->n_sites = n_sites;
    return error;
}

/* List the rows by id, then by site; `items` is room for as many. Returns 0 or -ENOMEM. */
static int list_rows(struct rows *all, struct row *rows, struct keysort_item *items, size_t *n_out)
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
        strip(all, row);
        row->id = identify(all, row->node);
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
    struct rows all;
    const size_t n_most = analysis->model->n_sites + (size_t)1;
    struct row *const rows = calloc(n_most, sizeof *rows);
    struct keysort_item *const items = calloc(n_most, sizeof *items);
    size_t n_rows = 0;
    int error = rows_init(&all, analysis);
    if (!rows || !items)
        error = -ENOMEM;
    if (error == 0)
        error = list_rows(&all, rows, items, &n_rows);
    if (error == 0)
        error = make_sites(&all, rows, n_rows, items);
    free(items);
    free(rows);
    rows_fini(&all);
    return error;
}
