/* SPDX-License-Identifier: MIT */
/* How sure is a finding, given the run it comes from? Factors are fixed and printed by
 * `heapwise explain scoring`. */
#include "findings/engine.h"
#include "findings/findings.h"
#include "findings/place.h"
#include "findings/store.h"

/* Below these a run says little about the program's usual life. */
static const double SHORT_RUN_SECONDS = 1;
enum { FEW_EVENTS = 1000 };

static void doubt_run(struct finding *finding, const struct profile *profile)
{
    const struct metrics *const totals = &profile->totals;
    if (totals->duration_seconds < SHORT_RUN_SECONDS)
        finder_doubt(finding, 0.8, "the run was shorter than 1 s");
    if (totals->events < FEW_EVENTS)
        finder_doubt(finding, 0.5, "the run had fewer than 1,000 events");
    if (profile->truncated || profile->stopped)
        finder_doubt(finding, 0.8, "the recording ended before the program");
    if (totals->lost_events)
        finder_doubt(finding, 0.7, "events were lost");
}

static void doubt_place(struct finding *finding, const struct profile *profile)
{
    const struct profile_frame *const frame = place_frame(finding, profile);
    if (!frame || frame->line == 0)
        finder_doubt(finding, 0.8, "no line information at the place");
    if (frame && !place_is_user(frame))
        finder_doubt(finding, 0.8, "no frame of the program's own in the stack");
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
            finder_doubt(finding, 0.9, "some of the evidence is from a sample of the frees");
    }
}
