/* SPDX-License-Identifier: MIT */
/* Which finding comes first? By impact x confidence / effort; ties are settled so that the order is total. */
#include <stdlib.h>
#include <string.h>

#include "findings/engine.h"
#include "findings/store.h"

/* Share of the whole from which on a finding is so severe. 5 % is where most engineers stop to look. */
static const struct {
    double percent;
    enum finding_severity severity;
} steps[] = {
    {20, SEVERITY_CRITICAL},
    {10, SEVERITY_HIGH},
    {5, SEVERITY_MEDIUM},
    {1, SEVERITY_LOW},
};

static enum finding_severity severity_of(const struct finding *finding)
{
    enum finding_severity severity = SEVERITY_INFO;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (finding->impact >= steps[i].percent && steps[i].severity > severity)
            severity = steps[i].severity;
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

void rank_all(struct findings_store *store)
{
    for (size_t i = 0; i < store->n_found; i++) {
        struct finding *const finding = store->found[i];
        finding->percentage = clip(finding->percentage, 100);
        finding->impact = clip(finding->impact, 100);
        finding->confidence = clip(finding->confidence, 1);
        finding->score = finding->impact * finding->confidence / finding->rule->effort;
        finding->severity = severity_of(finding);
    }
    qsort(store->found, store->n_found, sizeof *store->found, compare);
    for (size_t i = 0; i < store->n_found; i++)
        store->found[i]->rank = (uint32_t)(i + 1);
}
