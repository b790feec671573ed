/* SPDX-License-Identifier: MIT */
/* Where does the program allocate? Which sections of places there are: what orders each, what further
 * columns it has, and of what a share is a share. */
#include "report/names.h"
#include "report/sections.h"
#include "report/site_tree.h"

#include <string.h>

static uint64_t subtract(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t site_calls(const struct site *site)
{
    return site_tree_add(site->metrics.alloc_count, site->metrics.realloc_count);
}
static uint64_t site_bytes(const struct site *site)
{
    return site->metrics.alloc_bytes;
}
static uint64_t site_peak_bytes(const struct site *site)
{
    return site->metrics.peak_bytes;
}
static uint64_t site_peak_count(const struct site *site)
{
    return site->metrics.peak_count;
}
static uint64_t site_leaked_bytes(const struct site *site)
{
    return site->leak_owner == LEAK_PROGRAM ? site->metrics.leaked_bytes : 0;
}
static uint64_t site_leaked_count(const struct site *site)
{
    return site->leak_owner == LEAK_PROGRAM ? site->metrics.leaked_count : 0;
}
static uint64_t site_temporary(const struct site *site)
{
    return site->metrics.temporary_count;
}

static uint64_t whole_calls(const struct profile *profile)
{
    return site_tree_add(profile->totals.alloc_count, profile->totals.realloc_count);
}
static uint64_t whole_peak(const struct profile *profile)
{
    return profile->totals.peak_bytes;
}
static uint64_t whole_leaked(const struct profile *profile)
{
    return subtract(profile->totals.leaked_bytes,
                    site_tree_add(profile->runtime_leaked_bytes, profile->suppressed_leaked_bytes));
}
static uint64_t whole_temporary(const struct profile *profile)
{
    return profile->totals.temporary_count;
}

enum { MOST_CALLS, PEAK, LEAKS, TEMPORARY };

static const struct site_section site_sections[] = {
    [MOST_CALLS] = {"most_calls",
                    "MOST CALLS",
                    "calls to allocation functions, by place",
                    "no allocation was recorded",
                    {"calls", "calls", UNIT_COUNT, site_calls, false},
                    {{"alloc_bytes", "requested", UNIT_BYTES, site_bytes, false},
                     {"peak_bytes", "at peak", UNIT_BYTES, site_peak_bytes, false}},
                    whole_calls,
                    false},
    [PEAK] = {"peak_memory",
              "PEAK MEMORY",
              "bytes live at the moment of the peak, by place",
              "no memory was live at any time",
              {"peak_bytes", "at peak", UNIT_BYTES, site_peak_bytes, false},
              {{"peak_count", "blocks", UNIT_COUNT, site_peak_count, false},
               {"calls", "calls", UNIT_COUNT, site_calls, false}},
              whole_peak,
              false},
    [LEAKS] = {"leaks",
               "LEAKS",
               "never freed, by place",
               "the program freed everything of its own",
               {"leaked_bytes", "leaked", UNIT_BYTES, site_leaked_bytes, false},
               {{"leaked_count", "blocks", UNIT_COUNT, site_leaked_count, false},
                {"calls", "calls", UNIT_COUNT, site_calls, false}},
               whole_leaked,
               true},
    [TEMPORARY] = {"temporary",
                   "TEMPORARY",
                   "freed before their thread allocated again, by place",
                   "no allocation was temporary",
                   {"temporary_count", "temporary", UNIT_COUNT, site_temporary, false},
                   {{"temporary_share", "of its calls", UNIT_SHARE, site_temporary, true},
                    {"alloc_bytes", "requested", UNIT_BYTES, site_bytes, false}},
                   whole_temporary,
                   false},
};

int view_most_calls(const struct profile *profile, const struct report_options *options,
                    struct view *view_out)
{
    return site_tree_build(&site_sections[MOST_CALLS], NULL, profile, options, view_out);
}

int view_peak(const struct profile *profile, const struct report_options *options,
              struct view *view_out)
{
    return site_tree_build(&site_sections[PEAK], NULL, profile, options, view_out);
}

int view_temporary(const struct profile *profile, const struct report_options *options,
                   struct view *view_out)
{
    return site_tree_build(&site_sections[TEMPORARY], NULL, profile, options, view_out);
}

static void note_leaks_of(struct view *view, const char *whose, uint64_t bytes, uint64_t blocks)
{
    if (blocks == 0)
        return;
    struct buffer text = {0};
    units_add_integer(&text, UNIT_BYTES, bytes);
    buffer_text(&text, " in ");
    units_add_integer(&text, UNIT_COUNT, blocks);
    view->failed |= text.failed;
    view_note(view, "not listed: %s block%s %s", buffer_string(&text), blocks == 1 ? "" : "s",
              whose);
    buffer_fini(&text);
}

int view_leaks(const struct profile *profile, const struct report_options *options,
               struct view *view_out)
{
    const int result = site_tree_build(&site_sections[LEAKS], NULL, profile, options, view_out);
    if (result < 0)
        return result;
    note_leaks_of(view_out, "that the C and C++ runtime keeps on purpose",
                  profile->runtime_leaked_bytes, profile->runtime_leaked_count);
    note_leaks_of(view_out, "suppressed by your list", profile->suppressed_leaked_bytes,
                  profile->suppressed_leaked_count);
    return 0;
}

/* Sections that order by a metric already, so that --sort need not show it twice. */
static bool has_own_section(const char *metric)
{
    for (size_t i = 0; i < sizeof site_sections / sizeof *site_sections; i++)
        if (strcmp(site_sections[i].value.name, metric) == 0)
            return true;
    return false;
}

int view_sorted(const struct profile *profile, const struct report_options *options,
                struct view *view_out)
{
    const struct metric *metric = options->sort;
    if (!metric || metric->scope == METRIC_IO || has_own_section(metric->name)) {
        view_init(view_out, "sorted", "SORTED", "");
        return 0;
    }
    const bool is_bytes = metric->unit == UNIT_BYTES || metric->unit == UNIT_BYTE_RATE;
    const struct site_section section = {
        .id = "sorted",
        .title = "SORTED",
        .subtitle = metric->name,
        .nothing = "0 everywhere",
        .value = {metric->name, metric->name, is_bytes ? UNIT_BYTES : UNIT_COUNT, NULL, false},
        .extra = {{"calls", "calls", UNIT_COUNT, site_calls, false}},
    };
    return site_tree_build(&section, metric, profile, options, view_out);
}
