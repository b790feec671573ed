/* SPDX-License-Identifier: MIT */
/* Where a finding is: the user's own frames among those of its stack, and the id made of them. */
#ifndef HEAPWISE_FINDINGS_PLACE_H
#define HEAPWISE_FINDINGS_PLACE_H

#include "findings/finding.h"

/* Whether a frame is code that its user could change: not of the runtime, and not hidden. */
bool place_is_user(const struct profile_frame *frame);

/* The frame that a finding is shown at; NULL when no stack is known. */
const struct profile_frame *place_frame(const struct finding *finding,
                                        const struct profile *profile);

/* Set id and fingerprints.
 *
 * stack_print is made of the rule and the names of the first FINDING_PRINT_FRAMES user frames and their
 * modules, so that it stays the same for other addresses, folders, lines, options and numbers of
 * threads; site_print of file and line as well. Of a name its last part counts, without types and clone
 * suffixes, of a module the base name without version, of a recursion one frame. Where several stacks lead
 * to the place, the one with the most calls. Version 1; FNV-1a of 128 bits, folded. */
void place_print(struct finding *finding, const struct profile *profile);

/* Tell apart findings that got the same id, as two calls in one function do: the first in the order of
 * lines, then of their callers', keeps it. Returns 0 or -ENOMEM. */
int place_number_alike(struct finding *const *findings, size_t n, const struct profile *profile);

#endif
