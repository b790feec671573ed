/* SPDX-License-Identifier: MIT */
/* In which order are findings made? */
#include "findings/findings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "findings/engine.h"
#include "findings/place.h"
#include "findings/store.h"

static int look(struct finder *finder)
{
    const struct rule *rule = NULL;
    int error = 0;
    for (size_t i = 0; error == 0 && (rule = rules_at(i)) != NULL; i++)
        if (config_is_enabled(finder->config, rule))
            error = rule->find(finder, rule);
    return error ? error : finder->out_of_memory ? -ENOMEM : 0;
}

static int name_all(const struct findings_store *store, const struct profile *profile)
{
    for (size_t i = 0; i < store->n_found; i++)
        place_print(store->found[i], profile);
    return place_number_alike(store->found, store->n_found, profile);
}

static void pick(struct findings *findings, size_t top)
{
    const struct findings_store *const store = findings->store;
    findings->ranked = store->found;
    findings->n_all = store->n_found;
    findings->n = top && top < store->n_found ? top : store->n_found;
    for (size_t i = 0; i < store->n_found; i++) {
        const enum finding_severity severity = store->found[i]->severity;
        findings->n_severe[severity]++;
        if (severity > findings->worst)
            findings->worst = severity;
    }
}

static int make(struct finder *finder)
{
    struct findings_store *const store = finder->findings->store;
    int error = look(finder);
    if (error)
        return error;
    error = merge_groups(store);
    error = error ? error : name_all(store, finder->profile);
    if (error)
        return error;
    confidence_settle(finder);
    rank_all(finder);
    error = merge_link(store->found, store->n_found);
    if (error)
        return error;
    describe_all(finder);
    return finder->out_of_memory ? -ENOMEM : 0;
}

int findings_make(const struct profile *profile, const struct findings_config *config, size_t top,
                  struct findings **findings_out)
{
    struct findings *const findings = calloc(1, sizeof *findings);
    if (!findings)
        return -ENOMEM;
    findings->profile = profile;
    findings->store = calloc(1, sizeof *findings->store);
    struct finder finder = {.profile = profile, .config = config, .findings = findings};
    const int error = findings->store ? make(&finder) : -ENOMEM;
    if (error) {
        findings_free(findings);
        return error;
    }
    pick(findings, top);
    *findings_out = findings;
    return 0;
}

void findings_free(struct findings *findings)
{
    if (!findings)
        return;
    if (findings->store) {
        storage_fini(&findings->store->storage);
        free(findings->store->found);
    }
    free(findings->store);
    free(findings);
}

/* ---- the sum ---- */

/* What the findings may save of one total of the run. */
struct saving {
    const char *what;
    double saved, total;
};

static void add_saves(const struct finding *finding, struct saving *savings)
{
    const struct maybe of[] = {finding->saves.allocations, finding->saves.peak_bytes,
                               finding->saves.io_calls};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (of[i].known)
            savings[i].saved += of[i].value;
}

void findings_sum_up(const struct findings *findings, char *text_out, size_t n_bytes)
{
    const struct metrics *const totals = &findings->profile->totals;
    struct saving savings[] = {
        {"allocations", 0, (double)totals->alloc_count + (double)totals->realloc_count},
        {"peak bytes", 0, (double)totals->peak_bytes},
        {"I/O calls", 0, (double)totals->io_calls},
    };
    size_t at = 0;
    for (size_t i = 0; i < findings->n; i++)
        add_saves(findings->ranked[i], savings);
    text_out[0] = 0;
    for (size_t i = 0; i < sizeof savings / sizeof *savings; i++) {
        const double percent = finder_percent(savings[i].saved, savings[i].total);
        if (percent < 0.5 || at >= n_bytes)
            continue;
        at += (size_t)snprintf(text_out + at, n_bytes - at, "%s-%.0f %% of %s", at ? ", " : "",
                               percent < 100 ? percent : 100, savings[i].what);
    }
    if (at == 0)
        snprintf(text_out, n_bytes, "%s",
                 findings->n ? "no share of allocations, peak or I/O calls" : "nothing to change");
}
