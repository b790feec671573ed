/* SPDX-License-Identifier: MIT */
/* What does a change to calls of I/O save? In calls, which are certain, and in seconds, from the run's own
 * times. */
#include "findings/io_gain.h"

#include "findings/io_costs.h"
#include "findings/io_traits.h"

/* Share of the run's time from which on what is saved counts as the share of calls that it is. */
static const double SIGNIFICANT_PERCENT = 2;

bool io_gain_matters(const struct finder *finder, const struct rule *rule,
                     const struct io_gain *gain)
{
    const double seconds = finder->profile->totals.duration_seconds;
    if (!(gain->seconds > 0))
        return false;
    return 1000 * gain->seconds >= finder_limit(finder, rule, "min_saved_ms") ||
           finder_percent(gain->seconds, seconds) >=
               finder_limit(finder, rule, "min_saved_percent");
}

static double at_least(double value, double least)
{
    return value > least ? value : least;
}

static double at_most(double value, double most)
{
    return value < most ? value : most;
}

struct io_gain io_gain_of_buffer(const struct finder *finder, const struct io_site *site,
                                 uint64_t buffer_bytes)
{
    const double moving = io_traits_moving(site);
    const double streams = at_least(site->n_files, io_traits_opens_of(finder->profile, site));
    const double after = at_least((double)site->bytes / (double)buffer_bytes, streams);
    if (after > moving / 4 || (site->reads && io_traits_is_short(site)))
        return (struct io_gain){.calls = 0};
    const double kept =
        io_costs_seconds(io_traits_is_by_byte(site) ? IO_COST_PUTC : IO_COST_FWRITE);
    const double seconds = (moving - after) * io_costs_fixed_seconds(site) -
                           (site->layer == IO_LAYER_SYSCALL ? moving * kept : 0);
    return (struct io_gain){.calls = moving - after,
                            .seconds = at_most(at_least(seconds, 0), site->seconds)};
}

double io_gain_share(const struct finder *finder, double calls)
{
    return finder_percent(calls, (double)finder->profile->totals.io_calls);
}

/* How much of the run's cost goes away: the share of its calls of I/O, less by as much as the time that they
 * take is little beside the run's; or the share of its time, where that is more. */
static double impact_of(const struct finder *finder, const struct io_gain *gain)
{
    const double of_time = finder_percent(gain->seconds, finder->profile->totals.duration_seconds);
    const double weight = at_most(of_time / SIGNIFICANT_PERCENT, 1);
    return at_least(of_time, weight * io_gain_share(finder, gain->calls));
}

struct finding *io_gain_tell(struct finder *finder, const struct rule *rule,
                             const struct io_site *site, const struct io_gain *gain)
{
    struct finding *const finding = finder_add(finder, rule);
    if (!finding)
        return NULL;
    finder_about_io_site(finding, site);
    finding->percentage = io_gain_share(finder, (double)site->calls);
    finding->whole = OF_IO_CALLS;
    finding->impact = impact_of(finder, gain);
    finding->evidence.metric = site->reads ? "io_read_calls" : "io_write_calls";
    finding->evidence.unit = "calls";
    finding->evidence.value = (double)site->calls;
    finding->evidence.count = site->calls;
    finding->evidence.bytes = maybe_known((double)site->bytes);
    if (gain->calls > 0)
        finding->saves.io_calls = maybe_known(gain->calls);
    if (gain->seconds > 0)
        finding->saves.seconds = maybe_known(gain->seconds);
    return finding;
}

void io_gain_set_buffer(struct finding *finding, uint64_t buffer_bytes, const struct io_gain *gain)
{
    const uint64_t before = finding->io_site->calls;
    const double after = at_least((double)before - gain->calls + 0.5, 1);
    finding->suggestion.buffer = (struct finding_buffer){
        .known = true,
        .bytes = buffer_bytes,
        .calls_before = before,
        .calls_after = after < (double)before ? (uint64_t)after : before,
    };
}
