/* SPDX-License-Identifier: MIT */
/* Which blocks died together: those of a site that one thread freed one after the other, without
 * allocating or resizing in between. All calls only where habits are gathered. */
#ifndef HEAPWISE_READER_BURSTS_H
#define HEAPWISE_READER_BURSTS_H

#include "reader/model.h"

/* A thread, of which `by` is known, freed a further block without allocating since. 0 or -ENOMEM. */
int bursts_go_on(struct model *model, struct model_thread_habits *by,
                 const struct model_freed *freed);

/* A thread freed a block at `ticks`. 0 or -ENOMEM. */
static inline int bursts_freed(struct model *model, struct model_thread_habits *by,
                               const struct block *block, uint64_t ticks)
{
    const struct model_freed freed = {.bytes = block->size_bytes,
                                      .born_ticks = block->start_ticks,
                                      .died_ticks = ticks,
                                      .site = block->site};
    if (by->n_freed)
        return bursts_go_on(model, by, &freed);
    by->n_freed = 1;
    by->first_freed = freed;
    return 0;
}

/* The thread allocates or resizes: what it frees from now on is another run. */
static inline void bursts_part(struct model_thread_habits *by)
{
    by->n_freed = 0;
}

/* Everything was read: count the runs that were going on. 0 or -ENOMEM. */
int bursts_finish(struct model *model);

#endif
