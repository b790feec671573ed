/* SPDX-License-Identifier: MIT */
/* How sure is a finding, given the run it comes from? */
#include "findings/engine.h"
#include "findings/findings.h"
#include "findings/place.h"
#include "findings/scoring.h"
#include "findings/store.h"

/* Below these a run says little about the program's usual life. */
static const double SHORT_RUN_SECONDS = 1;
enum { FEW_EVENTS = 1000, MUCH_TIME_PERCENT = 10, MANY_STACKS = 32 };

static void doubt(struct finding *finding, enum scoring_doubt doubt)
{
    const struct scoring_factor *const factor = scoring_factor(doubt);
    finder_doubt(finding, factor->factor, factor->reason);
}

/* A few calls that most of the run waits for are evidence enough. */
static bool takes_time(const struct finding *finding, double duration_seconds)
{
    const struct maybe *const seconds = &finding->saves.seconds;
    return seconds->known && finder_percent(seconds->value, duration_seconds) >= MUCH_TIME_PERCENT;
}

static void doubt_run(struct finding *finding, const struct profile *profile)
{
    const struct metrics *const totals = &profile->totals;
    if (totals->duration_seconds < SHORT_RUN_SECONDS)
        doubt(finding, DOUBT_SHORT_RUN);
    if (totals->events < FEW_EVENTS && !takes_time(finding, totals->duration_seconds))
        doubt(finding, DOUBT_FEW_EVENTS);
    if (profile->truncated || profile->stopped)
        doubt(finding, DOUBT_CUT);
    if (totals->lost_events)
        doubt(finding, DOUBT_LOST_EVENTS);
}

static void doubt_place(struct finding *finding, const struct profile *profile)
{
    const struct profile_frame *const frame = place_frame(finding, profile);
    if (!frame || frame->line == 0)
        doubt(finding, DOUBT_NO_LINE);
    if (frame && !place_is_user(frame))
        doubt(finding, DOUBT_NO_FRAME);
    if (frame && !*frame->function && finding->site && finding->site->n_stacks >= MANY_STACKS)
        doubt(finding, DOUBT_NO_NAME);
}

void confidence_settle(struct finder *finder)
{
    const struct findings_store *const store = finder->findings->store;
    for (size_t i = 0; i < store->n_found; i++) {
        struct finding *const finding = store->found[i];
        doubt_run(finding, finder->profile);
        if (!finding->io_file)
            doubt_place(finding, finder->profile);
        if (finding->evidence.sampled)
            doubt(finding, DOUBT_SAMPLED);
    }
}
