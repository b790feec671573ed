/* SPDX-License-Identifier: MIT */
/* How is a suggestion tried, and what does the trial change about the finding? */
#include "findings/prove.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "findings/engine.h"
#include "findings/finder.h"
#include "reader/habits.h"

static const char BY[] = "replay --pools";
static const double LEAST_SHARE = 0.25; /* of the predicted gain that a trial has to confirm */

enum { ALIGNMENT = 16 }; /* of blocks in a region: each may need so much more */

/* ---- what to try ---- */

/* Whether blocks go from one thread to another, or several ask for them. */
static bool is_of_several_threads(const struct site *site)
{
    return site &&
           (site->most_threads > 1 || (site->habits && site->habits->freed_elsewhere_count));
}

/* One buffer for each thread; where more are in use at once they go round, by way of all threads. */
static struct replay_plan_row reuse(const struct finding *finding)
{
    const struct site *const site = finding->site;
    const uint64_t n_buffers = finding->suggestion.buffer.calls_after;
    if (!site)
        return (struct replay_plan_row){.technique = REPLAY_NONE};
    if (!finding->suggestion.buffer.known) /* blocks that stay are no part of it */
        return (struct replay_plan_row){
            .technique = REPLAY_REUSE, .bytes = site->sizes.max, .only_temporary = true};
    if (n_buffers <= site->most_threads)
        return (struct replay_plan_row){.technique = REPLAY_REUSE, .bytes = site->sizes.max};
    return (struct replay_plan_row){.technique = REPLAY_POOL,
                                    .is_shared = is_of_several_threads(site),
                                    .bytes = site->sizes.max,
                                    .slots = n_buffers};
}

/* The technique for a finding; REPLAY_NONE where nothing can be tried. `bytes` and `slots` mean what the plan's
 * do. */
static struct replay_plan_row technique_of(const struct finding *finding)
{
    const struct finding_suggestion *const suggestion = &finding->suggestion;
    const uint64_t largest = finding->site ? finding->site->sizes.max : 0;
    if (suggestion->pool.known && finding->rule->kind == SUGGEST_OBJECT_POOL)
        return (struct replay_plan_row){.technique = REPLAY_POOL,
                                        .is_shared = is_of_several_threads(finding->site) &&
                                                     suggestion->pool.scope != POOL_PER_THREAD,
                                        .bytes = suggestion->pool.object_bytes,
                                        .slots = suggestion->pool.slots};
    if (suggestion->arena.known)
        return (struct replay_plan_row){.technique = REPLAY_ARENA,
                                        .bytes = suggestion->arena.bytes +
                                                 ALIGNMENT * suggestion->arena.blocks};
    if (suggestion->reserve.known)
        return (struct replay_plan_row){.technique = REPLAY_RESERVE,
                                        .bytes = suggestion->reserve.final_bytes};
    if (finding->rule->kind == SUGGEST_STACK_OR_INLINE)
        return (struct replay_plan_row){.technique = REPLAY_STACK, .bytes = largest};
    if (finding->rule->kind == SUGGEST_REUSE_BUFFER)
        return reuse(finding);
    return (struct replay_plan_row){.technique = REPLAY_NONE};
}

static bool has_site(const struct replay_plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->n_rows; i++)
        if (strcmp(plan->rows[i].site, id) == 0)
            return true;
    return false;
}

static int add_row(struct replay_plan *plan, struct replay_plan_row row, const char *site_id)
{
    if (plan->n_rows >= OPS_MAX_ROWS || has_site(plan, site_id))
        return 0;
    struct replay_plan_row *const rows = reallocarray(plan->rows, plan->n_rows + 1, sizeof *rows);
    if (!rows)
        return -ENOMEM;
    memcpy(row.site, site_id, sizeof row.site);
    plan->rows = rows;
    rows[plan->n_rows++] = row;
    return 0;
}

static int add_place(struct replay_plan *plan, const struct replay_plan_row *row,
                     const struct profile *profile, const struct site *place)
{
    int error = 0;
    for (uint32_t i = 0; i < place->n_stacks && error == 0; i++)
        error = add_row(plan, *row, profile->sites[place->stacks[i]].id);
    return error;
}

int prove_plan(const struct finding *finding, const struct profile *profile, uint16_t group,
               struct replay_plan *plan)
{
    struct replay_plan_row row = technique_of(finding);
    if (row.technique == REPLAY_NONE || !finding->site)
        return 0;
    row.group = row.technique == REPLAY_ARENA ? group : 0;
    int error = add_place(plan, &row, profile, finding->site);
    for (uint32_t i = 0; i < finding->n_sites && error == 0; i++)
        error = add_place(plan, &row, profile, finding->sites[i]);
    return error;
}

int prove_plan_all(const struct findings *findings, struct replay_plan *plan_out)
{
    struct replay_plan plan = {.n_rows = 0};
    int error = 0;
    for (size_t i = 0; i < findings->n && i < UINT16_MAX && error == 0; i++)
        error = prove_plan(findings->ranked[i], findings->profile, (uint16_t)(i + 1), &plan);
    if (error)
        plan_fini(&plan);
    else
        *plan_out = plan;
    return error;
}

/* ---- what came of it ---- */

static bool was_tried(const struct replay_result *result)
{
    for (size_t i = 0; i < result->n_rows; i++)
        if (result->rows[i].is_found && result->rows[i].n_served)
            return true;
    return false;
}

/* The first variant is the allocator alone, the last one has the plan in place. */
static void take_over(struct finding *finding, const struct replay_result *result)
{
    const struct replay_variant *const before = &result->variants[0];
    const struct replay_variant *const after = &result->variants[result->n_variants - 1];
    /* Threads that wait for each other in turn make runs differ by more than a technique gives. */
    const double most_gained = before->seconds.most - after->seconds.least;
    finding->measured = (struct finding_measured){
        .known = true,
        .by = BY,
        .runs = result->n_runs,
        .seconds_before = maybe_known(before->seconds.median),
        .seconds_after = maybe_known(after->seconds.median),
        .peak_bytes_before = maybe_known(before->peak_rss_bytes.median),
        .peak_bytes_after = maybe_known(after->peak_rss_bytes.median),
    };
    if (finding->saves.seconds.known && most_gained < LEAST_SHARE * finding->saves.seconds.value)
        finder_doubt(finding, 0.5, "the replay measured less than a quarter of the time predicted");
}

static int prove_one(struct finding *finding, const struct profile *profile, const char *trace,
                     struct replay_options options, struct trace_error *error_out)
{
    struct replay_plan plan = {.n_rows = 0};
    struct replay_result *result = NULL;
    int error = prove_plan(finding, profile, 1, &plan);
    if (error == 0 && plan.n_rows) {
        options.plan = &plan;
        error = replay_measure(trace, &options, &result, error_out);
    }
    if (error == 0 && result && result->n_variants >= 2 && was_tried(result))
        take_over(finding, result);
    replay_free(result);
    plan_fini(&plan);
    return error;
}

int prove_all(struct findings *findings, const char *trace, unsigned n_runs, uint32_t process_id,
              struct trace_error *error_out)
{
    static const char *const native[] = {"native"};
    const struct replay_options options = {
        .allocators = native,
        .n_allocators = 1,
        .n_runs = n_runs,
        .process_id = process_id,
        .profile = findings->profile,
    };
    int error = 0;
    for (size_t i = 0; i < findings->n && error == 0; i++)
        error = prove_one(findings->ranked[i], findings->profile, trace, options, error_out);
    rank_sort(findings->ranked, findings->n, findings->profile->totals.duration_seconds);
    return error;
}
