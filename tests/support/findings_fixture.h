/* SPDX-License-Identifier: MIT */
/* Findings made by hand, for tests of how they are shown: of the profile of tests/support/profile_fixture.h, by rules
 * of their own, so that no change of the real ones changes a golden document. */
#ifndef HEAPWISE_TESTS_FINDINGS_FIXTURE_H
#define HEAPWISE_TESTS_FINDINGS_FIXTURE_H

#include "findings/findings.h"
#include "findings/show.h"

/* Five findings, the first four kept: a pool with everything known, a leak with hostile names, small writes to
 * a file, one without any stack (severity info). Constant but for the profile. */
const struct findings *findings_fixture(void);

/* None. */
const struct findings *findings_fixture_empty(void);

/* Findings with one that is about this frame alone. Valid until the next call. */
const struct findings *findings_fixture_of_frame(const struct profile_frame *frame);

/* The rule of the first finding. */
extern const struct rule findings_fixture_rule;

/* What show_FORMAT() writes, to free(3). */
char *findings_fixture_show(const char *format, const struct findings *findings,
                            const struct show_options *options);

#endif
