/* SPDX-License-Identifier: MIT */
/* How the figures of single runs become medians and spreads. */
#include "replay/measuring.h"
#include "replay/spread.h"

static double mean_ns(const struct ops_samples *samples, uint64_t tsc_hz)
{
    if (samples->n == 0 || tsc_hz == 0)
        return 0;
    return (double)samples->cycles / (double)samples->n * 1e9 / (double)tsc_hz;
}

/* What a call took of those timed by themselves, less what doing nothing takes. */
static double own_ns(const struct replay_result *result, const struct ops_samples *samples,
                     enum ops_call_class class, uint64_t tsc_hz)
{
    const double ns = mean_ns(samples, tsc_hz) - result->empty_call_ns[class];
    return ns > 0 ? ns : 0;
}

static double seconds_of(const struct replay_result *result, const struct ops_figures *figures)
{
    const double seconds = (double)figures->cpu_ns / 1e9 - result->empty_seconds.median;
    return seconds > 0 ? seconds : 0;
}

static double ns_of(const struct replay_result *result, const struct ops_figures *figures)
{
    return result->n_all_calls ? seconds_of(result, figures) * 1e9 / (double)result->n_all_calls
                               : 0;
}

static double acquire_ns_of(const struct replay_result *result, const struct ops_figures *figures)
{
    return own_ns(result, &figures->samples[OPS_ACQUIRES], OPS_ACQUIRES, figures->tsc_hz);
}

static double resize_ns_of(const struct replay_result *result, const struct ops_figures *figures)
{
    return own_ns(result, &figures->samples[OPS_RESIZES], OPS_RESIZES, figures->tsc_hz);
}

static double release_ns_of(const struct replay_result *result, const struct ops_figures *figures)
{
    return own_ns(result, &figures->samples[OPS_RELEASES], OPS_RELEASES, figures->tsc_hz);
}

static double faults_of(const struct replay_result *result, const struct ops_figures *figures)
{
    (void)result;
    return (double)figures->faults;
}

static double peak_of(const struct replay_result *result, const struct ops_figures *figures)
{
    (void)result;
    return (double)figures->peak_rss_bytes;
}

static double rss_at_peak_of(const struct replay_result *result, const struct ops_figures *figures)
{
    (void)result;
    return (double)figures->rss_at_peak_bytes;
}

static double live_at_peak_of(const struct replay_result *result, const struct ops_figures *figures)
{
    (void)result;
    return (double)figures->live_at_peak_bytes;
}

static double fragmentation_of(const struct replay_result *result,
                               const struct ops_figures *figures)
{
    (void)result;
    const uint64_t live = figures->live_at_peak_bytes;
    return live ? (double)figures->rss_at_peak_bytes / (double)live : 0;
}

static double wall_of(const struct replay_result *result, const struct ops_figures *figures)
{
    (void)result;
    return (double)figures->wall_ns / 1e9;
}

/* Which figure of a run becomes which spread of its variant. */
static const struct measure {
    size_t offset;
    double (*of)(const struct replay_result *result, const struct ops_figures *figures);
} measures[] = {
    {offsetof(struct replay_variant, seconds), seconds_of},
    {offsetof(struct replay_variant, ns_per_call), ns_of},
    {offsetof(struct replay_variant, call_ns[OPS_ACQUIRES]), acquire_ns_of},
    {offsetof(struct replay_variant, call_ns[OPS_RESIZES]), resize_ns_of},
    {offsetof(struct replay_variant, call_ns[OPS_RELEASES]), release_ns_of},
    {offsetof(struct replay_variant, faults), faults_of},
    {offsetof(struct replay_variant, peak_rss_bytes), peak_of},
    {offsetof(struct replay_variant, rss_at_peak_bytes), rss_at_peak_of},
    {offsetof(struct replay_variant, live_at_peak_bytes), live_at_peak_of},
    {offsetof(struct replay_variant, fragmentation), fragmentation_of},
    {offsetof(struct replay_variant, wall_seconds), wall_of},
};

static void sum_up_variant(const struct measuring *measuring, size_t i)
{
    const struct replay_result *const result = measuring->result;
    struct replay_variant *const variant = &result->variants[i];
    double values[REPLAY_MAX_RUNS];
    for (size_t j = 0; j < sizeof measures / sizeof *measures; j++) {
        for (unsigned run = 0; run < result->n_runs; run++)
            values[run] = measures[j].of(result, &measuring_sample(measuring, i, run)->figures);
        struct replay_spread *const to =
            (struct replay_spread *)(void *)((char *)variant + measures[j].offset);
        *to = spread_of(values, result->n_runs);
    }
    for (unsigned run = 0; run < result->n_runs; run++) {
        const uint64_t n_failed = measuring_sample(measuring, i, run)->figures.n_failed;
        variant->n_failed = n_failed > variant->n_failed ? n_failed : variant->n_failed;
    }
}

static double row_ns(const struct replay_result *result, const struct sample *sample, size_t row)
{
    uint64_t n = 0;
    double ns = 0;
    for (unsigned i = 0; i < OPS_N_CLASSES; i++) {
        const struct ops_samples *const samples = &sample->rows[row + 1].samples[i];
        n += samples->n;
        ns += (double)samples->n * own_ns(result, samples, i, sample->figures.tsc_hz);
    }
    return n ? ns / (double)n : 0;
}

static void sum_up_row(const struct measuring *measuring, size_t i)
{
    const struct replay_result *const result = measuring->result;
    struct replay_row *const row = &result->rows[i];
    double before[REPLAY_MAX_RUNS], after[REPLAY_MAX_RUNS];
    for (unsigned run = 0; run < result->n_runs; run++) {
        before[run] = row_ns(result, measuring_sample(measuring, 0, run), i);
        after[run] = row_ns(result, measuring_sample(measuring, measuring->n_allocators, run), i);
    }
    const struct ops_row_figures *const figures =
        &measuring_sample(measuring, measuring->n_allocators, 0)->rows[i + 1];
    row->n_served = figures->n_served;
    row->n_overflowed = figures->n_overflowed;
    row->n_releases = figures->n_releases;
    row->call_ns_before = spread_of(before, result->n_runs);
    if (row->alone >= 0)
        row->saved_seconds =
            result->variants[0].seconds.median - result->variants[row->alone].seconds.median;
    row->call_ns_after = spread_of(after, result->n_runs);
}

static void sum_up_empty(const struct measuring *measuring)
{
    struct replay_result *const result = measuring->result;
    double values[REPLAY_MAX_RUNS];
    const struct sample *const samples = measuring_sample(measuring, result->n_variants, 0);
    for (unsigned run = 0; run < result->n_runs; run++)
        values[run] = (double)samples[run].figures.cpu_ns / 1e9;
    result->empty_seconds = spread_of(values, result->n_runs);
    for (unsigned i = 0; i < OPS_N_CLASSES; i++) {
        for (unsigned run = 0; run < result->n_runs; run++)
            values[run] = mean_ns(&samples[run].figures.samples[i], samples[run].figures.tsc_hz);
        result->empty_call_ns[i] = spread_of(values, result->n_runs).median;
    }
}

void sum_up_samples(const struct measuring *measuring)
{
    struct replay_result *const result = measuring->result;
    sum_up_empty(measuring);
    for (size_t i = 0; i < result->n_variants; i++)
        sum_up_variant(measuring, i);
    for (size_t i = 0; i < result->n_rows; i++)
        sum_up_row(measuring, i);
}
