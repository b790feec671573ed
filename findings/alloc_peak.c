/* SPDX-License-Identifier: MIT */
/* Who builds a short peak far above what the program usually holds?
 *
 *   live           /\
 *   bytes  _______/  \________    median: half of the time there is less */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "findings/sites.h"

static int compare_bytes(const void *a_, const void *b_)
{
    const uint64_t a = *(const uint64_t *)a_, b = *(const uint64_t *)b_;
    return (a > b) - (a < b);
}

/* Live bytes that the run was below for a share of its time, given in percent. The timeline must not be
 * empty. Returns 0 or -ENOMEM. */
static int live_quantile(const struct profile *profile, double percent, uint64_t *live_out)
{
    const size_t last = profile->n_timeline - 1;
    uint64_t *const sorted = calloc(profile->n_timeline, sizeof *sorted);
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < profile->n_timeline; i++)
        sorted[i] = profile->timeline[i].live_bytes;
    qsort(sorted, profile->n_timeline, sizeof *sorted, compare_bytes);
    const double at = (double)profile->n_timeline * percent / 100;
    *live_out = sorted[at > 0 && at < (double)last ? (size_t)at : at > 0 ? last : 0];
    free(sorted);
    return 0;
}

static int tell_peak(struct finder *finder, const struct rule *rule, const struct site *site,
                     double usual_bytes)
{
    const struct profile *const profile = finder->profile;
    const double peak = (double)profile->totals.peak_bytes, held = (double)site->metrics.peak_bytes;
    const double above = peak - usual_bytes;
    struct finding *const finding = sites_found(finder, rule, site, "peak_bytes", held);
    if (!finding)
        return -ENOMEM;
    sites_show_stack(finder, finding, offsetof(struct metrics, peak_bytes));
    finding->title =
        finder_text(finder, "%s in %s live at a peak of %s, %s usually", finder_bytes(finder, held),
                    sites_say_blocks(finder, (double)site->metrics.peak_count),
                    finder_bytes(finder, peak), finder_bytes(finder, usual_bytes));
    finding->percentage = finder_percent(held, peak);
    finding->whole = OF_PEAK_BYTES;
    finding->saves.peak_bytes = maybe_known(held < above ? held : above);
    finding->impact = finder_percent(finding->saves.peak_bytes.value, peak);
    finding->suggestion.text = finder_text(
        finder,
        "Work in parts, or free each block before the next is built: the peak of %s came %s after "
        "the start, and half of the time no more than %s were live. This place held %.0f %% of it.",
        finder_bytes(finder, peak), finder_seconds(finder, profile->peak_seconds),
        finder_bytes(finder, usual_bytes), finding->percentage);
    if (profile->n_processes > 1)
        finder_doubt(finding, 0.8, "several processes: their live bytes are summed over time");
    return 0;
}

/* All of them, given what is usual. */
static int tell_peaks(struct finder *finder, const struct rule *rule, double usual_bytes)
{
    const struct profile *const profile = finder->profile;
    const double least = finder_limit(finder, rule, "min_percent");
    int error = 0;
    for (size_t i = 0; i < profile->n_places && error == 0; i++) {
        const struct site *const site = &profile->places[i];
        const double held = (double)site->metrics.peak_bytes;
        const bool is_kept = site->metrics.leaked_bytes > site->metrics.peak_bytes / 2;
        if (finder_percent(held, (double)profile->totals.peak_bytes) >= least && !is_kept)
            error = tell_peak(finder, rule, site, usual_bytes);
    }
    return error;
}

static int find_peaks(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    const double peak = (double)profile->totals.peak_bytes;
    const double short_percent = finder_limit(finder, rule, "max_time_percent");
    uint64_t usual, high;
    if (peak < finder_limit(finder, rule, "min_bytes") || profile->n_timeline == 0)
        return 0;
    /* A ramp up to the end is above its half for half of the time: that is no spike. */
    int error = live_quantile(profile, 50, &usual);
    if (error == 0)
        error = live_quantile(profile, 100 - short_percent, &high);
    if (error || peak < finder_limit(finder, rule, "min_ratio") * (double)usual ||
        (double)high > peak / 2)
        return error;
    return tell_peaks(finder, rule, (double)usual);
}

static const struct rule rows[] = {
    {
        .id = "AL122",
        .name = "peak_spike",
        .brief = "blocks that make a short peak far above the usual",
        .category = CATEGORY_PEAK_MEMORY,
        .group = GROUP_HELD,
        .kind = SUGGEST_SHRINK,
        .effort = 3,
        .confidence = 0.8,
        .ceiling = SEVERITY_HIGH,
        .limits = {{"min_bytes", 4194304, "the peak"},
                   {"min_ratio", 2, "times the live bytes that half of the run stays below"},
                   {"max_time_percent", 25, "share of the run spent above half of the peak"},
                   {"min_percent", 20, "share of the peak that the place holds"}},
        .must_keep = {"data that is needed as a whole must stay whole",
                      "the order in which parts are worked on"},
        .why_same_output = "The same data passes through in the same order, only less of it at a "
                           "time; check that nothing looks back at a part that is gone.",
        .sort = "peak_bytes",
        .expect = "peak_bytes of the run falls towards the usual; the finding is gone",
        .meaning = "For a short time the program holds far more memory than before and after.\n"
                   "That moment decides how much memory the machine needs; this place's blocks\n"
                   "are a large part of it.\n",
        .evidence = "peak_bytes and peak_count of the place: what it held when its process held\n"
                    "most; the moment of the peak; and live bytes over time, whose median is\n"
                    "what is called usual here.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    rows = load_all(file);               while (load_some(file, &rows)) {\n"
                     "    sum(rows);                               sum(rows);\n"
                     "    free(rows);                              free(rows);\n"
                     "                                         }\n",
        .example_cpp = "    // before                            // after\n"
                       "    auto copy = items;                   auto copy = std::move(items);\n"
                       "    sort(copy);                          sort(copy);\n",
        .when_not = "Leave it where the peak fits the machine with room to spare, or where the\n"
                    "work needs all the data at once.\n",
        .find = find_peaks,
    },
};

const struct rule_family alloc_peak_rules = {rows, sizeof rows / sizeof *rows};
