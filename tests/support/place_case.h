/* SPDX-License-Identifier: MIT */
/* A run made by hand, for tests of rules: places with habits, of which a test sets what its case is about.
 *
 * Every place is called from main(); place i is line 10 + i of function work_<i>, but for those a test moves. */
#ifndef HEAPWISE_TESTS_PLACE_CASE_H
#define HEAPWISE_TESTS_PLACE_CASE_H

#include <stdbool.h>

#include "findings/findings.h"

enum { CASE_PLACES = 4, CASE_POINTS = 20 };

struct place_case {
    struct profile profile;
    struct site places[CASE_PLACES];
    struct site_habits habits[CASE_PLACES];
    struct freed_at freed_at;
    struct timeline_point timeline[CASE_POINTS];
};

/* A change of a case, and what it does to it in words. */
struct place_change {
    const char *what;
    void (*make)(struct place_case *run);
};

/* A run of 10 s with 100,000 allocations of 100 MB altogether and a peak of 10 MB, by one place of nothing. */
void place_case_init(struct place_case *run);

/* Give place i `count` blocks of `size` bytes, all freed by the function that allocated, timed at 40 ns. */
void place_case_blocks(struct place_case *run, unsigned i, uint64_t count, uint64_t size);

/* The rule's finding in the run, checked to be the only one of it; NULL when it did not fire. What is found
 * is the run's until place_case_fini(). */
const struct finding *place_case_find(struct place_case *run, const char *rule);

/* `base`, then one change: the rule is silent, for each of changes[0..n). With no change it fires. */
void place_case_limits(const char *rule, void (*base)(struct place_case *run),
                       const struct place_change *changes, size_t n);

/* Release what was found since the last call. */
void place_case_fini(void);

#endif
