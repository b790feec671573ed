/* SPDX-License-Identifier: MIT */
/* Where and by whom are the blocks of a finding given back? From the frees whose stack was recorded. */
#ifndef HEAPWISE_FINDINGS_FREED_H
#define HEAPWISE_FINDINGS_FREED_H

#include "findings/finding.h"

/* Who gives the blocks back, however many stacks lead there. */
struct freed_row {
    const struct profile_frame *frame; /* NULL when no stack is known */
    double percent;                    /* of those frees */
};

/* List a finding's places of freeing, the most frequent first; one of several stacks is one row. Returns how
 * many there are, at most HABITS_FREED_AT; 0 where no free had its stack recorded. */
uint32_t freed_list(const struct finding *finding, const struct profile *profile,
                    struct freed_row rows_out[HABITS_FREED_AT]);

/* Share of the frees by the function of the finding's own place, likewise. */
struct maybe freed_by_same_function(const struct finding *finding, const struct profile *profile);

/* Share of all frees that were another thread's than the one that allocated. */
struct maybe freed_by_other_thread(const struct finding *finding);

#endif
