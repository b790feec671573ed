/* SPDX-License-Identifier: MIT */
/* Which call stacks share their outer part, and how much do they add up to? */
#include "report/calltree.h"

#include "report/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Key of a path that has ended. */
#define NO_FRAME UINT32_MAX

struct calltree {
    const struct profile *profile;
    uint32_t *same; /* per frame: rank of its place; equal ranks are the same place */
    bool *startup;  /* per frame: belongs to the C start-up code */
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Order of places; 0 when they are the same. */
static int compare_places(const struct profile_frame *a, const struct profile_frame *b)
{
    int order = strcmp(a->function, b->function);
    if (order == 0)
        order = strcmp(a->file, b->file);
    if (order == 0)
        order = compare_numbers(a->line, b->line);
    if (order == 0 && !a->file[0])
        order = strcmp(a->module, b->module);
    if (order == 0 && !a->function[0])
        order = compare_numbers(a->offset, b->offset);
    if (order == 0)
        order = compare_numbers(a->inlined, b->inlined);
    return order;
}

static int compare_frame_indices(const void *a, const void *b, void *profile)
{
    const struct profile_frame *frames = ((const struct profile *)profile)->frames;
    return compare_places(&frames[*(const uint32_t *)a], &frames[*(const uint32_t *)b]);
}

static bool is_startup(const char *function)
{
    static const char *const names[] = {"_start",
                                        "__libc_start_call_main",
                                        "__libc_start_main_impl",
                                        "__libc_start_main",
                                        "start_thread",
                                        "__clone3",
                                        "clone3",
                                        "__clone",
                                        "clone",
                                        "__GI___clone",
                                        "_dl_start_user"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(function, names[i]) == 0)
            return true;
    return false;
}

static bool is_in_libc(const struct profile_frame *frame)
{
    const char *const slash = strrchr(frame->module, '/');
    return strncmp(slash ? slash + 1 : frame->module, "libc.so.", 8) == 0;
}

static const struct profile_frame *frame_of(const struct profile *profile, uint32_t index)
{
    return index < profile->n_frames ? &profile->frames[index] : NULL;
}

/* A stripped libc does not name what calls main: it is known by its place. */
static void find_unnamed_startup(struct calltree *tree)
{
    const struct profile *const profile = tree->profile;
    for (size_t i = 0; i < profile->n_sites; i++) {
        const struct site *const site = &profile->sites[i];
        for (uint32_t k = 0; k + 1 < site->n_frames; k++) {
            const struct profile_frame *const frame = frame_of(profile, site->frames[k]);
            const struct profile_frame *const caller = frame_of(profile, site->frames[k + 1]);
            if (frame && caller && !caller->function[0] && is_in_libc(caller) &&
                strcmp(frame->function, "main") == 0)
                tree->startup[site->frames[k + 1]] = true;
        }
    }
}

static void rank_frames(struct calltree *tree, uint32_t *order)
{
    const struct profile *profile = tree->profile;
    for (size_t i = 0; i < profile->n_frames; i++) {
        order[i] = (uint32_t)i;
        tree->startup[i] = is_startup(profile->frames[i].function);
    }
    find_unnamed_startup(tree);
    qsort_r(order, profile->n_frames, sizeof *order, compare_frame_indices, (void *)profile);
    uint32_t rank = 0;
    for (size_t i = 0; i < profile->n_frames; i++) {
        if (i > 0 && compare_frame_indices(&order[i - 1], &order[i], (void *)profile) != 0)
            rank++;
        tree->same[order[i]] = rank;
    }
}

int calltree_new(const struct profile *profile, struct calltree **tree_out)
{
    const size_t n = profile->n_frames + 1;
    struct calltree *tree = calloc(1, sizeof *tree);
    uint32_t *order = calloc(n, sizeof *order);
    int result = -ENOMEM;
    if (!tree || !order)
        goto done;
    tree->profile = profile;
    tree->same = calloc(n, sizeof *tree->same);
    tree->startup = calloc(n, sizeof *tree->startup);
    if (!tree->same || !tree->startup)
        goto done;
    rank_frames(tree, order);
    *tree_out = tree;
    tree = NULL;
    result = 0;
done:
    calltree_free(tree);
    free(order);
    return result;
}

void calltree_free(struct calltree *tree)
{
    if (!tree)
        return;
    free(tree->same);
    free(tree->startup);
    free(tree);
}

/* Index in profile.frames of the frame `depth` steps out of the site's place, or NO_FRAME. */
static uint32_t frame_at(const struct calltree *tree, const struct site *site, size_t depth)
{
    const size_t place = site->place < site->n_frames ? site->place : 0;
    if (depth >= site->n_frames - place)
        return NO_FRAME;
    const size_t at = place + depth;
    const uint32_t frame = site->frames[at];
    if (frame >= tree->profile->n_frames)
        return NO_FRAME;
    if (depth == 0)
        return frame;
    /* Start-up code is at most the outermost few frames; one of its names further in is a user's. */
    const size_t outermost = site->n_frames > 4 ? site->n_frames - 4 : 0;
    for (size_t i = outermost > place ? outermost : place + 1; i <= at; i++)
        if (site->frames[i] < tree->profile->n_frames && tree->startup[site->frames[i]])
            return NO_FRAME;
    return frame;
}

static uint32_t key_at(const struct calltree *tree, const struct site *site, size_t depth)
{
    const uint32_t frame = frame_at(tree, site, depth);
    return frame == NO_FRAME ? NO_FRAME : tree->same[frame];
}

size_t calltree_fork(const struct calltree *tree, const struct site *a, const struct site *b)
{
    for (size_t depth = 0;; depth++) {
        const uint32_t key = key_at(tree, a, depth);
        if (key != key_at(tree, b, depth))
            return depth;
        if (key == NO_FRAME)
            return SIZE_MAX;
    }
}

/* The same place for a frame inside of the site's own. */
static uint32_t inside_key_at(const struct calltree *tree, const struct site *site, size_t steps)
{
    if (site->place >= site->n_frames || steps > site->place)
        return NO_FRAME;
    const uint32_t frame = site->frames[site->place - steps];
    return frame < tree->profile->n_frames ? tree->same[frame] : NO_FRAME;
}

size_t calltree_fork_inside(const struct calltree *tree, const struct site *a, const struct site *b)
{
    for (size_t steps = 1;; steps++) {
        const uint32_t key = inside_key_at(tree, a, steps);
        if (key != inside_key_at(tree, b, steps))
            return steps;
        if (key == NO_FRAME)
            return SIZE_MAX;
    }
}

static int compare_paths(const void *a, const void *b, void *context)
{
    const struct calltree *tree = context;
    const struct site *left = *(const struct site *const *)a;
    const struct site *right = *(const struct site *const *)b;
    for (size_t depth = 0;; depth++) {
        const uint32_t l = key_at(tree, left, depth), r = key_at(tree, right, depth);
        if (l != r)
            return l < r ? -1 : 1;
        if (l == NO_FRAME)
            return compare_numbers((uintptr_t)left, (uintptr_t)right);
    }
}

void calltree_sort(const struct calltree *tree, const struct site **sites, size_t n)
{
    if (n > 1)
        qsort_r(sites, n, sizeof *sites, compare_paths, (void *)tree);
}

const struct profile_frame *calltree_frame(const struct calltree *tree,
                                           const struct calltree_range *range, size_t depth)
{
    const uint32_t frame = frame_at(tree, range->sites[0], depth);
    return frame == NO_FRAME ? NULL : &tree->profile->frames[frame];
}

bool calltree_is_chain(const struct calltree *tree, const struct calltree_range *range)
{
    const size_t next = range->depth + 1;
    return key_at(tree, range->sites[0], next) == key_at(tree, range->sites[range->n - 1], next);
}

bool calltree_same_inside(const struct calltree *tree, const struct site *a, const struct site *b)
{
    if (a->place != b->place)
        return false;
    for (uint32_t i = 0; i < a->place && i < a->n_frames && i < b->n_frames; i++) {
        const uint32_t l = a->frames[i], r = b->frames[i];
        if (l >= tree->profile->n_frames || r >= tree->profile->n_frames)
            return false;
        if (tree->same[l] != tree->same[r])
            return false;
    }
    return true;
}

uint64_t calltree_value(const struct calltree_measure *measure, const struct site *site)
{
    if (measure->of)
        return measure->of(site);
    const struct metric_value value =
        metrics_of_site(measure->metric, site, measure->duration_seconds);
    if (!value.present)
        return 0;
    return value.is_real ? (uint64_t)(value.real < 1e18 ? value.real + 0.5 : 1e18) : value.integer;
}

uint64_t calltree_sum(const struct calltree_measure *measure, const struct calltree_range *range)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < range->n; i++)
        if (__builtin_add_overflow(sum, calltree_value(measure, range->sites[i]), &sum))
            return UINT64_MAX;
    return sum;
}

