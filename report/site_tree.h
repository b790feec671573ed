/* SPDX-License-Identifier: MIT */
/* A section of places, with the callers of each merged below it. */
#ifndef HEAPWISE_REPORT_SITE_TREE_H
#define HEAPWISE_REPORT_SITE_TREE_H

#include "report/calltree.h"
#include "report/report.h"
#include "report/view.h"

#include <stdbool.h>
#include <stdint.h>

/* One number of a place or caller, summed over its sites. */
struct site_column {
    const char *name, *title;
    enum unit unit;
    uint64_t (*of)(const struct site *site);
    bool is_share_of_calls; /* shown as value / calls of the same sites */
};

/* What a section shows. `value` orders it; with value.of NULL a metric does. */
struct site_section {
    const char *id, *title, *subtitle;
    const char *nothing; /* said instead of an empty table */
    struct site_column value;
    struct site_column extra[2];
    uint64_t (*whole)(const struct profile *profile); /* of which shares are; NULL: of the sum */
    bool keeps_small;                                 /* shows places with next to nothing, too */
    /* Adds what there is to say of a place, as rows of VIEW_ROW_CHAIN below it; NULL: nothing. */
    void (*describe)(const struct profile *profile, const struct calltree_range *range,
                     struct view *view);
};

/* Fill `view`. Shares, trees and columns follow `section`; `metric` is measured where
 * section->value.of is NULL. Returns 0 or -ENOMEM. */
int site_tree_build(const struct site_section *section, const struct metric *metric,
                    const struct profile *profile, const struct report_options *options,
                    struct view *view);

/* Sums that stay at UINT64_MAX instead of wrapping. */
uint64_t site_tree_add(uint64_t a, uint64_t b);

#endif
