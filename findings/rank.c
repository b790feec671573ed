/* SPDX-License-Identifier: MIT */
/* Which finding comes first? By impact x confidence / effort; ties are settled so that the order is total. */
#include <stdlib.h>
#include <string.h>

#include "findings/engine.h"
#include "findings/findings.h"
#include "findings/scoring.h"
#include "findings/store.h"

/* Share of the run's time that the change saves; all of it where time is not what it saves. */
static double time_saved_percent(const struct finding *finding, double duration_seconds)
{
    const struct finding_saves *const saves = &finding->saves;
    if (!saves->seconds.known || (saves->peak_bytes.known && saves->peak_bytes.value > 0))
        return 100;
    return finder_percent(saves->seconds.value, duration_seconds);
}

static enum finding_severity severity_of(const struct finding *finding, double duration_seconds)
{
    const double time_percent = time_saved_percent(finding, duration_seconds);
    enum finding_severity severity = SEVERITY_INFO;
    const struct scoring_step *step = NULL;
    for (size_t i = 0; (step = scoring_step_at(i)) != NULL; i++)
        if (finding->impact >= step->percent && time_percent >= step->time_percent &&
            step->severity > severity)
            severity = step->severity;
    if (severity < finding->floor)
        severity = finding->floor;
    return severity > finding->rule->ceiling ? finding->rule->ceiling : severity;
}

static double clip(double value, double most)
{
    return value >= 0 ? (value <= most ? value : most) : 0; /* not-a-number becomes 0 */
}

static int compare(const void *a_, const void *b_)
{
    const struct finding *const a = *(struct finding *const *)a_, *const b =
                                                                      *(struct finding *const *)b_;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->percentage != b->percentage)
        return a->percentage > b->percentage ? -1 : 1;
    return strcmp(a->id, b->id);
}

void rank_sort(struct finding **findings, size_t n, double duration_seconds)
{
    for (size_t i = 0; i < n; i++) {
        struct finding *const finding = findings[i];
        finding->percentage = clip(finding->percentage, 100);
        finding->impact = clip(finding->impact, 100);
        finding->confidence = clip(finding->confidence, 1);
        finding->score = finding->impact * finding->confidence / finding->rule->effort;
        finding->severity = severity_of(finding, duration_seconds);
    }
    if (n > 0) /* qsort(3) wants an array even for nothing */
        qsort(findings, n, sizeof *findings, compare);
    for (size_t i = 0; i < n; i++)
        findings[i]->rank = (uint32_t)(i + 1);
}

void rank_all(struct finder *finder)
{
    const struct findings_store *const store = finder->findings->store;
    rank_sort(store->found, store->n_found, finder->profile->totals.duration_seconds);
}
