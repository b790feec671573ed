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
    uint32_t *same;  /* per frame: rank of its place; equal ranks are the same place */
    bool *startup;   /* per frame: belongs to the C start-up code */
    uint32_t *order; /* indices of the profile's sites, by path */
    uint32_t *rank;  /* per site: its place in `order` */
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

/* Whether a frame may be what calls main in a stripped libc, which does not name it. */
static bool may_call_main(const struct profile_frame *frame)
{
    return !frame->function[0] && is_in_libc(frame);
}

/* That one is known by its place: right outside of main. */
static int find_unnamed_startup(struct calltree *tree)
{
    enum { IS_MAIN = 1, MAY_CALL_MAIN = 2 };
    const struct profile *const profile = tree->profile;
    unsigned char *const marks = calloc(profile->n_frames + 1, sizeof *marks);
    if (!marks)
        return -ENOMEM;
    for (size_t i = 0; i < profile->n_frames; i++)
        marks[i] = (unsigned char)((strcmp(profile->frames[i].function, "main") == 0) * IS_MAIN |
                                   may_call_main(&profile->frames[i]) * MAY_CALL_MAIN);
    for (size_t i = 0; i < profile->n_sites; i++) {
        const struct site *const site = &profile->sites[i];
        for (uint32_t k = 0; k + 1 < site->n_frames; k++) {
            const uint32_t frame = site->frames[k], caller = site->frames[k + 1];
            if (frame < profile->n_frames && caller < profile->n_frames && marks[frame] & IS_MAIN &&
                marks[caller] & MAY_CALL_MAIN)
                tree->startup[caller] = true;
        }
    }
    free(marks);
    return 0;
}

static int rank_frames(struct calltree *tree, uint32_t *order)
{
    const struct profile *profile = tree->profile;
    for (size_t i = 0; i < profile->n_frames; i++) {
        order[i] = (uint32_t)i;
        tree->startup[i] = is_startup(profile->frames[i].function);
    }
    qsort_r(order, profile->n_frames, sizeof *order, compare_frame_indices, (void *)profile);
    uint32_t rank = 0;
    for (size_t i = 0; i < profile->n_frames; i++) {
        if (i > 0 && compare_frame_indices(&order[i - 1], &order[i], (void *)profile) != 0)
            rank++;
        tree->same[order[i]] = rank;
    }
    return find_unnamed_startup(tree);
}

void calltree_free(struct calltree *tree)
{
    if (!tree)
        return;
    free(tree->same);
    free(tree->startup);
    free(tree->order);
    free(tree->rank);
    free(tree);
}

/* How many frames a site's path has, from its place outwards. Start-up code ends it; that is at most the
 * outermost few frames: one of its names further in is a user's. */
static size_t path_length(const struct calltree *tree, const struct site *site)
{
    const size_t n = site->n_frames, place = site->place < n ? site->place : 0;
    for (size_t i = n > place + 5 ? n - 4 : place + 1; i < n; i++)
        if (site->frames[i] < tree->profile->n_frames && tree->startup[site->frames[i]])
            return i - place;
    return n - place;
}

/* Index in profile.frames of the frame `depth` steps out of the site's place, or NO_FRAME. */
static uint32_t frame_at(const struct calltree *tree, const struct site *site, size_t depth)
{
    if (depth >= path_length(tree, site))
        return NO_FRAME;
    const size_t place = site->place < site->n_frames ? site->place : 0;
    const uint32_t frame = site->frames[place + depth];
    return frame < tree->profile->n_frames ? frame : NO_FRAME;
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

static int compare_paths(const struct calltree *tree, const struct site *left,
                         const struct site *right)
{
    for (size_t depth = 0;; depth++) {
        const uint32_t l = key_at(tree, left, depth), r = key_at(tree, right, depth);
        if (l != r)
            return l < r ? -1 : 1;
        if (l == NO_FRAME)
            return compare_numbers((uintptr_t)left, (uintptr_t)right);
    }
}

/* A site to be sorted; `start` is smaller where the path's first frames are, and equal where they do not
 * tell, which spares most comparisons of whole stacks. */
struct path {
    uint64_t start;
    uint32_t site;
};

/* The first four keys in 16 bits each. One that does not fit leaves the rest to a whole comparison. */
static uint64_t start_of_path(const struct calltree *tree, const struct site *site)
{
    uint64_t start = 0;
    bool fits = true;
    for (size_t depth = 0; depth < 4; depth++) {
        const uint32_t key = fits ? key_at(tree, site, depth) : UINT16_MAX;
        fits = key < UINT16_MAX;
        start = start << 16 | (fits ? key : UINT16_MAX);
    }
    return start;
}

static int compare_starts(const void *a, const void *b, void *context)
{
    const struct calltree *const tree = context;
    const struct path *const left = a, *const right = b;
    const struct site *const sites = tree->profile->sites;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return compare_paths(tree, &sites[left->site], &sites[right->site]);
}

/* Sort all sites of the profile, once for all sections. */
static int sort_all(struct calltree *tree)
{
    const size_t n = tree->profile->n_sites;
    struct path *const paths = calloc(n + 1, sizeof *paths);
    tree->order = calloc(n + 1, sizeof *tree->order);
    tree->rank = calloc(n + 1, sizeof *tree->rank);
    if (!paths || !tree->order || !tree->rank) {
        free(paths);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        paths[i] = (struct path){start_of_path(tree, &tree->profile->sites[i]), (uint32_t)i};
    qsort_r(paths, n, sizeof *paths, compare_starts, tree);
    for (size_t i = 0; i < n; i++) {
        tree->order[i] = paths[i].site;
        tree->rank[paths[i].site] = (uint32_t)i;
    }
    free(paths);
    return 0;
}

static uint32_t rank_of(const struct calltree *tree, const struct site *site)
{
    return tree->rank[site - tree->profile->sites];
}

static int compare_ranks(const void *a, const void *b, void *context)
{
    const uint32_t left = rank_of(context, *(const struct site *const *)a);
    const uint32_t right = rank_of(context, *(const struct site *const *)b);
    return compare_numbers(left, right);
}

void calltree_sort(const struct calltree *tree, const struct site **sites, size_t n)
{
    const struct profile *const profile = tree->profile;
    /* Of many, note which are there and go through all in order. */
    bool *const wanted =
        n > profile->n_sites / 16 ? calloc(profile->n_sites, sizeof *wanted) : NULL;
    if (!wanted) {
        if (n > 1)
            qsort_r(sites, n, sizeof *sites, compare_ranks, (void *)tree);
        return;
    }
    for (size_t i = 0; i < n; i++)
        wanted[rank_of(tree, sites[i])] = true;
    size_t n_sorted = 0;
    for (size_t i = 0; i < profile->n_sites; i++)
        if (wanted[i])
            sites[n_sorted++] = &profile->sites[tree->order[i]];
    free(wanted);
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
    result = rank_frames(tree, order);
    if (result == 0)
        result = sort_all(tree);
    if (result < 0)
        goto done;
    *tree_out = tree;
    tree = NULL;
done:
    calltree_free(tree);
    free(order);
    return result;
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
