/* SPDX-License-Identifier: MIT */
/* How the habits of a row's sites become those of the row. */
#ifndef HEAPWISE_READER_HABITS_ROWS_H
#define HEAPWISE_READER_HABITS_ROWS_H

#include "reader/analysis.h"

/* A row that is being put together. */
struct habits_row {
    const struct analysis *analysis;
    struct site_habits *habits;
    bool timed;         /* a site with allocations was added */
    uint32_t process;   /* of the site added last */
    uint64_t slots_999; /* of that process's sites so far */
};

/* Begin; the row's habits live as long as the profile. Then add its sites, by their numbers in the model, in
 * rising order. Returns 0 or -ENOMEM. */
int habits_row_begin(struct habits_row *row, const struct analysis *analysis);
void habits_row_add(struct habits_row *row, uint32_t site);

#endif
