/* SPDX-License-Identifier: MIT */
/* Find what to change in a recorded program: rules over a profile, ranked.
 *
 *   rules -> place (the user's frame) -> id -> confidence -> severity -> merge and link -> rank -> top
 *
 * The result is the same for the same profile and configuration, in the same order. */
#ifndef HEAPWISE_FINDINGS_FINDINGS_H
#define HEAPWISE_FINDINGS_FINDINGS_H

#include "findings/config.h"
#include "findings/finding.h"

struct findings {
    const struct profile *profile;
    size_t n;                               /* kept: the top ones */
    struct finding **ranked;                /* by rank */
    size_t n_all;                           /* found: `n` and those beyond the top */
    enum finding_severity worst;            /* of all; meaningless when n_all is 0 */
    size_t n_severe[SEVERITY_CRITICAL + 1]; /* how many of all are so severe */
    struct findings_store *store;
};

enum { FINDINGS_TOP = 20 };

/* Run the rules. `profile` must have habits (profile_options.habits) and outlive the findings; `top` 0 is
 * all. Returns 0 or -ENOMEM. */
int findings_make(const struct profile *profile, const struct findings_config *config, size_t top,
                  struct findings **findings_out);

/* Accepts NULL. */
void findings_free(struct findings *findings);

/* "-41 % of allocations, -12 % of I/O calls": what all kept findings save together, nothing counted twice; else
 * words for none.
 * Fills text_out, cut where it is too small. */
void findings_sum_up(const struct findings *findings, char *text_out, size_t n_bytes);

#endif