static int compare_runs(const void *a, const void *b)
{
    const struct calltree_run *left = a, *right = b;
    const int order = compare_numbers(right->value, left->value);
    return order ? order
                 : compare_numbers((uintptr_t)left->range.sites, (uintptr_t)right->range.sites);
}

int calltree_split(const struct calltree *tree, const struct calltree_range *range, size_t depth,
                   const struct calltree_measure *measure, struct calltree_run **runs_out,
                   size_t *n_out)
{
    size_t n = 0, capacity = 0;
    struct calltree_run *runs = NULL;
    for (size_t i = 0; i < range->n;) {
        const uint32_t key = key_at(tree, range->sites[i], depth);
        size_t end = i + 1;
        while (end < range->n && key_at(tree, range->sites[end], depth) == key)
            end++;
        if (n == capacity) {
            capacity = capacity ? capacity * 2 : 8;
            struct calltree_run *grown = reallocarray(runs, capacity, sizeof *runs);
            if (!grown) {
                free(runs);
                return -ENOMEM;
            }
            runs = grown;
        }
        const struct calltree_range part = {&range->sites[i], end - i, depth};
        runs[n++] = (struct calltree_run){part, calltree_sum(measure, &part)};
        i = end;
    }
    if (n > 1)
        qsort(runs, n, sizeof *runs, compare_runs);
    *runs_out = runs;
    *n_out = n;
    return 0;
}
