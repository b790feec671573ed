/* SPDX-License-Identifier: MIT */
/* The numbers that findings are ranked by, for those who apply them and for `heapwise explain scoring`. */
#ifndef HEAPWISE_FINDINGS_SCORING_H
#define HEAPWISE_FINDINGS_SCORING_H

#include <stddef.h>

#include "findings/rule.h"

/* A finding is so severe from this share of its whole on, if the change also saves so much of the run's time, where
 * that is known. */
struct scoring_step {
    double percent, time_percent;
    enum finding_severity severity;
};

/* What a run or a place may lack. */
enum scoring_doubt {
    DOUBT_SHORT_RUN,
    DOUBT_FEW_EVENTS,
    DOUBT_CUT,
    DOUBT_LOST_EVENTS,
    DOUBT_NO_LINE,
    DOUBT_NO_FRAME,
    DOUBT_NO_NAME,
    DOUBT_SAMPLED,
};

/* How that lowers the confidence. */
struct scoring_factor {
    double factor;
    const char *reason; /* told with the finding */
};

enum { SCORING_MAX_EFFORT = 5 };

/* The most severe first; NULL past the last. */
const struct scoring_step *scoring_step_at(size_t i);

const struct scoring_factor *scoring_factor(enum scoring_doubt doubt);

/* All of them; NULL past the last. */
const struct scoring_factor *scoring_factor_at(size_t i);

/* What an effort of 1 to SCORING_MAX_EFFORT means: "a line or two". */
const char *scoring_effort(int effort);

#endif
