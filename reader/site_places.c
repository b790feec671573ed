/* SPDX-License-Identifier: MIT */
/* What do all stacks that lead to one line of the user's code allocate together? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/habits_merge.h"
#include "reader/lines.h"
#include "reader/members.h"

/* Counts alone: a site has no rates. */
static void add_metrics(struct metrics *to, const struct metrics *from)
{
    static const size_t added[] = {
        offsetof(struct metrics, alloc_count),     offsetof(struct metrics, realloc_count),
        offsetof(struct metrics, free_count),      offsetof(struct metrics, alloc_bytes),
        offsetof(struct metrics, peak_bytes),      offsetof(struct metrics, peak_count),
        offsetof(struct metrics, leaked_count),    offsetof(struct metrics, leaked_bytes),
        offsetof(struct metrics, temporary_count), offsetof(struct metrics, slack_bytes),
        offsetof(struct metrics, copied_bytes),    offsetof(struct metrics, events),
    };
    members_add(to, from, added, sizeof added / sizeof *added);
}

/* Count whose threads allocated here. */
static int count_processes(const struct analysis *analysis, const struct idmap *threads,
                           struct site *place)
{
    const struct model_io *const io = &analysis->model->io;
    struct idmap numbers = {0}; /* process -> its threads */
    int error = 0;
    place->most_threads = 0;
    for (size_t i = 0; i < threads->n_slots && error == 0; i++) {
        const struct idmap_entry *const thread = &threads->entries[i];
        if (thread->value == 0 || thread->key >= io->n_threads)
            continue;
        const uint32_t image = io->threads[thread->key].image;
        const uint32_t process = model_image(analysis->model, image)->process;
        const uint32_t n = idmap_get(&numbers, process) + 1;
        if (n > place->most_threads)
            place->most_threads = n;
        error = idmap_put(&numbers, process, n);
    }
    place->n_processes = (uint32_t)numbers.n_used;
    idmap_fini(&numbers);
    return error;
}

/* Add what members[1..n) did to a copy of the first, which has the most calls. */
static int sum_up(const struct analysis *analysis, const uint32_t *members, uint32_t n,
                  struct site *place)
{
    const struct site *const sites = analysis->profile->sites;
    struct site_habits *const habits = storage_new(analysis->storage, sizeof *habits);
    struct model_site sum = {0};
    int error = habits ? 0 : -ENOMEM;
    if (error == 0)
        error = habits_merge(analysis->storage, habits, sites[members[0]].habits);
    for (uint32_t i = 0; i < n && error == 0; i++) {
        const struct site *const site = &sites[members[i]];
        error = rows_join(&sum, model_site(analysis->model, analysis->site_sources[members[i]]));
        if (i == 0 || error)
            continue;
        add_metrics(&place->metrics, &site->metrics);
        place->max_live_count += site->max_live_count;
        place->max_live_bytes = add_capped(place->max_live_bytes, site->max_live_bytes);
        error = habits_merge(analysis->storage, habits, site->habits);
    }
    if (error == 0) {
        place->habits = habits;
        rows_describe(analysis, &sum, place);
        error = count_processes(analysis, &sum.threads, place);
    }
    model_site_fini(&sum);
    return error;
}

static int make_place(const struct analysis *analysis, const struct lines_groups *groups,
                      uint32_t group, struct site *place)
{
    const uint32_t *const members = &groups->members[groups->first[group]];
    const uint32_t n = groups->n_members[group];
    uint32_t *const stacks = storage_array(analysis->storage, n, sizeof *stacks);
    if (!stacks)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        stacks[i] = members[i];
    *place = analysis->profile->sites[members[0]];
    place->place = lines_place(analysis, place->frames, place->n_frames, place->place);
    place->n_stacks = n;
    place->stacks = stacks;
    if (n > 1)
        return sum_up(analysis, members, n, place);
    const uint32_t source = analysis->site_sources[members[0]];
    return count_processes(analysis, &model_site(analysis->model, source)->threads, place);
}

/* Most calls first, as sites are; then by the first stack's id. */
static int compare(const void *a_, const void *b_)
{
    const struct site *const a = a_, *const b = b_;
    const uint64_t calls_a = a->metrics.alloc_count + a->metrics.realloc_count;
    const uint64_t calls_b = b->metrics.alloc_count + b->metrics.realloc_count;
    if (calls_a != calls_b)
        return calls_a > calls_b ? -1 : 1;
    return strcmp(a->id, b->id);
}

static int make_places(struct analysis *analysis, const struct lines_groups *groups)
{
    struct profile *const profile = analysis->profile;
    struct site *const places = storage_array(analysis->storage, groups->n_groups, sizeof *places);
    int error = places ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < groups->n_groups && error == 0; i++)
        error = make_place(analysis, groups, i, &places[i]);
    if (error)
        return error;
    if (groups->n_groups)
        qsort(places, groups->n_groups, sizeof *places, compare);
    profile->places = places;
    profile->n_places = groups->n_groups;
    return 0;
}

int site_places_analyse(struct analysis *analysis)
{
    const struct profile *const profile = analysis->profile;
    const uint32_t n = (uint32_t)profile->n_sites;
    struct lines_groups groups;
    if (!analysis->options->habits)
        return 0;
    uint64_t *const keys = calloc(n + (size_t)1, sizeof *keys);
    int error = keys ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < n && error == 0; i++) {
        const struct site *const site = &profile->sites[i];
        keys[i] = lines_key(analysis, site->frames, site->n_frames,
                            lines_place(analysis, site->frames, site->n_frames, site->place));
    }
    if (error == 0)
        error = lines_group(keys, n, &groups);
    free(keys);
    if (error)
        return error;
    error = make_places(analysis, &groups);
    lines_groups_fini(&groups);
    return error;
}
