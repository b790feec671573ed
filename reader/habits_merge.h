/* SPDX-License-Identifier: MIT */
/* Habits of several stacks as those of one place. */
#ifndef HEAPWISE_READER_HABITS_MERGE_H
#define HEAPWISE_READER_HABITS_MERGE_H

#include "reader/profile.h"
#include "reader/storage.h"

/* Add `from` (NULL: nothing) to the habits at `to`, which began as zeroes. Lists are kept in `storage`. slots_999
 * becomes an upper bound, as the stacks may have been at their highest at different times. Returns 0 or
 * -ENOMEM. */
int habits_merge(struct storage *storage, struct site_habits *to, const struct site_habits *from);

#endif
