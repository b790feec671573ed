/* SPDX-License-Identifier: MIT */
/* Which sites are the same place: the same line of the user's own code, reached by whatever stack.
 *
 *   site    main > parse > xmalloc > malloc      one place: parse, line 12, through xmalloc
 *           main > retry > parse > xmalloc > malloc
 *
 * Only what lies between the allocator and that line is told apart: a line may cause allocations of several
 * kinds, each through functions of its own. */
#ifndef HEAPWISE_READER_LINES_H
#define HEAPWISE_READER_LINES_H

#include "reader/analysis.h"

/* Whether a frame's code only passes requests on, or is hidden by options. */
bool lines_hides(const struct profile_options *options, const struct profile_frame *frame);

/* The place among frames[0..n_frames): index of the first one that is neither runtime nor hidden, nor a helper of a
 * wrapper: without a name, and called by it, with at most two more such between. `otherwise` where there is
 * none. */
uint32_t lines_place(const struct analysis *analysis, const uint32_t *frames, uint32_t n_frames,
                     uint32_t otherwise);

/* What stacks of one place have in common: made of frames[0..place]. */
uint64_t lines_key(const struct analysis *analysis, const uint32_t *frames, uint32_t n_frames,
                   uint32_t place);

/* Which items belong together: items of the same key get the same number, from 0 in the order met. */
struct lines_groups {
    uint32_t *group_of;  /* by item */
    uint32_t *n_members; /* by group */
    uint32_t *first;     /* by group: where its members begin in `members` */
    uint32_t *members;   /* items, group after group, in their own order */
    uint32_t n_groups;
};

/* Group keys[0..n). Returns 0 or -ENOMEM. */
int lines_group(const uint64_t *keys, uint32_t n, struct lines_groups *groups_out);

void lines_groups_fini(struct lines_groups *groups);

#endif
