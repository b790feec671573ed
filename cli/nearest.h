/* SPDX-License-Identifier: MIT */
/* Which known word did somebody mean who mistyped one? */
#ifndef HEAPWISE_CLI_NEAREST_H
#define HEAPWISE_CLI_NEAREST_H

#include <stddef.h>

/* Smallest number of insertions, deletions, replacements and swaps of neighbours that make `b` of
 * `a`. Words longer than 64 bytes are compared by their first 64. */
size_t nearest_distance(const char *a, const char *b);

/* The best guess so far; zeroed memory is "none yet". */
struct nearest {
    const char *word;
    size_t distance;
};

/* Offer a candidate for `wanted`. It is taken when it is nearer than the one before and near enough to be
 * meant at all: a third of its letters may differ, or `wanted` is its beginning. */
void nearest_offer(struct nearest *best, const char *wanted, const char *candidate);

#endif
