/* SPDX-License-Identifier: MIT */
/* Call stacks of many sites merged into one tree, top down from the place that allocates.
 *
 * The tree is never built. Sites sorted by their path (place, its caller, that one's caller, ...)
 * put every subtree into one range of the sorted array, and its children are the runs of equal frames
 * one step further out:
 *
 *     depth 0   1     2
 *        xmalloc  parse  main    \ run "parse"   \
 *        xmalloc  parse  reload  /                } range of xmalloc
 *        xmalloc  print  main    - run "print"   /
 */
#ifndef HEAPWISE_REPORT_CALLTREE_H
#define HEAPWISE_REPORT_CALLTREE_H

#include "reader/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct calltree;
struct metric;

/* What is summed over sites: `of` where it is set, else `metric`. */
struct calltree_measure {
    uint64_t (*of)(const struct site *site);
    const struct metric *metric;
    double duration_seconds; /* of the run, for rates */
};

/* Sites [0..n) that share their path up to and including `depth`. */
struct calltree_range {
    const struct site **sites;
    size_t n;
    size_t depth;
};

struct calltree_run {
    struct calltree_range range; /* its sites, one step deeper than the range that was split */
    uint64_t value;              /* summed over them */
};

/* Learn which frames are the same place: function, file and line where the line is known, function and
 * module where not, else module and offset; and sort all sites by path. `profile` must outlive the tree.
 * Returns 0 or -ENOMEM. Cost: O(n log n) of frames and sites, so sections share one tree. */
int calltree_new(const struct profile *profile, struct calltree **tree_out);
void calltree_free(struct calltree *tree);

/* Sort some of the profile's sites, each once, by path. Must precede every other use of a range over
 * them. Cost: O(sites of the profile) at most. */
void calltree_sort(const struct calltree *tree, const struct site **sites, size_t n);

/* Frame of a range at `depth` steps from the place outwards; NULL past the outermost one. Frames of
 * the C start-up code (below main, below a thread's function) count as outside of the stack. */
const struct profile_frame *calltree_frame(const struct calltree *tree,
                                           const struct calltree_range *range, size_t depth);

/* Do all sites of the range have the same frame (or none) one step further out? */
bool calltree_is_chain(const struct calltree *tree, const struct calltree_range *range);

/* Do two sites reach their place through the same inner frames? */
bool calltree_same_inside(const struct calltree *tree, const struct site *a, const struct site *b);

/* Steps from their places outwards to the first frame in which two sites differ, or to the end of one
 * of them; SIZE_MAX: they are alike. */
size_t calltree_fork(const struct calltree *tree, const struct site *a, const struct site *b);

/* The same from their places inwards; the frames next to the places are 1 step away. */
size_t calltree_fork_inside(const struct calltree *tree, const struct site *a,
                            const struct site *b);

/* One measure of one site. */
uint64_t calltree_value(const struct calltree_measure *measure, const struct site *site);

/* Sum over a range, at most UINT64_MAX. */
uint64_t calltree_sum(const struct calltree_measure *measure, const struct calltree_range *range);

/* Split a range by the frame at `depth`; runs come with the largest value first, ties in order of
 * path. Sums saturate. Returns 0, runs to free(3) and their number, or -ENOMEM. */
int calltree_split(const struct calltree *tree, const struct calltree_range *range, size_t depth,
                   const struct calltree_measure *measure, struct calltree_run **runs_out,
                   size_t *n_out);

#endif
