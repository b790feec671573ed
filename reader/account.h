/* SPDX-License-Identifier: MIT */
/* What a block's life adds to the numbers of its site, its process and the whole.
 *
 * Exact peaks at O(1) an event: a process counts its new maxima in peak_serial; a site that is about
 * to change, and has not since the last maximum, first notes what it held then. */
#ifndef HEAPWISE_READER_ACCOUNT_H
#define HEAPWISE_READER_ACCOUNT_H

#include "reader/model.h"

/* An allocation or resize was made: counts, sizes and rates, nothing about live bytes. Returns 0 or
 * -ENOMEM. `is_new` is false for a resize. */
int account_request(struct model *model, uint32_t site, uint64_t size_bytes, bool is_new);

/* The block lives from now on. */
void account_gain(struct model *model, const struct block *block);

/* The block lives no longer. */
void account_drop(struct model *model, const struct block *block);

/* The block was freed at `ticks`: its lifetime, whether it was temporary. 0 or -ENOMEM. */
int account_free(struct model *model, const struct block *block, uint64_t ticks);

/* The process starts anew (exec): its live blocks are gone without being freed or leaked. */
void account_forget_live(struct model *model, uint32_t process);

/* The process is over: what it holds no longer counts as live now, but stays as leaked. */
void account_end_process(struct model *model, uint32_t process);

/* Note what a site held at its process's peak, if it has not changed since. */
void account_settle_peak(const struct model_process *process, struct model_site *site);

/* Which octave a size belongs to. */
unsigned account_octave(uint64_t size_bytes);

#endif
