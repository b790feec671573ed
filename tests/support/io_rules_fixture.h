/* SPDX-License-Identifier: MIT */
/* A run of one second with 100,000 calls of I/O, made by hand: what rules find in a few places of it. */
#ifndef HEAPWISE_TESTS_IO_RULES_FIXTURE_H
#define HEAPWISE_TESTS_IO_RULES_FIXTURE_H

#include "findings/findings.h"

enum {
    RULES_LINES = 8,           /* frames to be a place's: lines 10, 20, ... of "work.c" */
    RULES_IO_CALLS = 100000,   /* of the whole run */
    RULES_PEAK_BYTES = 1 << 26 /* likewise */
};

/* The first fields of a place at the n-th of those lines. */
#define AT_LINE(n) .n_frames = 1, .frames = &rules_frames[n]

extern const uint32_t rules_frames[RULES_LINES];

/* A median and the rest of quantiles that all are the same. */
#define ALL_OF(value, count)                                                                       \
    {                                                                                              \
        value, value, value, value, value, count                                                   \
    }

/* The run, with nothing in its arrays: copy it and fill in what a case is about. */
struct profile rules_run(void);

/* Run the rules over a profile. Prints what was found when `HEAPWISE_SHOW` is in the environment. Free the result
 * with findings_free(). */
struct findings *rules_look(const struct profile *profile, const struct findings_config *config);

/* The finding of a rule, or NULL; fails where there are several. */
const struct finding *rules_pick(const struct findings *findings, const char *id);

/* Whether the rule finds something in a run with these places alone. */
bool rules_fires(const struct io_site *places, size_t n, const char *id);

#endif
