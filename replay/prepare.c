/* SPDX-License-Identifier: MIT */
/* Which process is replayed, which of its call sites the plan means, and what its operations are: the trace is
 * read twice, once for a profile, once for the calls. */
#include <stdlib.h>
#include <string.h>

#include "replay/measuring.h"

static uint64_t n_events(const struct metrics *totals)
{
    return totals->alloc_count + totals->realloc_count + totals->free_count;
}

static uint32_t busiest_process(const struct profile *profile)
{
    uint32_t busiest = profile->n_processes ? profile->processes[0].id : 0;
    for (uint32_t i = 0; i < profile->n_processes; i++)
        if (n_events(&profile->processes[i].totals) >
            n_events(&profile->processes[busiest - 1].totals))
            busiest = profile->processes[i].id;
    return busiest;
}

/* A profile that shows the process only, so that its sites' figures are that one's. With names where a plan
 * names sites: which frames belong to the allocator, and so a site's id, is told by them. */
static int load(struct measuring *measuring, const char *trace, struct profile **profile_out)
{
    struct profile_options options = {.process_id = measuring->options->process_id,
                                      .no_symbols = measuring->result->n_rows == 0};
    int error = profile_load(trace, &options, profile_out, measuring->error);
    if (error || options.process_id || (*profile_out)->n_processes < 2)
        return error;
    options.process_id = busiest_process(*profile_out);
    profile_free(*profile_out);
    *profile_out = NULL;
    return profile_load(trace, &options, profile_out, measuring->error);
}

/* About the mean of calls, by their quantiles; without the slowest ones, which were interrupted. */
static double mean_of(const struct quantiles *ns)
{
    return (0.25 * (double)(ns->min + ns->p50)) + 0.225 * (double)(ns->p50 + ns->p95) +
           0.025 * (double)(ns->p95 + ns->p99);
}

/* What the allocator took when the trace was recorded: counts times the mean of the calls timed. */
static double recorded_seconds(const struct profile *profile)
{
    double ns = 0;
    for (size_t i = 0; i < profile->n_sites; i++) {
        const struct site *const site = &profile->sites[i];
        const struct metrics *const metrics = &site->metrics;
        ns +=
            (double)(metrics->alloc_count + metrics->realloc_count) * mean_of(&site->alloc_call_ns);
        ns += (double)metrics->free_count * mean_of(&site->free_call_ns);
    }
    return ns / 1e9;
}

static uint16_t find_row(const struct replay_plan *plan, const struct site *site)
{
    for (size_t i = 0; i < plan->n_rows; i++)
        if (strcmp(plan->rows[i].site, site->id) == 0)
            return (uint16_t)(i + 1);
    return 0;
}

/* Which row of the plan each site number has. */
static int place_rows(struct measuring *measuring, const struct profile *profile)
{
    const struct replay_plan *const plan = measuring->options->plan;
    uint16_t *const of_row = calloc(profile->n_sites + 1, sizeof *of_row);
    measuring->row_of_site = calloc(profile->n_site_rows + (size_t)1, sizeof(uint16_t));
    const bool has_room = of_row && measuring->row_of_site;
    for (size_t i = 0; has_room && plan && i < profile->n_sites; i++) {
        of_row[i] = find_row(plan, &profile->sites[i]);
        if (of_row[i])
            measuring->result->rows[of_row[i] - 1].is_found = true;
    }
    for (uint32_t i = 0; has_room && i < profile->n_site_rows; i++)
        measuring->row_of_site[i] = of_row[profile->row_of_site[i]];
    free(of_row);
    return has_room ? 0 : measuring_fail_memory(measuring);
}

static void take_process(struct measuring *measuring, const struct profile *profile)
{
    struct replay_result *const result = measuring->result;
    const uint32_t asked = measuring->options->process_id;
    const bool shows_it_alone = !measuring->options->profile || asked || profile->n_processes == 1;
    result->process_id = asked ? asked : busiest_process(profile);
    result->recorded_seconds = shows_it_alone ? recorded_seconds(profile) : 0;
    if (result->process_id)
        result->lost_events = profile->processes[result->process_id - 1].coverage.lost_events;
}

static void take_calls(struct replay_result *result, const struct compiled *compiled)
{
    result->counts = compiled->counts;
    result->is_truncated = compiled->is_truncated;
    result->n_threads = compiled->head.n_threads;
    for (unsigned i = 0; i < OPS_N_CALLS; i++) {
        result->n_calls[i] = compiled->head.n_calls[i];
        result->n_all_calls += result->n_calls[i];
    }
}

static int compile(struct measuring *measuring, const char *trace, const struct profile *profile)
{
    const uint32_t process_id = measuring->result->process_id;
    const struct compile_options options = {
        .process_id = process_id,
        .n_expected_calls = process_id ? n_events(&profile->processes[process_id - 1].totals) : 0,
        .plan = measuring->options->plan,
        .row_of_site = measuring->row_of_site,
        .n_site_rows = profile->n_site_rows,
    };
    const int error = compile_trace(trace, &options, &measuring->compiled, measuring->error);
    measuring->is_compiled = error == 0;
    if (error == 0)
        take_calls(measuring->result, &measuring->compiled);
    return error;
}

int prepare_ops(struct measuring *measuring, const char *trace)
{
    struct profile *own = NULL;
    const struct profile *profile = measuring->options->profile;
    int error = profile ? 0 : load(measuring, trace, &own);
    if (error == 0 && !profile)
        profile = own;
    if (error == 0)
        error = place_rows(measuring, profile);
    if (error == 0) {
        take_process(measuring, profile);
        error = compile(measuring, trace, profile);
    }
    profile_free(own);
    return error;
}
