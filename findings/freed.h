/* SPDX-License-Identifier: MIT */
/* Where and by whom are the blocks of a finding given back? From the frees whose stack was recorded. */
#ifndef HEAPWISE_FINDINGS_FREED_H
#define HEAPWISE_FINDINGS_FREED_H

#include "findings/finding.h"

/* Habits of the finding's site; NULL where it is not about blocks. */
const struct site_habits *freed_habits(const struct finding *finding);

/* The frame that a place of freeing is shown at; NULL when no stack is known. */
const struct profile_frame *freed_frame(const struct freed_at *freed,
                                        const struct profile *profile);

/* Share of those frees, in percent; not known where no free had its stack recorded. */
struct maybe freed_percent(const struct finding *finding, const struct freed_at *freed);

/* Share of the frees by the function of the finding's own place, likewise. */
struct maybe freed_by_same_function(const struct finding *finding, const struct profile *profile);

/* Share of all frees that were another thread's than the one that allocated. */
struct maybe freed_by_other_thread(const struct finding *finding);

#endif
