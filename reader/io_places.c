/* SPDX-License-Identifier: MIT */
/* What do all stacks that lead to one line of the user's code read and write together? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/hash.h"
#include "reader/io_reports.h"
#include "reader/lines.h"
#include "reader/members.h"

/* ---- habits ---- */

static void merge_before(struct io_before *to, const struct io_before *from)
{
    if (!to->site || from->count > to->count)
        to->site = from->site;
    to->count += from->count;
}

static void merge_habits(struct io_habits *to, const struct io_habits *from)
{
    static const size_t added[] = {
        offsetof(struct io_habits, adjacent_bytes),
        offsetof(struct io_habits, answer_calls),
        offsetof(struct io_habits, reply_bytes),
        offsetof(struct io_habits, request_bytes),
        offsetof(struct io_habits, after_seek_calls),
        offsetof(struct io_habits, synced_calls),
        offsetof(struct io_habits, backward_calls),
        offsetof(struct io_habits, reread_bytes),
        offsetof(struct io_habits, whole_file_calls),
        offsetof(struct io_habits, copied_elsewhere_calls),
    };
    members_add(to, from, added, sizeof added / sizeof *added);
    merge_before(&to->adjacent, &from->adjacent);
    merge_before(&to->reply, &from->reply);
    to->reply_seconds += from->reply_seconds;
    to->synced_seconds += from->synced_seconds;
    if (from->whole_file_bytes > to->whole_file_bytes)
        to->whole_file_bytes = from->whole_file_bytes;
    if (from->longest_dry_run > to->longest_dry_run)
        to->longest_dry_run = from->longest_dry_run;
    if (from->longest_seconds > to->longest_seconds)
        to->longest_seconds = from->longest_seconds;
    if (strcmp(to->thread, from->thread) != 0)
        to->thread = "";
}

/* ---- places ---- */

static int sum_up(const struct analysis *analysis, const uint32_t *members, uint32_t n,
                  struct io_site *place)
{
    const struct io_site *const sites = analysis->profile->io_sites;
    const struct model_io *const io = &analysis->model->io;
    const struct model_io_site *const first = io_site(io, analysis->io_site_sources[members[0]]);
    struct io_habits *const habits = storage_new(analysis->storage, sizeof *habits);
    struct model_io_site sum = {.op = first->op, .layer = first->layer};
    if (!habits)
        return -ENOMEM;
    *habits = *place->habits;
    int error = io_reports_join(&sum, first);
    for (uint32_t i = 1; i < n && error == 0; i++) {
        error = io_reports_join(&sum, io_site(io, analysis->io_site_sources[members[i]]));
        place->inner_allocs = add_capped(place->inner_allocs, sites[members[i]].inner_allocs);
        merge_habits(habits, sites[members[i]].habits);
    }
    place->habits = habits;
    io_reports_describe(analysis, &sum, place);
    io_model_site_fini(&sum);
    return error;
}

static int make_place(const struct analysis *analysis, const struct lines_groups *groups,
                      uint32_t group, struct io_site *place)
{
    const uint32_t *const members = &groups->members[groups->first[group]];
    const uint32_t n = groups->n_members[group];
    uint32_t *const stacks = storage_array(analysis->storage, n, sizeof *stacks);
    if (!stacks)
        return -ENOMEM;
    memcpy(stacks, members, n * sizeof *stacks);
    *place = analysis->profile->io_sites[members[0]];
    place->place = lines_place(analysis, place->frames, place->n_frames, place->place);
    place->n_stacks = n;
    place->stacks = stacks;
    return n > 1 ? sum_up(analysis, members, n, place) : 0;
}

/* Tell of each row which place it belongs to. */
static int point_to_places(const struct analysis *analysis)
{
    struct profile *const profile = analysis->profile;
    uint32_t *const place_of =
        storage_array(analysis->storage, profile->n_io_sites, sizeof *place_of);
    if (!place_of)
        return -ENOMEM;
    for (uint32_t i = 0; i < profile->n_io_places; i++)
        for (uint32_t j = 0; j < profile->io_places[i].n_stacks; j++)
            place_of[profile->io_places[i].stacks[j]] = i;
    profile->io_place_of = place_of;
    return 0;
}

static int make_places(struct analysis *analysis, const struct lines_groups *groups)
{
    struct profile *const profile = analysis->profile;
    struct io_site *const places =
        storage_array(analysis->storage, groups->n_groups, sizeof *places);
    int error = places ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < groups->n_groups && error == 0; i++)
        error = make_place(analysis, groups, i, &places[i]);
    if (error)
        return error;
    if (groups->n_groups)
        qsort(places, groups->n_groups, sizeof *places, io_reports_compare);
    profile->io_places = places;
    profile->n_io_places = groups->n_groups;
    return point_to_places(analysis);
}

/* The same line may make calls of several kinds, each a place of its own. */
static uint64_t key_of(const struct analysis *analysis, const struct io_site *site)
{
    const uint32_t place = lines_place(analysis, site->frames, site->n_frames, site->place);
    const uint64_t line = lines_key(analysis, site->frames, site->n_frames, place);
    return hash_pair(hash_pair(line, site->layer), hash_bytes(site->op, strlen(site->op)));
}

int io_places_analyse(struct analysis *analysis)
{
    const struct profile *const profile = analysis->profile;
    const uint32_t n = (uint32_t)profile->n_io_sites;
    struct lines_groups groups;
    if (!analysis->model->io.habits || n == 0)
        return 0;
    uint64_t *const keys = calloc(n, sizeof *keys);
    if (!keys)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        keys[i] = key_of(analysis, &profile->io_sites[i]);
    int error = lines_group(keys, n, &groups);
    free(keys);
    if (error)
        return error;
    error = make_places(analysis, &groups);
    lines_groups_fini(&groups);
    return error;
}
