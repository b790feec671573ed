/* SPDX-License-Identifier: MIT */
/* Which numbers make a finding severe, sure and cheap? */
#include "findings/scoring.h"

/* Half of the blocks of a program that hardly allocates is no great matter, hence the time. 5 % is where most
 * engineers stop to look. */
static const struct scoring_step steps[] = {
    {20, 2, SEVERITY_CRITICAL},
    {10, 1, SEVERITY_HIGH},
    {5, 0.5, SEVERITY_MEDIUM},
    {1, 0, SEVERITY_LOW},
};

static const struct scoring_factor factors[] = {
    [DOUBT_SHORT_RUN] = {0.8, "the run was shorter than 1 s"},
    [DOUBT_FEW_EVENTS] = {0.5, "the run had fewer than 1,000 events"},
    [DOUBT_CUT] = {0.8, "the recording ended before the program"},
    [DOUBT_LOST_EVENTS] = {0.7, "events were lost"},
    [DOUBT_NO_LINE] = {0.8, "no line information at the place"},
    [DOUBT_NO_FRAME] = {0.8, "no frame of the program's own in the stack"},
    [DOUBT_NO_NAME] = {0.7, "many stacks lead to a place without a name, perhaps a wrapper"},
    [DOUBT_SAMPLED] = {0.9, "some of the evidence is from a sample of the frees"},
};

const struct scoring_step *scoring_step_at(size_t i)
{
    return i < sizeof steps / sizeof *steps ? &steps[i] : NULL;
}

const struct scoring_factor *scoring_factor(enum scoring_doubt doubt)
{
    return &factors[doubt];
}

const struct scoring_factor *scoring_factor_at(size_t i)
{
    return i < sizeof factors / sizeof *factors ? &factors[i] : NULL;
}

const char *scoring_effort(int effort)
{
    static const char *const words[SCORING_MAX_EFFORT] = {
        "a line or two",
        "one function",
        "several functions, or a type",
        "an interface and its callers",
        "another data structure",
    };
    return words[effort < 1                    ? 0
                 : effort > SCORING_MAX_EFFORT ? SCORING_MAX_EFFORT - 1
                                               : effort - 1];
}
