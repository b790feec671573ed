/* SPDX-License-Identifier: MIT */
/* The frame a row of a profile is named by, and when two are of one function. */
#ifndef HEAPWISE_FINDINGS_FRAME_H
#define HEAPWISE_FINDINGS_FRAME_H

#include <stdbool.h>
#include <string.h>

#include "reader/profile.h"

/* The frame at `place` of a stack; NULL where the stack is not known. */
static inline const struct profile_frame *
frame_at(const struct profile *profile, const uint32_t *frames, uint32_t n_frames, uint32_t place)
{
    return place < n_frames ? &profile->frames[frames[place]] : NULL;
}

static inline const struct profile_frame *frame_of_io(const struct profile *profile,
                                                      const struct io_site *site)
{
    return frame_at(profile, site->frames, site->n_frames, site->place);
}

/* Whether both are of one function that has a name. Either may be NULL. */
static inline bool frame_is_same_function(const struct profile_frame *a,
                                          const struct profile_frame *b)
{
    return a && b && *a->function && strcmp(a->function, b->function) == 0 &&
           strcmp(a->module, b->module) == 0;
}

#endif
